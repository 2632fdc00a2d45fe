"""The tables of a batch: readable at 80 columns, whole where no terminal reads them."""

import pytest
from rich.cells import cell_len

from covermaker.batch.options import Options
from covermaker.batch.plan import Plan, Planned
from covermaker.batch.queue import Queue
from covermaker.batch.rows import Song
from covermaker.batch.words import HEADER, fitted, table_rows
from covermaker.cli import batch_tables
from covermaker.cli.batch_tables import MOST_SONGS, plan_words, standing

LONG_CAUSE = (
    "the file /music/Blue Harbour (live at the harbour).flac cannot be read as audio: it ends too early"
)


def song(number=1, title="Blue Harbour", **columns):
    return Song(number, float(number), f"{number}#1", f"/songs/{number}.wav", title=title, **columns)


@pytest.fixture
def songs(tmp_path):
    figures = {"loudness_lufs": -14.04, "similarity": 0.834, "words_read": 0.97}
    folder = tmp_path / "out"
    short, long = (
        str(folder / name / "out" / f"{name}.wav") for name in ("harbour", "the night tram to paris")
    )
    return [
        song(1, state="done", spent_seconds=98.0, result={**figures, "files": [short]}),
        song(2, "夜の電車と長い長い長い長い長い題名", state="done", was_done=True, result={"files": [long]}),
        song(3, "x" * 300, state="failed", cause=LONG_CAUSE, hint="export it again"),
        song(4, "Night Tram", state="running", step="loudness", fraction=1.0),
        song(5, "\x1b[31mred\u202e", state="waiting", tries=1, cause="no memory"),
        song(6, "Slow River", state="cancelled", cause="cancelled at score: finished steps are kept"),
        song(10_000, "Last", state="cancelled", cause="cancelled"),
    ]


@pytest.fixture
def queue(tmp_path, songs):
    with Queue.made(tmp_path / "out") as made:
        made.put(songs)
        made.note(title="friday", options=Options().to_json())
        yield made


@pytest.fixture
def terminal(monkeypatch):
    def wide(width):
        monkeypatch.setattr(batch_tables, "terminal_width", lambda: width)

    return wide


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_table_fits_its_terminal(queue, terminal, width):
    terminal(width)
    text = standing(queue)
    assert max(map(cell_len, text.splitlines()[:-1])) <= width
    words = " ".join(text.split())
    assert LONG_CAUSE in words  # nowhere broken within a word
    assert "(export it again)" in words
    for told in ("-14.0", "0.83", "97%", "1:38", "was done", "interrupted", "try 2: no memory"):
        assert told in words
    assert "cancelled at score: finished steps are kept" in words
    assert "\x1b" not in text


def test_what_failed_is_told_below_over_the_whole_width(queue, terminal):
    terminal(80)
    lines = standing(queue).splitlines()
    at = next(index for index, line in enumerate(lines) if "xxx" in line)
    assert "…" in lines[at]
    assert lines[at].rstrip().endswith("failed")
    assert lines[at + 1].startswith("       the file /music/Blue Harbour (live at the harbour).flac")
    assert len(lines[at + 1]) > 60


def test_files_are_told_all_in_the_same_way(songs, tmp_path):
    rows = [HEADER, *table_rows(songs[:2], folder=tmp_path / "out")]
    narrow, wide = ([row[-1] for row in fitted(rows, width)[1:]] for width in (100, 160))
    assert wide == ["harbour/out/harbour.wav", "the night tram to paris/out/the night tram to paris.wav"]
    assert narrow == ["harbour.wav", "the night tram to paris.wav"]


def test_columns_in_which_nothing_stands_take_no_room(songs, tmp_path):
    quick = song(1, "Blue Harbour", state="done", spent_seconds=9.0, result={"loudness_lufs": -14.0})
    for one, names in (
        ([quick], ("#", "song", "state", "time", "LUFS")),
        (songs[5:], ("#", "song", "state")),
        (songs[:1], HEADER),
    ):
        rows = fitted([HEADER, *table_rows(one, folder=tmp_path)], 80)
        assert rows[0] == names
        assert all(len(row) == len(names) for row in rows)


def test_columns_stand_below_their_heads_whatever_the_letters(queue, terminal):
    terminal(80)
    lines = standing(queue).splitlines()
    place = lines[0].index("state")
    row = next(line for line in lines if "was done" in line)
    assert cell_len(row[: row.index("was done")]) == place


def test_nothing_is_cut_where_no_terminal_reads(queue, terminal):
    terminal(None)
    lines = standing(queue).splitlines()
    assert lines[0].split("  ")[-1] == "file, or why not"
    row = next(line for line in lines if "x" * 300 in line)
    assert row.endswith(f"{LONG_CAUSE} (export it again)")
    assert len([line for line in lines if line.startswith(("1 ", "3 ", "6 "))]) == 3


