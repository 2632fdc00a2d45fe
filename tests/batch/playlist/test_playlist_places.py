"""A folder, a pattern, a project or a song in place of a list."""

from __future__ import annotations

import os

import pytest

from covermaker.batch.entries import Entry
from covermaker.batch.playlist import read
from covermaker.errors import ExitCode, UsageError


def places(playlist, root):
    assert playlist.problems == ()
    return [entry.place.relative_to(root).as_posix() for entry in playlist.entries]


@pytest.fixture
def fill(tmp_path, monkeypatch):
    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return make


def test_a_folder_of_songs_in_natural_order(fill):
    root = fill("s/10 b.flac", "s/2 a.MP3", "s/1.wav", "s/B.ogg", "s/a.ogg", "s/.hidden.wav", "s/cover.jpg",
                "s/old/more.flac", "s/p/cover.toml", "s/l.m3u")  # fmt: skip
    for asked in ("s", root / "s", "./s/"):
        playlist = read(asked)
        assert playlist.title == "s"
        assert places(playlist, root / "s") == ["1.wav", "2 a.MP3", "10 b.flac", "a.ogg", "B.ogg"]
        assert playlist.entries[0] == Entry(root / "s/1.wav", "s/1.wav")


def test_a_folder_of_projects(fill):
    root = fill("s/b10/cover.toml", "s/b9/cover.toml", "s/b9/audio/x.flac", "s/.trash/cover.toml",
                "s/deep/c/cover.toml", "s/notes.txt")  # fmt: skip
    assert places(read("s"), root / "s") == ["b9", "b10"]


def test_a_folder_of_folders(fill):
    root = fill("s/2/b.flac", "s/2/a.flac", "s/1/x/c.flac", "s/1/p/cover.toml", "s/1/p/audio/no.flac",
                "s/.git/no.flac", "s/10/d.flac")  # fmt: skip
    wanted = ["1/p", "1/x/c.flac", "2/a.flac", "2/b.flac", "10/d.flac"]
    assert places(read("s"), root / "s") == wanted


def test_a_folder_that_leads_back_to_itself(fill):
    root = fill("s/1/a.flac")
    (root / "s/1/up").symlink_to(root / "s")
    (root / "s/2").symlink_to(root / "s/1")
    assert places(read("s"), root / "s") == ["1/a.flac"]


@pytest.mark.parametrize("asked", ["kept", "kept/cover.toml", "kept/"])
def test_a_project(shelf, asked):
    playlist = read(asked)
    assert [entry.place for entry in playlist.entries] == [shelf / "kept"]
    assert playlist.problems == ()


def test_a_song(shelf):
    playlist = read("more/a b.wav")
    assert (playlist.title, playlist.entries) == ("a b", (Entry(shelf / "more/a b.wav", "a b.wav"),))
    assert read((shelf / "one.flac").as_uri()).entries[0].place == shelf / "one.flac"


def test_a_link_is_the_song_it_leads_to(shelf):
    (shelf / "link.flac").symlink_to(shelf / "one.flac")
    assert read("link.flac").entries[0].place == shelf / "link.flac"


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("*.flac", ["one.flac"]),
        ("*", ["kept", "one.flac", "two.mp3"]),
        ("**/*", ["kept", "more/a b.wav", "more/Träume.ogg", "one.flac", "two.mp3"]),
        ("**/*.flac", ["one.flac"]),
        ("[ot]*.*", ["one.flac", "two.mp3"]),
        ("mor?/*", ["more/a b.wav", "more/Träume.ogg"]),
        ("*/cover.toml", ["kept"]),
        ("kept/audio/*", ["kept/audio/song.flac"]),
    ],
)
def test_patterns(shelf, put, pattern, wanted):
    put("list.m3u", "two.mp3")
    put("kept/out/rendered.flac", b"")
    for asked in (pattern, str(shelf / pattern)):
        assert places(read(asked), shelf) == wanted


def test_a_pattern_in_natural_order_folder_by_folder(fill):
    root = fill("s/a/10.wav", "s/a/9.wav", "s/a b/1.wav", "s/a.wav")
    assert places(read("s/**/*.wav"), root / "s") == ["a/9.wav", "a/10.wav", "a b/1.wav", "a.wav"]
    assert read("s/**/*.wav").entries[0].origin == "a/9.wav"
    assert read("s/**/*.wav").title == "s"


def test_a_pattern_of_lists_and_one_from_home(shelf, put, monkeypatch):
    put("l/2.m3u", "../two.mp3")
    put("l/10.m3u", "../one.flac\n../one.flac")
    wanted = [("2.m3u:1", "two.mp3"), ("10.m3u:1", "one.flac"), ("10.m3u:2", "one.flac")]
    monkeypatch.setenv("HOME", str(shelf))
    for pattern in ("l/*.m3u", "~/l/*.m3u"):
        assert [(one.origin, one.place.name) for one in read(pattern).entries] == wanted


def test_a_folder_that_is_called_like_a_pattern(fill):
    root = fill("s [live]/a.flac", "s l/b.flac")
    assert places(read("s [live]"), root) == ["s [live]/a.flac"]


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ("on.flac", "there is no on.flac", "did you mean 'one.flac'?"),
        ("gone/list.m3u", "there is no gone/list.m3u", "there is no folder {root}/gone either"),
        ("zzz", "there is no zzz",
         "name a playlist, a folder of songs, a pattern as in 'songs/*.flac', or a project"),
        ("*.wv", "no song matches *.wv", "* stands for any name, ** for folders at any depth"),
        ("gone/*.wav", "no song matches gone/*.wav", "there is no folder {root}/gone: is its drive there?"),
        ("empty", "there is no song in {root}/empty", "it needs audio files, or projects (cover.toml)"),
        ("empty.m3u", "there is no song in {root}/empty.m3u", "put songs into the list, or name another one"),
        ("notes.txt", "{root}/notes.txt is no song and no list, as its name says", "known: .aac, "),
        ("list.m3v", "{root}/list.m3v is no song and no list, as its name says", "known: .aac, "),
        ("https://example.org/a.m3u", "we never download: https://example.org/a.m3u",
         "save the song as a file and name that"),
        ("C:\\lists\\a.m3u", "it is a path of a Windows machine: C:\\lists\\a.m3u",
         "write it relative to the list, or as this machine has it"),
        ("", "no file is named", "name a song, a list, a folder or a project"),
        ("a\0b", "no file is called 'a\\x00b'", "see that the list is saved as plain text"),
        ("a" * 300, "{root}/" + "a" * 300 + " cannot be looked at: File name too long", "see that you may read it"),
        ("a" * 5000, "this is no path: it has 5000 characters", "see that the list is saved as plain text"),
    ],
)  # fmt: skip
def test_places_that_hold_nothing(shelf, asked, message, hint):
    (shelf / "empty").mkdir()
    for name in ("empty.m3u", "list.m3v"):
        (shelf / name).touch()
    with pytest.raises(UsageError) as caught:
        read(asked)
    assert caught.value.message == message.format(root=shelf)
    assert caught.value.hint.startswith(hint.format(root=shelf))
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_pipe_is_not_waited_for(shelf):
    os.mkfifo(shelf / "pipe.m3u")
    with pytest.raises(UsageError, match=r"pipe\.m3u is no file"):
        read("pipe.m3u")
