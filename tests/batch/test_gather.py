"""A list read again: songs keep what became of them, those that left go, those that came wait."""

from pathlib import Path

import pytest

from covermaker.batch.entries import Entry, Playlist, Problem
from covermaker.batch.gather import gather, merged
from covermaker.batch.playlist import read
from covermaker.batch.playlist.scanning import fits
from covermaker.batch.queue import Queue
from covermaker.batch.rows import StepTime, Try
from covermaker.errors import ExitCode


def entry(name, line=1, **more):
    return Entry(Path("/songs") / name, f"l.m3u:{line}", **more)


def test_songs_and_broken_entries_stand_in_the_order_of_the_list():
    entries = (entry("a.wav", 1), entry("c.wav", 12, title="Sea"))
    problems = (Problem("l.m3u:3", "there is no such file", "look", said="b.wav", after=1),)
    rows, gone = merged([], Playlist("l", entries, problems))
    assert [(row.name, row.state) for row in rows] == [
        ("a", "waiting"),
        ("b.wav", "failed"),
        ("Sea", "waiting"),
    ]
    assert (rows[1].cause, rows[1].hint, rows[1].exit_code) == (
        "there is no such file",
        "look",
        ExitCode.USAGE,
    )
    assert [row.id for row in rows] == [1, 2, 3]
    assert gone == []


def test_the_same_song_twice_is_two_songs_and_stays_so():
    twice = Playlist("l", (entry("a.wav", 1, wishes={"voice": "x"}), entry("a.wav", 2)))
    rows, _ = merged([], twice)
    rows[1].project = "/out/a-2"
    again, _ = merged(rows, twice)
    assert [(row.id, row.project, row.wishes) for row in again] == [
        (1, "", {"voice": "x"}),
        (2, "/out/a-2", {}),
    ]


def test_a_list_read_again_keeps_projects_and_takes_wishes_anew(tmp_path):
    with Queue.made(tmp_path) as queue:
        gather(queue, Playlist("l", (entry("a.wav"), entry("b.wav", 2), entry("c.wav", 3))))
        queue.change(1, state="done", project="/out/a", result={"files": ["x"]}, tries=2)
        queue.change(2, state="failed", cause="no", project="/out/b")
        gather(
            queue,
            Playlist("l", (entry("c.wav", 1), entry("d.wav", 2), entry("a.wav", 3, title="A", artist="B"))),
        )
        songs = queue.songs()
    # They are numbered as the list has them.
    assert [(song.id, song.title, song.name) for song in songs] == [
        (1, "", "c"),
        (2, "", "d"),
        (3, "A", "A"),
    ]
    kept = songs[2]
    assert (kept.state, kept.project, kept.result, kept.tries) == ("waiting", "/out/a", {"files": ["x"]}, 0)


def test_what_failed_waits_again_without_its_cause():
    rows, _ = merged([], Playlist("l", (entry("a.wav"),)))
    rows[0].state, rows[0].cause, rows[0].exit_code = "failed", "no", 4
    again, _ = merged(rows, Playlist("l", (entry("a.wav"),)))
    assert (again[0].state, again[0].cause, again[0].exit_code) == ("waiting", "", 0)


def test_a_broken_entry_that_was_mended_is_a_song():
    rows, _ = merged([], Playlist("l", (), (Problem("l.m3u:1", "no", said="/songs/a.wav"),)))
    again, gone = merged(rows, Playlist("l", (entry("a.wav"),)))
    assert [(row.state, row.place) for row in again] == [("waiting", "/songs/a.wav")]
    assert [row.id for row in gone] == [1]


def test_a_project_that_is_there_is_kept_as_it_is(tmp_path):
    (tmp_path / "mine.v2").mkdir()
    (tmp_path / "mine.v2" / "cover.toml").touch()
    rows, _ = merged([], Playlist("l", (Entry(tmp_path / "mine.v2", "l"),)))
    assert (rows[0].kept, rows[0].project) == (True, str(tmp_path / "mine.v2"))


def test_ten_thousand_songs_are_merged_with_themselves():
    long = Playlist("l", tuple(entry(f"{number}.wav", number) for number in range(10_000)))
    rows, _ = merged([], long)
    again, gone = merged(rows, long)
    assert [row.id for row in again] == list(range(1, 10_001))
    assert not gone


def test_what_was_cancelled_stays_so():
    rows, _ = merged([], Playlist("l", (entry("a.wav"), entry("b.wav", 2))))
    rows[0].state, rows[0].cause = "cancelled", "cancelled"
    again, _ = merged(rows, Playlist("l", (entry("a.wav", title="A"), entry("b.wav", 2))))
    assert [(row.state, row.cause, row.title) for row in again] == [
        ("cancelled", "cancelled", "A"),
        ("waiting", "", ""),
    ]


