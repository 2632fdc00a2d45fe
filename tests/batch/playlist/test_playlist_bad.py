"""Broken entries: told with place, cause and next step, and no harm to the others."""

from __future__ import annotations

import os

import pytest

from covermaker.batch.entries import Problem
from covermaker.batch.playlist import read
from covermaker.errors import ProjectError

DOWNLOAD = "save the song as a file and name that"
WINDOWS = "write it relative to the list, or as this machine has it"
CORRECT = "correct the path, or take the line out"


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("on.flac", "there is no file {root}/on.flac", "did you mean 'one.flac'?"),
        ("xyz.wav", "there is no file {root}/xyz.wav", CORRECT),
        ("gone/one.flac", "there is no file {root}/gone/one.flac", "there is no folder {root}/gone either"),
        ("one.flac/x.wav", "there is no file {root}/one.flac/x.wav", "there is no folder {root}/one.flac either"),
        ("b.wav", "there is no file {root}/b.wav", CORRECT),  # a suffix alone is not alike
        ("two.flac", "there is no file {root}/two.flac", "did you mean 'two.mp3'?"),
        ("more/*.mp3", "no song matches {root}/more/*.mp3", "* stands for any name"),
        ("gone/*.mp3", "no song matches {root}/gone/*.mp3",
         "there is no folder {root}/gone: is its drive there?"),
        ("notes.txt", "{root}/notes.txt is no song and no list, as its name says", "known: .aac, "),
        ("song.flca", "{root}/song.flca is no song and no list, as its name says", "did you mean '.flac'?"),
        ("bare", "{root}/bare is no song and no list, as its name says", "known: .aac, "),
        ("empty", "there is no song in {root}/empty", "it needs audio files, or projects (cover.toml)"),
        ("http://example.org/a%20b.mp3", "we never download: http://example.org/a%20b.mp3", DOWNLOAD),
        ("HTTPS://example.org/", "we never download: HTTPS://example.org/", DOWNLOAD),
        ("rtsp://x/y", "we never download: rtsp://x/y", DOWNLOAD),
        ("file://nas/music/a.flac", "it lies on another machine: file://nas/music/a.flac",
         "copy the song to this machine and name that"),
        ("file:///gone/a%20b.flac", "there is no file /gone/a b.flac", "there is no folder /gone either"),
        ("C:\\Music\\a.mp3", "it is a path of a Windows machine: C:\\Music\\a.mp3", WINDOWS),
        ("d:/Music/a.mp3", "it is a path of a Windows machine: d:/Music/a.mp3", WINDOWS),
        ("\\\\nas\\a.mp3", "it is a path of a Windows machine: \\\\nas\\a.mp3", WINDOWS),
        ("\\Music\\a.mp3", "it is a path of a Windows machine: \\Music\\a.mp3", WINDOWS),
        ("file:///C:/Music/a%20b.mp3", "it is a path of a Windows machine: file:///C:/Music/a%20b.mp3", WINDOWS),
        ("file://C:/Music/a.mp3", "it is a path of a Windows machine: file://C:/Music/a.mp3", WINDOWS),
        ("file:///%43%3A/a.mp3", "it is a path of a Windows machine: file:///%43%3A/a.mp3", WINDOWS),
        ("~nobody-at-all/a.flac", "there is no file {root}/~nobody-at-all/a.flac", "there is no folder"),
        ("a" * 300 + ".flac", "{root}/" + "a" * 300 + ".flac cannot be looked at: File name too long",
         "see that you may read it"),
        ("a" * 5000, "this is no path: it has 5000 characters", "see that the list is saved as plain text"),
        ("%00.flac", "no file is called '%00.flac'", "see that the list is saved as plain text"),
        ("pipe.flac", "{root}/pipe.flac is no file", "name a song, a list, a folder or a project"),
        ("loop.flac", "{root}/loop.flac cannot be looked at: Too many levels of symbolic links",
         "see that you may read it"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_used(shelf, put, line, message, hint):
    (shelf / "empty").mkdir()
    for name in ("song.flca", "bare"):
        (shelf / name).touch()
    os.mkfifo(shelf / "pipe.flac")
    (shelf / "loop.flac").symlink_to("loop.flac")
    playlist = read(put("list.m3u8", f"one.flac\n{line}\ntwo.mp3\n"))
    assert [(entry.place.name, entry.origin) for entry in playlist.entries] == [
        ("one.flac", "list.m3u8:1"),
        ("two.mp3", "list.m3u8:3"),
    ]
    (problem,) = playlist.problems
    assert problem.origin == "list.m3u8:2"
    assert problem.message == message.format(root=shelf)
    assert problem.hint.startswith(hint.format(root=shelf))
    assert problem.said == line[:200]
    assert problem.after == 1


def test_the_title_is_what_the_report_calls_it(put):
    (problem,) = read(put("l.m3u", "#EXTINF:1,Anna - Dreams\ngone.flac")).problems
    assert problem.said == "Dreams"


def test_a_list_of_problems_alone_is_a_list(put):
    playlist = read(put("l.m3u", "gone.flac\nlost.flac"))
    assert (len(playlist.entries), len(playlist.problems)) == (0, 2)


def test_a_folder_that_is_closed(shelf, put, monkeypatch):
    closed = shelf / "closed"
    closed.mkdir()
    scandir, listdir = os.scandir, os.listdir

    def refuse(real):  # root, who runs tests in a container, may look anywhere
        def look(place="."):
            if str(place) == str(closed):
                raise PermissionError(13, "Permission denied", str(place))
            return real(place)

        return look

    monkeypatch.setattr(os, "scandir", refuse(scandir))
    monkeypatch.setattr(os, "listdir", refuse(listdir))
    assert read(put("l.m3u", "closed\none.flac")).problems == (
        Problem("l.m3u:1", f"cannot look into {closed}", "see that you may read it", "closed"),
    )


@pytest.mark.parametrize("suffix", [".m3u", ".pls", ".xspf", ".jspf", ".csv", ".tsv", ".toml"])
def test_a_list_that_may_not_be_read_or_is_too_large(shelf, put, suffix, monkeypatch):
    file = put(f"l{suffix}", "x")
    os.truncate(file, 300_000_000)  # a hole: it takes no room
    with pytest.raises(ProjectError, match=r"is no list: it is 300\.0 MB large") as caught:
        read(file)
    assert caught.value.hint == "split it, a list may have 268.4 MB"

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(ProjectError, match="cannot be read: Permission denied") as caught:
        read(file)
    assert caught.value.hint == "see that you may read it"


@pytest.mark.parametrize("suffix", [".m3u8", ".pls", ".csv", ".tsv"])
def test_a_song_that_is_called_like_a_list(put, suffix):
    with pytest.raises(ProjectError, match="is no list: it holds no text") as caught:
        read(put(f"l{suffix}", b"RIFF\0\0\0\0WAVE"))
    assert caught.value.hint == "name the list that a player exported"
