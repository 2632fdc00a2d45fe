"""A batch in words and in the table of a terminal."""

import pytest
from rich.cells import cell_len

from covermaker.batch.rows import Song
from covermaker.batch.words import HEADER, state_words, summary_words, table_rows
from covermaker.cli.output import table

NOW = 1000.0


def song(number=1, title="Blue Harbour", **columns):
    return Song(number, float(number), f"{number}#1", f"/songs/{number}.wav", title=title, **columns)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"state": "waiting"}, "waits"),
        ({"state": "waiting", "tries": 1, "not_before": NOW + 8}, "waits, try 2 in 0:08"),
        ({"state": "waiting", "tries": 1, "not_before": NOW - 8}, "waits, try 2"),
        ({"state": "running"}, "begins"),
        ({"state": "running", "step": "convert", "fraction": 0.625}, "convert 62 %"),
        ({"state": "running", "step": "rack: vocals", "fraction": 0.999}, "rack: vocals 99 %"),
        ({"state": "done"}, "done"),
        ({"state": "done", "was_done": True}, "was done already"),
        ({"state": "failed", "cause": "the disk\nis full"}, "failed: the disk\ufffdis full"),
        ({"state": "cancelled", "cause": "cancelled"}, "cancelled"),
    ],
)
def test_how_it_stands_with_a_song(columns, words):
    assert state_words(song(**columns), NOW) == words


@pytest.mark.parametrize(
    ("counts", "more", "words"),
    [
        ({"done": 15, "failed": 5}, {"was_done": 3}, "15 of 20 done, 5 failed; 3 were done already"),
        ({"done": 1}, {"was_done": 1}, "1 of 1 done; 1 was done already"),
        ({"done": 15, "failed": 5}, {"seconds": 250.0}, "15 of 20 done in 4:10, 5 failed"),
        ({"waiting": 2, "running": 1, "cancelled": 1}, {}, "0 of 4 done, 1 cancelled, 1 running, 2 waiting"),
        ({}, {}, "0 of 0 done"),
    ],
)
def test_how_it_stands_with_all(counts, more, words):
    assert summary_words(counts, **more) == words


@pytest.fixture
def songs(tmp_path):
    figures = {"loudness_lufs": -14.04, "similarity": 0.834, "words_read": 0.97}
    file = str(tmp_path / "blue-harbour" / "out" / "Blue Harbour.wav")
    return [
        song(1, state="done", spent_seconds=98.0, result={**figures, "files": [file]}),
        song(2, "夜の電車と長い長い長い長い長い題名", state="done", was_done=True, result={"files": [file]}),
        song(
            3,
            "x" * 300,
            state="failed",
            cause="cannot write the file: the disk is full",
            hint="free some space",
        ),
        song(4, "Night Tram", state="running", step="loudness", fraction=1.0),
        song(5, "\x1b[31mred\u202e", state="waiting", tries=1, not_before=NOW + 8, cause="no memory"),
        song(10_000, "Last", state="cancelled"),
    ]


def printed(songs, width, folder):
    return table(table_rows(songs, width, folder=folder, now=NOW), header=HEADER, width=width).splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_table_fits_its_terminal(songs, tmp_path, width):
    lines = printed(songs, width, tmp_path)
    assert max(map(cell_len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for told in (
        "cannot",
        "disk",
        "full",
        "space)",
        "-14.0",
        "0.83",
        "97%",
        "1:38",
        "was done",
        "loudness 100 %",
    ):
        assert told in text
    assert "\x1b" not in text


def test_columns_stand_below_their_heads_whatever_the_letters(songs, tmp_path):
    lines = printed(songs, 80, tmp_path)
    place = lines[0].index("state")
    row = next(line for line in lines if "was done" in line)
    assert cell_len(row[: row.index("was done")]) == place


def test_long_titles_are_cut_and_wide_terminals_show_more(songs, tmp_path):
    narrow, wide = (printed(songs, width, tmp_path)[2] for width in (80, 140))
    assert wide.endswith("blue-harbour/out/Blue Harbour.wav")
    assert narrow.endswith("Blue Harbour.wav")
    assert "blue-harbour/" not in narrow
    assert "…" in next(line for line in printed(songs, 80, tmp_path) if "xxx" in line)


def test_nothing_is_cut_where_no_terminal_reads(songs, tmp_path):
    rows = table_rows(songs, folder=tmp_path, now=NOW)
    assert rows[2][1] == "x" * 300
    assert rows[2][-1] == "cannot write the file: the disk is full (free some space)"
    assert rows[4][-1] == "try 2 in 0:08: no memory"
    assert all(len(row) == len(HEADER) for row in rows)


def test_no_songs_have_no_rows():
    assert table_rows([], 80) == []
