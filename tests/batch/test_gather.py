"""A list read again: songs keep what became of them, those that left go, those that came wait."""

from pathlib import Path

from covermaker.batch.entries import Entry, Playlist, Problem
from covermaker.batch.gather import gather, merged
from covermaker.batch.queue import Queue
from covermaker.errors import ExitCode


def entry(name, line=1, **more):
    return Entry(Path("/songs") / name, f"l.m3u:{line}", **more)


def test_songs_and_broken_entries_stand_in_the_order_of_the_list():
    entries = (entry("a.wav", 1), entry("c.wav", 12, title="Sea"))
    problems = (Problem("l.m3u:3", "there is no such file", "look", said="b.wav", after=1),)
    rows, gone = merged([], Playlist("l", entries, problems))
    assert [(row.title, row.state) for row in rows] == [
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
    assert [(song.id, song.title) for song in songs] == [(3, "c"), (4, "d"), (1, "A")]
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
