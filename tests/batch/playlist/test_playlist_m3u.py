"""M3U as players of thirty years have written it."""

from __future__ import annotations

import pytest

from covermaker.batch.entries import Entry
from covermaker.batch.playlist import read

PLAIN = "one.flac\nmore/Träume.ogg\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("suffix", [".m3u", ".m3u8", ".M3U"])
def test_encodings_marks_and_line_ends(shelf, put, suffix, encoding, ending):
    playlist = read(put(f"list{suffix}", PLAIN.replace("\n", ending), encoding=encoding))
    assert [entry.place for entry in playlist.entries] == [shelf / "one.flac", shelf / "more/Träume.ogg"]
    assert [entry.origin for entry in playlist.entries] == [f"list{suffix}:1", f"list{suffix}:2"]
    assert playlist.problems == ()


def test_what_windows_wrote(shelf, put):
    name = "Don\N{RIGHT SINGLE QUOTATION MARK}t.mp3"
    (shelf / name).touch()
    assert read(put("list.m3u", name, encoding="cp1252")).entries[0].place == shelf / name


def test_one_line_in_another_encoding_spoils_no_other(shelf, put):
    lines = [b"more/Tr\xe4ume.ogg", "more/Träume.ogg".encode()]
    assert [one.place.name for one in read(put("l.m3u", b"\n".join(lines))).entries] == ["Träume.ogg"] * 2


def test_what_is_said_of_a_song_is_said_of_that_song_alone(shelf, put):
    text = """\
#EXTM3U
#PLAYLIST: Friday  night
#EXTINF:215,The Harbour Lights - Blue Harbor
# a remark
one.flac

#EXTINF:-1 tvg-id="a,b" logo="x",Only a title
two.mp3
more/a b.wav
#EXTART:Anna
#EXTINF:12.5,Dreams - and more - of it
more/Träume.ogg
"""
    playlist = read(put("friday.m3u8", text))
    assert playlist.title == "Friday night"
    assert playlist.entries == (
        Entry(shelf / "one.flac", "friday.m3u8:5", "Blue Harbor", "The Harbour Lights", 215.0),
        Entry(shelf / "two.mp3", "friday.m3u8:8", "Only a title"),
        Entry(shelf / "more/a b.wav", "friday.m3u8:9"),
        Entry(shelf / "more/Träume.ogg", "friday.m3u8:12", "and more - of it", "Dreams", 12.5),
    )


@pytest.mark.parametrize(
    "info", ["#EXTINF", "#EXTINF:", "#EXTINF:x,", '#EXTINF:1 a="b', "#EXTINF:nan,", "#EXTINF:0,"]
)
def test_information_that_says_nothing(put, info):
    (entry,) = read(put("list.m3u", f"{info}\none.flac\n")).entries
    assert (entry.title, entry.artist, entry.seconds) == ("", "", None)


def test_the_list_is_called_like_its_file_where_it_does_not_say(put):
    assert read(put("friday.m3u", "one.flac")).title == "friday"


def test_paths(shelf, put, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("else where") / "50% #1.flac"
    elsewhere.touch()
    address = elsewhere.as_uri()
    assert "%20" in address
    wanted = {
        str(elsewhere): elsewhere,
        address: elsewhere,
        address.replace("file://", "file://localhost"): elsewhere,
        address.replace("file://", "file:"): elsewhere,
        address.replace("file", "FILE"): elsewhere,
        "./more/../one.flac": shelf / "one.flac",
        "../more/a b.wav": shelf / "more/a b.wav",
        "../more/a%20b.wav": shelf / "more/a b.wav",
        "..\\more\\a b.wav": shelf / "more/a b.wav",
        "..\\more\\a%20b.wav": shelf / "more/a b.wav",
        (shelf / "more").as_uri() + "/Tr%C3%A4ume.ogg": shelf / "more/Träume.ogg",
        (shelf / "more").as_uri() + "/Tr%E4ume.ogg": shelf / "more/Träume.ogg",
        "../more/Tra\u0308ume.ogg": shelf / "more/Träume.ogg",
        "  ../one.flac  ": shelf / "one.flac",
    }
    playlist = read(put("lists/all.m3u8", "\n".join(["#EXTM3U", *wanted]).replace("./more/..", "../more/..")))
    assert playlist.problems == ()
    for entry, place in zip(playlist.entries, wanted.values(), strict=True):
        assert entry.place.is_absolute()
        assert entry.place.samefile(place)


def test_a_song_that_is_called_like_an_escape_or_a_windows_path_is_found_first(shelf, put):
    for name in ("a%20b.wav", "a b.wav", "x\\y.wav", "x/y.wav"):
        (shelf / name).parent.mkdir(exist_ok=True)
        (shelf / name).touch()
    found = read(put("list.m3u", "a%20b.wav\nx\\y.wav")).entries
    assert [entry.place for entry in found] == [shelf / "a%20b.wav", shelf / "x\\y.wav"]


def test_home(shelf, put, monkeypatch):
    monkeypatch.setenv("HOME", str(shelf))
    assert read(put("list.m3u", "~/one.flac")).entries[0].place == shelf / "one.flac"


def test_the_same_song_twice_is_two_entries(put):
    assert [one.origin for one in read(put("l.m3u", "one.flac\none.flac")).entries] == ["l.m3u:1", "l.m3u:2"]


@pytest.mark.parametrize("length", ["9" * 308, "9" * 400, "86401", "inf"])
def test_a_length_that_no_song_has_is_not_taken(shelf, put, length):
    (entry,) = read(put("l.m3u", f"#EXTINF:{length},A - B\none.flac\n")).entries
    assert entry.seconds is None
    assert read(put("l.m3u", "#EXTINF:86400,A - B\none.flac\n")).entries[0].seconds == 86_400.0
