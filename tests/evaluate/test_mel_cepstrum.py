from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from covermaker.evaluate.mel_cepstrum import (
    DECIBEL,
    bark_warping,
    mel_cepstral_distortion,
    warp,
    warped_cepstrum,
)


def bent(omega, warping):
    """Return the axis that an all-pass of that coefficient bends."""
    return omega + 2 * np.arctan(warping * np.sin(omega) / (1 - warping * np.cos(omega)))


@pytest.mark.parametrize("warping", [0.0, 0.3, 0.65])
def test_a_spectrum_of_known_cepstrum_on_the_bent_axis_gives_it_back(warping):
    known = np.array([0.3, 0.5, -0.2, 0.1, 0.05])
    axis = bent(np.linspace(0, np.pi, 1025), warping)
    amplitude = np.exp(sum(value * np.cos(n * axis) for n, value in enumerate(known)))
    found = warped_cepstrum(amplitude[None] ** 2, order=6, warping=warping)[0]
    np.testing.assert_allclose(found, [*known, 0, 0], atol=1e-9)


def test_the_bark_warping_is_the_published_one():
    assert bark_warping(22050) == pytest.approx(0.65, abs=0.005)
    assert bark_warping(16000) == pytest.approx(0.576, abs=0.001)


def test_the_factor_is_kubicheks():
    assert pytest.approx(6.1418, abs=1e-4) == DECIBEL


def test_a_spectral_tilt_is_measured_in_db(write_wav, spoken):
    """A filter of 3 cos(w') dB changes c1 alone; the RMS of that over the axis is 3/√2 dB."""
    sound, rate = spoken
    size = 2 * len(sound)
    axis = bent(np.linspace(0, np.pi, size // 2 + 1), bark_warping(rate))
    tilt_db = 3.0 * np.cos(axis)
    tilted = np.fft.irfft(np.fft.rfft(sound, size) * 10 ** (tilt_db / 20), size)[: len(sound)]
    found = mel_cepstral_distortion(write_wav(sound, rate, "a.wav"), write_wav(tilted, rate, "b.wav"))
    # WORLD smooths the spectrum, and the floor fills its holes: not to the last digit.
    assert found.shape_db == pytest.approx(3.0 / np.sqrt(2), rel=0.1)


def test_level_counts_only_with_c0(write_wav, spoken):
    sound, rate = spoken
    found = mel_cepstral_distortion(write_wav(sound, rate, "a.wav"), write_wav(0.5 * sound, rate, "b.wav"))
    assert found.shape_db < 0.02
    assert found.level_and_shape_db == pytest.approx(20 * np.log10(2) / np.sqrt(2), rel=0.02)


def test_itself_is_no_distance_and_speed_hardly_any(write_wav, spoken):
    sound, rate = spoken
    path = write_wav(sound, rate, "a.wav")
    same = mel_cepstral_distortion(path, path)
    assert same.shape_db == 0
    assert same.level_and_shape_db == 0
    pauses = np.concatenate([np.zeros(4000), sound[:20000], np.zeros(3000), sound[20000:], np.zeros(8000)])
    assert mel_cepstral_distortion(path, write_wav(pauses, rate, "b.wav")).shape_db < 1.0


@pytest.mark.slow
def test_another_voice_is_farther_than_noise_at_minus_50_db(write_wav, speak, spoken):
    sound, rate = spoken
    noise = np.random.default_rng(1).normal(0, 10 ** (-50 / 20) * np.std(sound), len(sound))
    near = mel_cepstral_distortion(speak("slt"), write_wav(sound + noise, rate))
    assert mel_cepstral_distortion(speak("slt"), speak("rms")).shape_db > 2 * near.shape_db


@pytest.mark.parametrize("seconds", [0.0001, 1.0])
def test_silence_has_none(write_wav, spoken, seconds):
    quiet = write_wav(np.zeros(max(1, round(seconds * 16000))), 16000, "quiet.wav")
    assert mel_cepstral_distortion(write_wav(*spoken), quiet) is None


def test_more_than_a_minute_has_none(write_wav):
    long = write_wav(0.1 * np.sin(np.arange(61 * 8000)), 8000)
    assert mel_cepstral_distortion(long, long) is None


def test_warping_finds_the_cheapest_path():
    rows, columns = warp(np.array([[0.0], [5], [9]]), np.array([[0.0], [5], [5], [9]]))
    assert rows.tolist() == [0, 1, 1, 2]
    assert columns.tolist() == [0, 1, 2, 3]


def plain_warp(first, second):
    """Return the cost of the cheapest path, cell by cell."""
    total = np.full((len(first) + 1, len(second) + 1), np.inf)
    total[0, 0] = 0.0
    for i, one in enumerate(first, 1):
        for j, other in enumerate(second, 1):
            nearest = min(total[i - 1, j], total[i, j - 1], total[i - 1, j - 1])
            total[i, j] = np.linalg.norm(one - other) + nearest
    return total[-1, -1]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 9), (40, 23), (17, 64)])
def test_a_path_is_monotonic_cheapest_and_reaches_both_corners(shape):
    first, second = (np.random.default_rng(size).normal(size=(size, 3)) for size in shape)
    rows, columns = warp(first, second)
    assert (rows[0], columns[0]) == (0, 0)
    assert (rows[-1] + 1, columns[-1] + 1) == shape
    steps = np.stack([np.diff(rows), np.diff(columns)])
    assert ((steps == 0) | (steps == 1)).all()
    assert (steps.sum(axis=0) >= 1).all()
    cost = np.linalg.norm(first[rows] - second[columns], axis=1).sum()
    assert cost == pytest.approx(plain_warp(first, second))


def test_frames_in_blocks_are_frames():
    power = np.random.default_rng(1).random((2500, 65)) + 0.1
    whole = warped_cepstrum(power, order=13, warping=0.5)
    np.testing.assert_allclose(whole[1020:1030], warped_cepstrum(power[1020:1030], order=13, warping=0.5))


def test_an_alignment_of_a_minute_takes_little_memory():
    """Two bits a cell; a matrix of distances would be 64."""
    frames = np.random.default_rng(1).normal(size=(2000, 13))
    tracemalloc.start()
    try:
        warp(frames, frames[::-1])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2000 * 2000 * 1.0
