"""PLS: numbered keys in any order."""

from __future__ import annotations

from covermaker.batch.entries import Entry, Problem
from covermaker.batch.playlist import read

TEXT = """\
[playlist]
Title2=Anna - Dreams
File2=more\\Träume.ogg
Length2=-1
file10 = one.flac
FILE1=one.flac
Length1=12
Title1=Blue Harbor
NumberOfEntries=3
Version=2
"""


def test_songs_come_in_the_order_of_their_numbers(shelf, put):
    for encoding in ("utf-8-sig", "latin-1"):
        playlist = read(put("list.pls", TEXT.replace("\n", "\r\n"), encoding=encoding))
        assert playlist.entries == (
            Entry(shelf / "one.flac", "list.pls:6", "Blue Harbor", seconds=12.0),
            Entry(shelf / "more/Träume.ogg", "list.pls:3", "Dreams", "Anna"),
            Entry(shelf / "one.flac", "list.pls:5"),
        )
        assert playlist.problems == ()


def test_a_title_without_a_file_and_a_number_twice(put):
    playlist = read(put("list.pls", "[playlist]\nTitle1=Lost\nFile2=one.flac\nFile2=two.mp3\n"))
    assert [entry.place.name for entry in playlist.entries] == ["one.flac"]
    assert playlist.problems == (
        Problem("list.pls:4", "there is a File2 already", "give each song its own number", "two.mp3"),
        Problem("list.pls:2", "File1 is missing", "add File1=, or take the line out", "Lost"),
    )
