"""Signals for the tests of export/."""

import numpy as np


def chirp(frames, *, sample_rate=44_100, channels=2):
    """A chirp in noise: an offset of one sample shows in its cross-correlation."""
    t = np.arange(frames) / sample_rate
    noise = np.random.default_rng(0).standard_normal(frames)
    left = 0.4 * np.sin(2 * np.pi * (200 * t + 300 * t * t)) + 0.02 * noise
    return np.stack([left, 0.7 * left][:channels]).astype(np.float32)
