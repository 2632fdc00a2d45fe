"""Which files hold sound: one answer for the picker, the form and whoever takes recordings in."""

from pathlib import Path

import pytest

from covermaker.audio.names import audio_in, is_audio
from covermaker.takes.create import find_audio


@pytest.fixture
def folder(tmp_path):
    for name in ("a.WAV", "b.mkv", "notes.txt", ".hidden.wav", "more/c.tta", ".trash/d.wav", "more/.e/f.wav"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "gone.flac").symlink_to(tmp_path / "nowhere")
    return tmp_path


def test_a_folder_is_searched_to_its_ground_without_what_is_hidden(folder):
    found = {file.relative_to(folder).as_posix() for file in audio_in(folder)}
    assert found == {"a.WAV", "b.mkv", "more/c.tta"}
    assert list(audio_in(folder / "nowhere")) == []


def test_what_is_counted_is_what_is_taken_in(folder):
    assert find_audio([folder]) == sorted(audio_in(folder))
    assert all(is_audio(file) for file in find_audio([folder]))


def test_the_walk_ends_when_it_is_enough(folder):
    assert list(audio_in(folder, is_enough=lambda: True)) == []


def test_names():
    assert is_audio(Path("song.rf64"))
    assert not is_audio(Path("wav"))
