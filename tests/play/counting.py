"""Sound that tells where it comes from: every sample says its frame and its side, exactly."""

from __future__ import annotations

import numpy as np

from covermaker.audio.files import wav_writer

RATE = 44_100
_UNIT = 2.0**-20  # float32 counts to 2^24 in this unit without rounding


def counting(frames, side="a", begin=0):
    """Frame n is (n + 1) units, negative for side B; the right channel has the other sign."""
    values = (np.arange(begin, begin + frames) + 1) * _UNIT * (1 if side == "a" else -1)
    return np.stack([values, -values]).astype(np.float32)


def write(path, samples, sample_rate=RATE):
    with wav_writer(path, sample_rate=sample_rate, channels=samples.shape[0]) as file:
        file.write(samples)
    return path


def frames_of(samples):
    """Read back (frame, side) of each sample; a frame of -1 is silence."""
    numbers = samples[0] / _UNIT
    return np.abs(numbers) - 1, np.where(numbers < 0, "b", "a")


def is_pure(samples):
    """Which samples are neither faded nor mixed: whole numbers, the channels each other's opposite."""
    numbers = samples[0] / _UNIT
    return (numbers == np.round(numbers)) & (samples[0] == -samples[1]) & (numbers != 0)