def of(folder, *lines):
    """Read a list with a title and a voice for each song."""
    listed = "\n".join(["file,title,voice", *(f"{line},,anna" for line in lines)])
    (folder / "l.csv").write_text(listed)
    return read(folder / "l.csv")


def rendered(rows):
    for row in rows:
        row.state, row.project, row.result = "done", f"/out/{row.name}", {"files": [row.name]}
    return rows


@pytest.mark.parametrize("line", ["music/a b.wav", "music/a%20b.wav", "music"])
def test_a_song_whose_drive_is_gone_for_a_while_keeps_its_row(tmp_path, line):
    song = tmp_path / "music" / "a b.wav"
    song.parent.mkdir()
    song.touch()
    (tmp_path / "c.wav").touch()
    rows, _ = merged([], of(tmp_path, line, "c.wav"))
    before = [(row.id, row.identity) for row in rendered(rows)]
    (tmp_path / "music").rename(tmp_path / "elsewhere")
    rows, gone = merged(rows, of(tmp_path, line, "c.wav"))
    assert ([(row.id, row.identity) for row in rows], gone) == (before, [])
    lost, other = rows
    assert (lost.state, lost.exit_code, other.state) == ("failed", ExitCode.USAGE, "waiting")
    assert "there is no file" in lost.cause
    assert (lost.project, lost.result) == ("/out/a b", {"files": ["a b"]})
    (tmp_path / "elsewhere").rename(tmp_path / "music")
    rows, _ = merged(rows, of(tmp_path, line, "c.wav"))
    assert [(row.id, row.identity) for row in rows] == before
    assert [(row.state, row.cause, row.project) for row in rows] == [
        ("waiting", "", "/out/a b"),
        ("waiting", "", "/out/c"),
    ]


def test_a_folder_that_is_empty_for_a_while_keeps_its_songs(tmp_path):
    (tmp_path / "music").mkdir()
    for name in ("2.wav", "10.wav"):
        (tmp_path / "music" / name).touch()
    rows = rendered(merged([], of(tmp_path, "music"))[0])
    for name in ("2.wav", "10.wav"):
        (tmp_path / "music" / name).unlink()
    again, gone = merged(rows, of(tmp_path, "music", "music"))
    assert gone == []
    assert [(row.id, row.name, row.state, row.project) for row in again] == [
        (1, "2", "failed", "/out/2"),
        (2, "10", "failed", "/out/10"),
        (3, "music", "failed", ""),
    ]


def test_a_song_that_was_missing_from_the_start_is_the_same_when_it_comes(tmp_path):
    rows, _ = merged([], of(tmp_path, "late.wav"))
    assert [(row.name, row.state, row.wishes) for row in rows] == [("late", "failed", {"voice": "anna"})]
    (tmp_path / "late.wav").touch()
    rows, gone = merged(rows, of(tmp_path, "late.wav"))
    assert [(row.id, row.title, row.state) for row in rows] == [(1, "", "waiting")]
    assert gone == []


