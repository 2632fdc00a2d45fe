"""A whole song is told from a lone vocal."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import files
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from driving import covermaker, short_song

from covermaker.features.loudness import frame_loudness_db
from covermaker.render import listen
from covermaker.render.listen import MUSIC_DB, music_db


def heard(path):
    return music_db(path, frame_loudness_db(path))


@pytest.fixture(scope="module")
def stems(tmp_path_factory):
    """Return the mix and the true vocal of the real song in the package stempeg, as WAV files."""
    packaged = next(Path(str(f.locate())) for f in files("stempeg") or [] if str(f).endswith(".stem.mp4"))
    found = {}
    for name, number in (("mix", 0), ("vocals", 4)):
        with av.open(str(packaged)) as container:
            stream = container.streams.audio[number]
            sound = np.concatenate([frame.to_ndarray() for frame in container.decode(stream)], axis=1)
            found[name] = tmp_path_factory.mktemp("stems") / f"{name}.wav"
            soundfile.write(found[name], sound.T, stream.rate)
    return found


def test_a_song_is_one(stems):
    assert heard(stems["mix"]) > MUSIC_DB


@pytest.mark.slow
def test_whoever_converts_a_song_is_told(tmp_path):
    song = short_song(tmp_path / "song.flac")
    done = covermaker("convert", song, COVERMAKER_STORE=str(tmp_path / "store"))
    assert "note: this sounds like a whole song" in done.stderr
    assert "covermaker separate" in done.stderr


def test_a_dry_vocal_is_not_even_separated(stems, monkeypatch):
    monkeypatch.setattr(listen, "bleed_db", lambda *_: pytest.fail("separated"))
    assert heard(stems["vocals"]) is None


@pytest.mark.parametrize("voice", ["slt", "rms", "awb", "kal16"])
def test_speech_is_not_even_separated(voice, tmp_path, monkeypatch):
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    monkeypatch.setattr(listen, "bleed_db", lambda *_: pytest.fail("separated"))
    text = "Somewhere behind the hill a river ran down to the sea, and nobody knew its name"
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(tmp_path / "a.wav")], check=True)
    assert heard(tmp_path / "a.wav") is None


def test_what_never_falls_silent_is_judged_by_the_separator(tmp_path, monkeypatch):
    time = np.arange(16000 * 20) / 16000
    loud = (time > 5) & (time < 18)
    soundfile.write(tmp_path / "a.wav", (0.05 + 0.2 * loud) * np.sin(2 * np.pi * 200 * time), 16000)
    asked, answers = [], iter([MUSIC_DB + 1, MUSIC_DB - 1, None])

    def bleed(excerpt, cuts, rate, cache, key):
        sound, found_rate = soundfile.read(excerpt)
        asked.append((len(sound), cuts, rate == found_rate, float(np.abs(sound).min()) < 0.25))
        return next(answers)

    monkeypatch.setattr(listen, "bleed_db", bleed)
    assert [heard(tmp_path / "a.wav") for _ in range(3)] == [MUSIC_DB + 1, None, None]
    frames = round(11.8 * 16000)
    assert asked == [(frames, [(0, frames)], True, True)] * 3


@pytest.mark.parametrize("seconds", [0.0, 0.02, 1.5])
def test_too_short_to_say(tmp_path, seconds):
    soundfile.write(tmp_path / "a.wav", np.full(round(16000 * seconds), 0.2), 16000)
    assert heard(tmp_path / "a.wav") is None


def test_silence_is_no_song(tmp_path, monkeypatch):
    monkeypatch.setattr(listen, "bleed_db", lambda *_: 30.0)
    soundfile.write(tmp_path / "a.wav", np.zeros(16000 * 5), 16000)
    assert heard(tmp_path / "a.wav") is None
