"""CSV and TSV as spreadsheets export them."""

from __future__ import annotations

import pytest

from covermaker.batch.entries import COLUMNS, Entry, Problem, Remark
from covermaker.batch.playlist import read
from covermaker.errors import ProjectError, UsageError

ROWS = [
    ["File", "title", "Artist", "voice", "transpose", "preset", "master", "Loudness", "separator", "pitch"],
    ["one.flac", "Blue, Harbor", "The; Lights", "anna", "-2", "warm", "loud", "-14", "demucs", "rmvpe"],
    ["more/Träume.ogg", "", "", "", "fit", "", "", "", "", ""],
]
WISHES = {
    "voice": "anna", "transpose": "-2", "preset": "warm", "master": "loud", "loudness_lufs": -14.0,
    "separator": "demucs", "pitch": "rmvpe",
}  # fmt: skip


def quoted(sign: str) -> str:
    return "\n".join(sign.join(f'"{cell}"' if cell else cell for cell in row) for row in ROWS) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize(("name", "sign"), [("l.csv", ","), ("l.csv", ";"), ("l.csv", "\t"), ("l.tsv", "\t")])
def test_delimiters_and_encodings(shelf, put, name, sign, encoding):
    for ending in ("\n", "\r\n", "\r"):
        playlist = read(put(name, quoted(sign).replace("\n", ending), encoding=encoding))
        assert playlist.problems == ()
        assert playlist.entries == (
            Entry(shelf / "one.flac", f"{name}:2", "Blue, Harbor", "The; Lights", wishes=WISHES),
            Entry(shelf / "more/Träume.ogg", f"{name}:3", wishes={"transpose": "fit"}),
        )


def test_every_column_that_there_is_can_be_said():
    assert {*COLUMNS} == {"title", "artist", *WISHES}
    assert {name: type(value) for name, value in WISHES.items()} == {name: COLUMNS[name] for name in WISHES}


@pytest.mark.parametrize("name", ["path", "Location", "FILENAME", " file "])
def test_other_names_of_the_file(put, name):
    assert len(read(put("l.csv", f"{name},title\none.flac,x\n")).entries) == 1


@pytest.mark.parametrize(
    ("header", "value", "wish"),
    [
        ("loudness_lufs", "-14.5", -14.5),
        ("Loudness LUFS", '"-14,5"', -14.5),
        ("lufs", "\N{MINUS SIGN}14", -14.0),
        ("transpose", "+2", "2"),
        ("transpose", "auto", "auto"),
        ("transpose", " off ", "off"),
        ("voice", "007", "007"),
        ("preset", "1e3", "1e3"),
    ],
)
def test_how_values_may_be_written(put, header, value, wish):
    (entry,) = read(put("l.csv", f"file,{header}\none.flac,{value}\n")).entries
    assert list(entry.wishes.values()) == [wish]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("transpose", "abc",
         "transpose = 'abc': a whole number is expected or must be 'auto', 'fit' or 'off'"),
        ("transpose", "2.5", "transpose = 2.5: a whole number is expected or must be 'auto', 'fit' or 'off'"),
        ("transpose", "99", "transpose = 99: must be less than or equal to 36 or must be 'auto', 'fit' or 'off'"),
        ("loudness", "50", "loudness_lufs = 50: must be less than or equal to -5"),
        ("loudness", "-100", "loudness_lufs = -100: must be greater than or equal to -40"),
        ("loudness", "loud", "loudness_lufs = 'loud': a number is expected"),
        ("loudness", "off", "loudness_lufs = 'off': a number is expected"),
        ("loudness", "nan", "loudness_lufs = nan: a finite number is expected"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_read_break_their_row_alone(put, column, value, message):
    playlist = read(put("l.csv", f"file,title,{column}\none.flac,Bad,{value}\ntwo.mp3,Good,\n"))
    assert [entry.title for entry in playlist.entries] == ["Good"]
    assert playlist.problems == (Problem("l.csv:2", message, None, "Bad"),)


def test_columns_that_are_not_known_are_told_once(put):
    playlist = read(put("l.csv", "file,voise,Notes,,path\none.flac,anna,x,,two.mp3\ntwo.mp3,,,\n"))
    assert [(entry.place.name, entry.wishes) for entry in playlist.entries] == [
        ("one.flac", {}),
        ("two.mp3", {}),
    ]
    known = "known: artist, file, loudness_lufs, master, pitch, preset, separator, title, transpose, voice"
    assert playlist.remarks == (
        Remark("l.csv:1", "the column 'voise' is not read", "did you mean 'voice'?"),
        Remark("l.csv:1", "the column 'Notes' is not read", known),
        Remark("l.csv:1", "'file' has two columns", "take one out, the first is read"),
    )
    assert playlist.problems == ()  # no song fails of it
    assert str(playlist.remarks[0]) == "l.csv:1: the column 'voise' is not read (did you mean 'voice'?)"


def test_rows_of_another_length(put):
    text = "file,title\none.flac\n\n,\n,Lost\ntwo.mp3,Seven, eight\ntwo.mp3,Nine,,\n"
    playlist = read(put("l.csv", text))
    assert [(entry.origin, entry.title) for entry in playlist.entries] == [
        ("l.csv:2", ""),
        ("l.csv:7", "Nine"),
    ]
    assert playlist.problems == (
        Problem("l.csv:5", "'file' is missing", "name the song's file, or take the line out", "Lost"),
        Problem("l.csv:6", "this row has 3 cells, the header 2",
                "put a cell that holds a comma into quotation marks", "two.mp3"),
    )  # fmt: skip
    assert [problem.after for problem in playlist.problems] == [1, 1]


def test_cells_of_several_lines(put):
    playlist = read(put("l.csv", '\n\nfile,title\n"one.flac","Blue\nHarbor"\ntwo.mp3,"7"" mix"\n'))
    wanted = [("l.csv:4", "Blue Harbor"), ("l.csv:6", '7" mix')]
    assert [(entry.origin, entry.title) for entry in playlist.entries] == wanted


@pytest.mark.parametrize("row", ['one.flac,"never closed', 'one.flac,"closed" too early'])
@pytest.mark.parametrize("others", [1, 200])
def test_a_forgotten_quotation_mark_breaks_its_row_alone(put, row, others):
    playlist = read(put("l.csv", f"file,title\n{row}\n" + "two.mp3,x\n" * others))
    assert [entry.origin for entry in playlist.entries] == [
        f"l.csv:{number}" for number in range(3, 3 + others)
    ]
    (problem,) = playlist.problems
    assert problem.origin == "l.csv:2"
    assert problem.message.startswith("the quotation marks of this row are wrong: ")
    assert problem.hint == 'a cell with quotation marks in it is written as "7"" mix"'
    assert problem.said == row


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("l.csv", "fiel,voice\none.flac,anna\n", "call 'fiel' file"),
        ("l.csv", "one,two\n", "the first row names the columns: file, title, artist, voice, transpose, preset, master,"
                               " loudness_lufs, separator, pitch"),
        ("l.tsv", "file,voice\none.flac,anna\n", "the first row names the columns: file"),
    ],
)  # fmt: skip
def test_without_a_column_of_files_there_is_no_list(put, name, text, hint):
    with pytest.raises(ProjectError) as caught:
        read(put(name, text))
    assert caught.value.message == f"{name}:1: there is no column 'file'"
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("text", ["", "\n\n", "file,voice\n", ",,,\n", "x" * 200_000])
def test_no_rows(put, text):
    with pytest.raises(UsageError, match=r"there is no song in .*l\.csv"):
        read(put("l.csv", text))
