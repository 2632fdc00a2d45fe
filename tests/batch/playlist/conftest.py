from __future__ import annotations

from pathlib import Path

import pytest

SONGS = ("one.flac", "two.mp3", "more/Träume.ogg", "more/a b.wav")


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder with a few songs, which nobody opens, and a project; commands run in it."""
    for name in (*SONGS, "kept/cover.toml", "kept/audio/song.flac", "notes.txt"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def put(shelf):
    """Write a list, text or bytes, and return its path."""

    def write(name: str, content: str | bytes, *, encoding: str = "utf-8") -> Path:
        path = shelf / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write
