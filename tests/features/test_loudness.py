import numpy as np
import pytest
import soundfile

from covermaker.audio import files
from covermaker.features import loudness
from covermaker.features.clock import frame_count
from covermaker.features.loudness import FLOOR_DB, frame_loudness_db, samples_loudness_db


@pytest.fixture
def wav(tmp_path):
    def write(samples, sample_rate=44100):
        path = tmp_path / "vocal.wav"
        soundfile.write(path, np.asarray(samples, dtype=np.float32), sample_rate, subtype="FLOAT")
        return path

    return write


@pytest.mark.parametrize("sample_rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_a_steady_tone_reads_its_level_to_the_very_ends(wav, sample_rate):
    time = np.arange(sample_rate) / sample_rate
    level = frame_loudness_db(wav(0.5 * np.sin(2 * np.pi * 997 * time), sample_rate))
    assert len(level) == frame_count(sample_rate, sample_rate)
    np.testing.assert_allclose(level, 20 * np.log10(0.5) - 3.01, atol=0.25)
    np.testing.assert_allclose(level[5:-5], 20 * np.log10(0.5) - 3.01, atol=0.02)


def test_silence_is_the_floor(wav):
    np.testing.assert_array_equal(frame_loudness_db(wav(np.zeros(10_000))), FLOOR_DB)


@pytest.mark.parametrize("frames", [1, 2, 440, 441, 442, 1013, 1014, 1015, 65535, 65536, 65537, 65536 + 1014])
def test_every_length_gives_its_own_frames_and_a_constant_its_level(wav, frames):
    level = frame_loudness_db(wav(np.full(frames, 0.1)))
    assert level.shape == (frame_count(frames, 44100),)
    assert level.dtype == np.float32
    np.testing.assert_allclose(level, -20, atol=0.01)


@pytest.mark.parametrize("frames", [1, 441, 65536, 65537, 150_001])
def test_samples_read_as_the_file_of_them_does(wav, frames):
    samples = np.random.default_rng(frames).normal(0.0, 0.1, frames).astype(np.float32)
    np.testing.assert_array_equal(samples_loudness_db(samples, 44100), frame_loudness_db(wav(samples)))


def test_a_step_is_seen_at_its_time(wav):
    samples = np.where(np.arange(44100) < 22050, 0.01, 1.0)
    level = frame_loudness_db(wav(samples))
    # Frame 50 is centred on the step: half of the window is loud.
    assert level[50] == pytest.approx(-3.0, abs=0.1)
    assert level[46] == pytest.approx(-40, abs=0.1)
    assert level[54] == pytest.approx(0, abs=0.1)


def test_blocks_do_not_matter(wav, monkeypatch):
    rng = np.random.default_rng(1)
    path = wav(rng.standard_normal((100_003, 2)) * np.linspace(0, 0.3, 100_003)[:, None])
    whole = frame_loudness_db(path)
    for size in (997, 4096, 1_000_000):
        monkeypatch.setattr(loudness, "blocks", lambda path, size=size: files.blocks(path, block_frames=size))
        np.testing.assert_allclose(frame_loudness_db(path), whole, atol=1e-4)


def test_progress_rises_to_one(wav):
    told = []
    frame_loudness_db(wav(np.ones(300_000)), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
