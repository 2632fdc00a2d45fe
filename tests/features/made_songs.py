"""Songs of a known key and tempo: chords with overtones, a bass, a tune, drums."""

from functools import lru_cache

import numpy as np

RATE = 22_050
_STEPS = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
# Degrees of the scale, four bars.
_CHORDS = {"major": (0, 4, 5, 3), "minor": (0, 5, 3, 4)}


@lru_cache(maxsize=64)
def made_song(
    tonic=0,
    mode="major",
    bpm=100.0,
    seconds=30.0,
    *,
    drums=True,
    eighths=True,
    tuning_cents=0.0,
    seed=0,
    rate=RATE,
):
    """Return (frames,) float32 at `rate`; `tonic` is 0 for C."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(round(seconds * rate))
    beat = 60.0 / bpm
    for number in range(int(seconds / beat)):
        at = number * beat
        degree = _CHORDS[mode][number // 4 % 4]
        if number % 2 == 0:
            for third in (0, 2, 4):
                _note(sound, at, 2 * beat, _pitch(tonic, mode, degree + third, 60), 0.08, rate, tuning_cents)
        _note(sound, at, beat, _pitch(tonic, mode, degree, 36), 0.25, rate, tuning_cents)
        step = degree + (0, 2, 4, 7, 4, 2, 1, 0)[rng.integers(8)]
        _note(sound, at, beat, _pitch(tonic, mode, step, 72), 0.12, rate, tuning_cents)
        if drums:
            _drums(sound, at, number, beat, rng, rate, eighths)
    return (sound + 1e-4 * rng.standard_normal(len(sound))).astype(np.float32)


def _pitch(tonic, mode, degree, base):
    octave, step = divmod(degree, 7)
    return base + tonic + 12 * octave + _STEPS[mode][step]


def _note(sound, at, length, midi, gain, rate, cents):
    time = np.arange(round(length * rate)) / rate
    hz = 440.0 * 2.0 ** ((midi - 69 + cents / 100) / 12)
    tone = sum(np.sin(2 * np.pi * k * hz * time) / k**1.3 for k in range(1, 9) if k * hz < rate / 2)
    tone *= (
        np.minimum(1, time / 0.01) * np.exp(-time / (0.6 * length)) * np.minimum(1, (time[-1] - time) / 0.01)
    )
    _add(sound, at, gain * tone, rate)


def _drums(sound, at, number, beat, rng, rate, eighths):
    time = np.arange(round(0.15 * rate)) / rate
    if number % 2 == 0:
        _add(
            sound,
            at,
            0.6 * np.sin(2 * np.pi * (50 * time + 3 * (1 - np.exp(-time / 0.02)))) * np.exp(-time / 0.06),
            rate,
        )
    else:
        _add(sound, at, 0.25 * rng.standard_normal(len(time)) * np.exp(-time / 0.04), rate)
    for part in (0.0, 0.5) if eighths else (0.0,):
        hat = np.diff(rng.standard_normal(len(time) + 1)) * np.exp(-time / 0.015)
        _add(sound, at + part * beat, 0.06 * hat, rate)


def _add(sound, at, piece, rate):
    start = round(at * rate)
    end = min(len(sound), start + len(piece))
    sound[start:end] += piece[: end - start]
