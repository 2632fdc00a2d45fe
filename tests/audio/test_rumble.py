"""Rumble goes, what is sung stays where it is; pieces are what the whole is."""

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, filtfilt, sosfiltfilt

from covermaker.audio.files import BLOCK_FRAMES
from covermaker.audio.rumble import without_rumble, write_without_rumble


def whole(path, samples, rate):
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


@pytest.mark.parametrize(
    ("hz", "lowest_db", "highest_db"),
    [(20.0, -80.0, -50.0), (48.0, -6.2, -5.8), (82.0, -0.3, 0.0), (400.0, -0.01, 0.01)],
)
def test_it_is_flat_above_and_has_no_delay(tmp_path, hz, lowest_db, highest_db):
    rate = 8000
    t = np.arange(4 * rate) / rate
    tone = np.sin(2 * np.pi * hz * t)
    path = whole(tmp_path / "tone.wav", tone, rate)
    middle = slice(rate, 3 * rate)
    out = without_rumble(path, rate, 3 * rate, order=4)[0]
    gain = (out @ tone[middle]) / (tone[middle] @ tone[middle])
    assert lowest_db <= 20 * np.log10(abs(gain) + 1e-9) <= highest_db
    quadrature = out @ np.cos(2 * np.pi * hz * t)[middle] / rate
    assert abs(quadrature) < 1e-3  # any delay would turn the phase


def test_pieces_are_what_the_whole_is(tmp_path):
    rate = 16_000
    samples = np.random.default_rng(1).standard_normal(6 * rate).astype(np.float32)
    path = whole(tmp_path / "x.wav", samples, rate)
    sections = butter(4, 48.0, "highpass", fs=rate, output="sos")
    expected = sosfiltfilt(sections, samples.astype(np.float64), padlen=rate // 2)
    pieces = [without_rumble(path, start, start + rate, order=4)[0] for start in range(0, 6 * rate, rate)]
    assert np.abs(np.concatenate(pieces) - expected).max() < 1e-5


def test_it_is_the_filter_that_rvc_hears_through(tmp_path):
    """Butterworth of order 5 at 48 Hz, both ways, as one polynomial in double precision at 16 kHz."""
    rate = 16_000
    samples = np.random.default_rng(2).standard_normal(3 * rate)
    path = whole(tmp_path / "x.wav", samples, rate)
    expected = filtfilt(*butter(5, 48.0, "highpass", fs=rate), samples)
    inner = slice(rate, 2 * rate)  # at the ends the original mirrors less
    out = without_rumble(path, 0, len(samples), order=5)[0]
    assert np.abs(out - expected)[inner].max() < 1e-5


@pytest.mark.parametrize("frames", [0, 1, 2, 441, BLOCK_FRAMES - 1, BLOCK_FRAMES, BLOCK_FRAMES + 1])
def test_a_whole_file_keeps_its_length_and_becomes_one_channel(tmp_path, frames):
    stereo = np.random.default_rng(3).uniform(-0.5, 0.5, (frames, 2)).astype(np.float32)
    path = whole(tmp_path / "x.wav", stereo, 44_100)
    told = []
    assert write_without_rumble(path, tmp_path / "out.wav", order=5, progress=told.append) == frames
    out, rate = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    assert (out.shape, rate) == ((frames, 1), 44_100)
    assert np.isfinite(out).all()
    if frames > 1:
        sections = butter(5, 48.0, "highpass", fs=44_100, output="sos")
        expected = sosfiltfilt(sections, stereo.mean(axis=1, dtype=float), padlen=min(22_050, frames - 1))
        assert np.abs(out[:, 0] - expected).max() < 1e-4
        assert told[-1] == 1.0
