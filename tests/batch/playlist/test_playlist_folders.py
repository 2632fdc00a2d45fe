"""Folders and patterns: what a batch has put there is no song of the list, and links multiply nothing."""

from __future__ import annotations

import os

import pytest

from covermaker.batch.playlist import read
from covermaker.batch.queue import FILE_NAME


def names(place):
    return [os.path.relpath(entry.place) for entry in read(place).entries]


def fill(root, *files):
    for name in files:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


@pytest.fixture
def out_below(shelf):
    """A batch of `album` with its covers in `album/out`, as it is when the same command is run again."""
    fill(shelf, "album/a/one.flac", "album/b/2.wav", "album/b/10.wav")
    fill(shelf, f"album/out/{FILE_NAME}", "album/out/one/cover.toml", "album/out/one/out/one.flac")
    fill(shelf, "album/out/loose.flac", "album/out/deep/er/loose.flac")
    return shelf


SONGS = ["album/a/one.flac", "album/b/2.wav", "album/b/10.wav"]


@pytest.mark.parametrize("place", ["album", "album/**", "album/**/*.*"])
def test_the_folder_of_a_batch_below_is_left_out(out_below, place):
    assert names(place) == SONGS


def test_a_line_that_names_the_folder_leaves_it_out_too(out_below, put):
    assert names(put("list.m3u", "album\n")) == SONGS


def test_a_batch_beside_songs_is_left_out_by_patterns(out_below):
    fill(out_below, "album/top.flac")
    assert names("album/*.flac") == ["album/top.flac"]
    assert names("album/*/*.flac") == ["album/a/one.flac"]


def test_songs_of_a_folder_that_is_the_batch_s_own(shelf):
    fill(shelf, "own/a/one.flac", f"own/{FILE_NAME}", "own/one/cover.toml", "own/one/out/one.flac")
    assert names("own") == ["own/a/one.flac"]
    assert names("own/**/*") == ["own/a/one.flac"]


def test_a_batch_by_itself_is_its_projects(shelf):
    fill(shelf, f"own/{FILE_NAME}", "own/one/cover.toml", "own/one/out/one.flac", "own/two/cover.toml")
    assert names("own") == names("own/*") == ["own/one", "own/two"]


def test_links_to_folders_multiply_nothing(shelf):
    fill(shelf, "loop/in/one.flac")
    (shelf / "loop/self").symlink_to(".")
    (shelf / "loop/again").symlink_to("self")
    (shelf / "loop/in/up").symlink_to("..")
    for place in ("loop", "loop/**/*.flac", "loop/**/**/*.flac", "loop/*/one.flac", "loop/*/*/*.flac"):
        assert names(place)[-1:] == ["loop/in/one.flac"] or len(names(place)) == 1, place
        assert len(names(place)) == 1, place


def test_a_link_to_a_song_is_that_song(shelf):
    fill(shelf, "links/real.flac")
    (shelf / "links/a.flac").symlink_to("real.flac")
    (shelf / "links/other.flac").symlink_to(shelf / "one.flac")
    assert names("links") == names("links/*") == ["links/other.flac", "links/real.flac"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("p/*/", ["p/kept"]),
        ("p/[ab].wav", ["p/a.wav", "p/b.wav"]),
        ("p/.hid*/*.wav", ["p/.hidden/h.wav"]),
        ("p/**/.hidden/*.wav", ["p/.hidden/h.wav"]),
        ("p/?/../*.wav", ["p/a.wav", "p/b.wav"]),
        ("p/**", ["p/a.wav", "p/b.wav", "p/d/c.wav", "p/kept"]),
        ("p/*/cover.toml", ["p/kept"]),
    ],
)
def test_patterns_mean_what_a_shell_means(shelf, pattern, found):
    fill(shelf, "p/a.wav", "p/b.wav", "p/d/c.wav", "p/kept/cover.toml", "p/.hidden/h.wav")
    assert names(pattern) == found
