"""No bytes make a reader crash: a list is read, or refused in one line."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covermaker.batch.playlist import read
from covermaker.batch.playlist.gathering import READERS
from covermaker.errors import ProjectError, UsageError

PIECES = {
    ".m3u": ["#EXTINF:", "1,", "a - b", "#PLAYLIST:", "#EXTART:", "\r", '"', "file://nas", "file:///C|/", "%ff", "%00"],
    ".pls": ["[playlist]", "File1=", "Title1=", "Length", "99999999999999=", "=", "0"],
    ".xspf": ["<playlist>", "<trackList>", "<track>", "<location>", "</location>", "</track>", "</trackList>",
              "</playlist>", "&amp;", "&#0;", "<!DOCTYPE x [", "]>", "<![CDATA[", "]]>", '<?xml version="1.0"?>',
              "<playlist><trackList><track><location>"],
    ".jspf": ['{"playlist":', '{"track":', "[", "]", "}", '{"location":', '"\\ud800"', "null", "1e999", ",", "NaN"],
    ".csv": ["file,", "title", ";", ",", '"', "\n", "transpose,", "loudness", "-14", "1e999", "\r", "\v"],
    ".tsv": ["file\t", "title\t", "\t", '"', "\n"],
    ".toml": ["[[songs]]\n", "file = ", "'x'\n", "songs = ", "{", "}", "[", "]", "1e999", "nan", "1979-05-27",
              '"""', "'''", "\\", "title = ", "transpose = ", "\n"],
}  # fmt: skip
PIECES[".m3u8"] = PIECES[".m3u"]


# Nothing that leads out of the test's folder: a line that says / would be the whole disk.
LETTERS = st.characters(exclude_characters="/~.")
TEXT = st.text(LETTERS, max_size=5)


def lists(suffix):
    words = st.lists(st.one_of(st.sampled_from([*PIECES[suffix], "\n", "*", "?", "["]), TEXT))
    text = words.map("".join)
    encoded = st.builds(
        lambda text, encoding: text.encode(encoding, "replace"),
        text,
        st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-32"]),
    )
    return st.one_of(st.binary(max_size=200).map(lambda data: data.translate(None, b"/~.")), encoded)


@pytest.mark.parametrize("suffix", sorted(READERS))
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_no_bytes_crash_a_reader(tmp_path_factory, suffix, data):
    folder = tmp_path_factory.getbasetemp() / "bytes"
    folder.mkdir(exist_ok=True)
    file = folder / f"list{suffix}"
    file.write_bytes(data.draw(lists(suffix)))
    try:
        playlist = read(file)
    except (UsageError, ProjectError):
        return  # one line, as of every error of ours
    for problem in playlist.problems:
        assert problem.message
        assert "\n" not in problem.message
        json.dumps([problem.origin, problem.message, problem.hint, problem.said]).encode()
    for entry in playlist.entries:
        assert entry.place.is_absolute()
        assert entry.place.exists()


@settings(deadline=None, max_examples=200)
@given(text=st.text(LETTERS))
def test_no_text_crashes_the_question_for_a_place(tmp_path_factory, text):
    with pytest.raises(UsageError):
        read(tmp_path_factory.getbasetemp() / "nowhere" / f"x{text}")


def long_list(folder, names):
    file = folder / "long.m3u8"
    file.write_text("".join(f"#EXTINF:1,Anna - Dreams\n{name}\n" for name in names), encoding="utf-8")
    return file


@pytest.fixture
def looks(monkeypatch):
    """How often the disk was asked about which place."""
    asked: Counter[str] = Counter()
    stat, listdir = os.stat, os.listdir

    def count(path, *args, **options):
        asked[str(path)] += 1
        return stat(path, *args, **options)

    monkeypatch.setattr(os, "stat", count)
    monkeypatch.setattr(os, "listdir", lambda place=".": asked.update([f"{place}/*"]) or listdir(place))
    return asked


def test_ten_thousand_songs_cost_one_look_each_and_little_memory(tmp_path, looks):
    songs = [f"{number:02d} Träume.flac" for number in range(100)]
    for song in songs:
        (tmp_path / song).touch()
    file = long_list(tmp_path, songs * 100)
    read(file)  # loads what is loaded late
    looks.clear()
    tracemalloc.start()
    try:
        playlist = read(file)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [entry.place.name for entry in playlist.entries] == songs * 100
    assert {looks[str(tmp_path / song)] for song in songs} == {100}
    assert peak_bytes < 20e6


def test_ten_thousand_missing_songs_cost_one_look_each(tmp_path, looks):
    songs = [f"{number:05d} gone.flac" for number in range(10_000)]
    playlist = read(long_list(tmp_path, songs))
    assert playlist.entries == ()
    assert [problem.origin for problem in playlist.problems] == [
        f"long.m3u8:{2 * n}" for n in range(1, 10_001)
    ]
    assert {looks[str(tmp_path / song)] for song in songs} == {1}
    assert looks[f"{tmp_path}/*"] == 1