def test_no_songs_have_no_rows(tmp_path):
    with Queue.made(tmp_path / "none") as made:
        assert standing(made) == "0 of 0 done"


@pytest.fixture
def many(tmp_path):
    with Queue.made(tmp_path / "many") as made:
        made.put(
            song(number, f"Song {number}", state="failed" if number % 20 == 0 else "done", cause="no luck")
            for number in range(1, MOST_SONGS + 31)
        )
        made.change(7, state="waiting")
        made.note(title="many", options=Options().to_json())
        yield made


def test_of_many_songs_those_that_failed_are_listed_and_it_is_said_how_to_see_all(many):
    text = standing(many)
    assert "Song 20 " in text
    assert "Song 21 " not in text
    assert "75 of 80 done, 4 failed, 1 waiting" in text
    assert text.splitlines()[-1] == (
        f"76 more are not listed; all of them: covermaker batch status --all {many.folder}"
    )
    assert standing(many, which="all").count("Song ") == 80
    failed = standing(many, which="failed")
    assert (failed.count("Song "), "not listed" in failed) == (4, False)


def test_few_songs_are_all_listed_and_only_those_that_failed_where_that_is_asked(queue):
    assert "not listed" not in standing(queue)
    assert [line.split()[0] for line in standing(queue, which="failed").splitlines()[2:3]] == ["3"]
    assert "Night Tram" not in standing(queue, which="failed")


def test_an_album_says_how_loud_it_came_out(tmp_path):
    bins = {str((70 - 20) * 20): 100}  # all of it at -20 LUFS

    def mastered(number, lufs):
        gauge = {"lufs": -20.0, "bins": bins}
        return song(number, state="done", result={"loudness_lufs": lufs, "gauge": gauge})

    with Queue.made(tmp_path / "album") as made:
        made.put([mastered(1, -14.0), mastered(2, -14.0), song(3, state="failed")])
        made.note(options=Options(album=True, album_lufs=-14.0).to_json())
        assert "\nalbum: -14.0 LUFS all together, asked for -14\n" in f"{standing(made)}\n"
        made.change(1, result={"loudness_lufs": -17.0, "gauge": {"lufs": -20.0, "bins": bins}})
        # A limiter took 3 dB of one: the mean of the powers is 1.2 dB below.
        assert "album: -15.2 LUFS all together" in standing(made)
        made.note(options=Options().to_json())
        assert "album" not in standing(made)


def test_a_run_that_made_nothing_tells_no_time(tmp_path):
    with Queue.made(tmp_path / "out") as made:
        made.put([song(1, state="done", was_done=True), song(2, state="done")])
        made.note(options=Options().to_json(), began=100.0, ended=160.0)
        assert "2 of 2 done in 1:00; 1 was done already" in standing(made)
        made.change(2, was_done=True)
        assert "2 of 2 done; 2 were done already" in standing(made)


PLAN = Plan(
    "friday",
    (
        Planned(1, "Blue Harbour " * 9, "friday.csv:2", "new", 200.0, 50.0),
        Planned(2, "gone", "friday.csv:3", "failed", cause=LONG_CAUSE, hint="export it again"),
        Planned(3, "Night Tram", "friday.csv:4", "done", 180.0),
        Planned(4, "Slow River", "friday.csv:5", "cancelled", cause="cancelled"),
    ),
    workers=2,
    seconds=50.0,
    memory_bytes=3_100_000_000,
    looked_into=1,
    notes=("friday.csv:1: the column 'bpm' is not read (did you mean 'voice'?)", "preset: rock, now natural"),
)


@pytest.mark.parametrize("width", [80, 120])
def test_a_plan_fits_its_terminal(terminal, width):
    terminal(width)
    lines = plan_words(PLAN).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert lines[0].split() == ["#", "song", "length", "would", "be", "takes"]
    assert "…" in lines[2]
    assert f"friday.csv:3: {LONG_CAUSE} (export it again)" in " ".join(" ".join(lines).split())
    assert not any(line.startswith("   cancelled") for line in lines)
    assert lines[-4:] == [
        "note: friday.csv:1: the column 'bpm' is not read (did you mean 'voice'?)",
        "note: preset: rock, now natural",
        "1 done already, 1 to do, 1 cannot be done, 1 cancelled",
        "about 0:50 with 2 at once, 3.1 GB of memory",
    ]


def test_a_plan_is_whole_where_no_terminal_reads(terminal):
    terminal(None)
    lines = plan_words(PLAN).splitlines()
    assert lines[0].endswith("problem")
    assert "Blue Harbour " * 8 in lines[2]
    assert lines[3].endswith(f"friday.csv:3: {LONG_CAUSE} (export it again)")
