"""Lists that people write by hand."""

from __future__ import annotations

import pytest

from covermaker.batch.entries import Entry, Problem
from covermaker.batch.playlist import read
from covermaker.errors import ProjectError, UsageError

TEXT = """\
title = "Friday"

[[songs]]
file = "one.flac"
title = "Blue  Harbor"
voice = "anna"
transpose = -2
loudness_lufs = -14

# not with this one
[[songs]]
file = "more/Träume.ogg"
transpose = "auto"
preset = ""

[[songs]]
file = "kept"
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_songs(shelf, put, encoding, ending):
    playlist = read(put("friday.toml", TEXT.replace("\n", ending), encoding=encoding))
    assert playlist.title == "Friday"
    wishes = {"voice": "anna", "transpose": "-2", "loudness_lufs": -14.0}
    assert playlist.entries == (
        Entry(shelf / "one.flac", "friday.toml:3", "Blue Harbor", wishes=wishes),
        Entry(shelf / "more/Träume.ogg", "friday.toml:11", wishes={"transpose": "auto"}),
        Entry(shelf / "kept", "friday.toml:16"),
    )
    assert playlist.problems == ()


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ('voise = "anna"', "unknown key 'voise'", "did you mean 'voice'?"),
        (
            "transpose = 99",
            "transpose = 99: must be less than or equal to 36 or must be 'auto', 'fit' or 'off'",
            None,
        ),
        (
            'transpose = "2"',
            "transpose = '2': a whole number is expected or must be 'auto', 'fit' or 'off'",
            None,
        ),
        ("loudness_lufs = 50.0", "loudness_lufs = 50.0: must be less than or equal to -5", None),
        ("loudness_lufs = inf", "loudness_lufs = inf: a finite number is expected", None),
        ("voice = 3", "voice = 3: text is expected", None),
        ("voice = [1]", "voice: text is expected", None),
    ],
)
def test_what_is_wrong_with_a_song_breaks_that_song_alone(put, line, message, hint):
    text = f'[[songs]]\nfile = "one.flac"\n{line}\n[[songs]]\nfile = "two.mp3"\n'
    playlist = read(put("l.toml", text))
    assert [entry.place.name for entry in playlist.entries] == ["two.mp3"]
    assert playlist.problems == (Problem("l.toml:3", message, hint, "one.flac"),)


@pytest.mark.parametrize("song", ['title = "Lost"', 'title = "Lost"\nfile = ""'])
def test_a_song_without_a_file(put, song):
    playlist = read(put("l.toml", f'[[songs]]\n{song}\n[[songs]]\nfile = "two.mp3"\n'))
    (problem,) = playlist.problems
    assert problem.origin in ("l.toml:1", "l.toml:3")
    assert (problem.message, problem.hint) == (
        "'file' is missing",
        "name the song's file, or take the line out",
    )
    assert problem.said == "Lost"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[[song]]\nfile = 'one.flac'", "l.toml: unknown key 'song'", "did you mean 'songs'?"),
        ("voice = 'anna'\n[[songs]]\nfile = 'one.flac'", "l.toml:1: unknown key 'voice'", "known: songs, title"),
        ("title = 'x'", "l.toml: 'songs' is missing",
         "begin each song with [[songs]] and a line as in: file = 'song.flac'"),
        ("songs = 3", "l.toml:1: songs = 3: a list is expected",
         "begin each song with [[songs]] and a line as in: file = 'song.flac'"),
        ("songs = [\n{file = 'one.flac'},\n'two.mp3']", "l.toml:3: songs[1] = 'two.mp3': a table is expected", None),
        ("title = 1\nsongs = [{file = 'one.flac'}]", "l.toml:1: title = 1: text is expected", None),
        ("[[songs]", "l.toml is no TOML: Expected ']]' at the end of an array declaration (at line 1, column 8)",
         None),
        (b"\xff", "l.toml is no TOML: it is not UTF-8 text", "save it as UTF-8"),
        ("a = " + "[" * 9999, "l.toml is no TOML that anybody wrote: it is nested too deep", None),
    ],
)  # fmt: skip
def test_a_document_that_is_no_list(put, text, message, hint):
    with pytest.raises(ProjectError) as caught:
        read(put("l.toml", text))
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_no_songs(put):
    with pytest.raises(UsageError, match="there is no song in"):
        read(put("l.toml", "songs = []"))


def test_a_value_that_is_nested_deeper_than_lines_can_be_told(put):
    depth = 400
    (problem,) = read(put("l.toml", f"[[songs]]\nfile = 'x'\nvoice = {'[' * depth}{']' * depth}")).problems
    assert problem.message == "voice: text is expected"
    assert problem.origin.startswith("l.toml")
