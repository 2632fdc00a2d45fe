"""Sung notes and phrases whose samples are known to be sung or not."""

from __future__ import annotations

import numpy as np


def sung(seconds, *, rate=16000, hz=220.0, level=0.2, vibrato=0.3):
    """Return a sung note: harmonics that fall by 1/k, with vibrato and 20 ms ramps."""
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(hz * 2 ** (vibrato * np.sin(2 * np.pi * 5.5 * t) / 12)) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 12) if k * hz * 1.05 < rate / 2)
    ramp = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.02)
    return level * tone * ramp


def phrases(plan, *, rate=16000, noise_db=-70.0, seed=0, **note):
    """Sing a plan of (sung seconds, pause seconds); return samples and which of them are sung."""
    parts, mask = [], []
    for length, pause in plan:
        tone = sung(length, rate=rate, **note)
        parts += [tone, np.zeros(round(pause * rate))]
        mask += [np.ones(len(tone), bool), np.zeros(len(parts[-1]), bool)]
    samples = np.concatenate(parts)
    noise = np.random.default_rng(seed).standard_normal(len(samples)) * 10 ** (noise_db / 20)
    return (samples + noise).astype(np.float32), np.concatenate(mask)