def test_a_project_that_is_missing_for_a_while_stays_kept(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cover.toml").touch()
    rows, _ = merged([], of(tmp_path, "mine/cover.toml"))
    (tmp_path / "mine").rename(tmp_path / "away")
    rows, _ = merged(rows, of(tmp_path, "mine/cover.toml"))
    assert [(row.state, row.kept, row.name, row.project) for row in rows] == [
        ("failed", True, "mine", str(tmp_path / "mine"))
    ]
    (tmp_path / "away").rename(tmp_path / "mine")
    rows, _ = merged(rows, of(tmp_path, "mine/cover.toml"))
    assert [(row.id, row.state, row.kept) for row in rows] == [(1, "waiting", True)]


@pytest.mark.parametrize("other", ["mine/cover.toml", "x/../mine", "link"])
def test_a_project_that_is_named_twice_is_rendered_once(tmp_path, other):
    (tmp_path / "mine").mkdir()
    (tmp_path / "x").mkdir()
    (tmp_path / "mine" / "cover.toml").touch()
    (tmp_path / "link").symlink_to("mine")
    for _ in range(2):
        rows, _ = merged([], of(tmp_path, "mine", other))
        assert [(row.state, row.cause) for row in rows] == [
            ("waiting", ""),
            ("failed", "the list names this project twice: l.csv:2"),
        ]
        assert [row.project for row in rows] == [str(tmp_path / "mine"), ""]


def test_ten_thousand_missing_songs_are_merged_with_themselves(tmp_path):
    long = of(tmp_path, *(f"{number}.wav" for number in range(10_000)))
    rows, _ = merged([], long)
    again, gone = merged(rows, long)
    assert [row.id for row in again] == list(range(1, 10_001))
    assert not gone


def test_another_list_in_the_same_folder_is_numbered_from_one_with_all_that_is_known(tmp_path):
    with Queue.made(tmp_path) as queue:
        gather(queue, Playlist("l", tuple(entry(f"{name}.wav") for name in "abc")))
        for number in (1, 2, 3):
            queue.put_try(Try(number, 1, 0.0, 1.0, "", "done", "", f"of {number}", 0))
            queue.put_step(StepTime(number, "mix", float(number), kept=False))
            queue.say(f"of {number}", song=number)
        queue.ask("retry", 3)
        at = queue.moved(most=100).at
        gather(queue, Playlist("l", (entry("c.wav"), entry("d.wav"), entry("b.wav"))))
        assert [(song.id, song.name) for song in queue.songs()] == [(1, "c"), (2, "d"), (3, "b")]
        assert [(one.song, one.cause) for one in queue.tries()] == [(1, "of 3"), (3, "of 2")]
        assert [(one.song, one.seconds) for one in queue.steps()] == [(1, 3.0), (3, 2.0)]
        assert [(line.song, line.words) for line in queue.lines()][1:] == [(3, "of 2"), (1, "of 3")]
        assert [(ask.what, ask.song) for ask in queue.asks()] == [("retry", 1)]
        gather(queue, Playlist("l", (entry("d.wav"),)))
        seen = queue.moved(at, most=100)
        assert ([(song.id, song.name) for song in seen.songs], sorted(seen.gone)) == ([(1, "d")], [2, 3])


@pytest.mark.parametrize("line", ["usb/*.wav", "usb/**/*.wav", "*/*.wav"])
def test_the_songs_of_a_pattern_stay_while_their_drive_is_gone(tmp_path, line):
    (tmp_path / "usb" / "live").mkdir(parents=True)
    for name in ("2.wav", "10.wav", "live.wav"):
        (tmp_path / "usb" / name).touch()
    (tmp_path / "c.flac").touch()
    before = rendered(merged([], of(tmp_path, line, "c.flac"))[0])
    known = [(row.id, row.identity) for row in before]
    (tmp_path / "usb").rename(tmp_path / "away.d")
    (tmp_path / "away.d").rename(tmp_path.parent / f"{tmp_path.name} away")
    rows, gone = merged(before, of(tmp_path, line, "c.flac"))
    assert ([(row.id, row.identity) for row in rows], gone) == (known, [])
    assert [(row.state, row.project) for row in rows] == [
        ("failed", "/out/2"),
        ("failed", "/out/10"),
        ("failed", "/out/live"),
        ("waiting", "/out/c"),
    ]
    assert rows[0].cause == f"no song matches {tmp_path}/{line}"
    (tmp_path.parent / f"{tmp_path.name} away").rename(tmp_path / "usb")
    rows, gone = merged(rows, of(tmp_path, line, "c.flac"))
    assert [(row.id, row.identity, row.state) for row in rows] == [(*one, "waiting") for one in known]


def test_a_pattern_that_is_gone_takes_no_songs_of_others(tmp_path):
    (tmp_path / "usb").mkdir()
    for name in ("a.wav", "b.flac"):
        (tmp_path / "usb" / name).touch()
    before = rendered(merged([], of(tmp_path, "usb/*.wav", "usb/b.flac"))[0])
    for name in ("a.wav", "b.flac"):
        (tmp_path / "usb" / name).unlink()
    rows, _ = merged(before, of(tmp_path, "usb/*.wav", "usb/b.flac"))
    assert [(row.name, row.cause.partition(tmp_path.name)[0]) for row in rows] == [
        ("a", f"no song matches {tmp_path.parent}/"),
        ("b", f"there is no file {tmp_path.parent}/"),
    ]
    rows, gone = merged(before, of(tmp_path, "usb/b.flac"))  # the line was taken out: they go
    assert ([row.name for row in rows], [row.name for row in gone]) == (["b"], ["a"])


@pytest.mark.parametrize(
    ("pattern", "place", "does"),
    [
        ("/m/*.wav", "/m/a.wav", True),
        ("/m/*.wav", "/m/b/a.wav", False),
        ("/m/**/*.wav", "/m/a.wav", True),
        ("/m/**/*.wav", "/m/x/y/a.wav", True),
        ("/m/**", "/m/x/y/a.wav", True),
        ("/m/./?.wav", "/m/a.wav", True),
        ("/m/*/cover.toml", "/m/song", True),
        ("/m/*", "/m/song", True),
        ("/m/*.wav", "/n/a.wav", False),
    ],
)
def test_what_a_pattern_would_match(pattern, place, does):
    assert fits(pattern, place) is does
