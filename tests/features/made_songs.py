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


def clicks(bpm, seconds, start=0.2, seed=0):
    """Return clicks of 1 kHz as (frames,) float32, and when they are."""
    rng = np.random.default_rng(seed)
    sound = 1e-4 * rng.standard_normal(round(seconds * RATE))
    time = np.arange(round(0.03 * RATE)) / RATE
    beats = np.arange(start, seconds - 0.05, 60.0 / bpm)
    for beat in beats:
        _add(sound, beat, 0.5 * np.sin(2 * np.pi * 1000 * time) * np.exp(-time / 0.005), RATE)
    return sound.astype(np.float32), beats


@lru_cache(maxsize=8)
def made_waltz(bpm, seconds, seed=0):
    """Return a bass on one and chords on two and three, (frames,) float32."""
    rng = np.random.default_rng(seed)
    sound = 1e-4 * rng.standard_normal(round(seconds * RATE))
    beat = 60.0 / bpm
    for number in range(int(seconds / beat)):
        bar, place = divmod(number, 3)
        degree = _CHORDS["minor"][bar % 4]
        if place == 0:
            _note(sound, number * beat, 2.7 * beat, _pitch(0, "minor", degree, 36), 0.3, RATE, 0.0)
        else:
            for third in (0, 2, 4):
                pitch = _pitch(0, "minor", degree + third, 60)
                _note(sound, number * beat, 0.8 * beat, pitch, 0.08, RATE, 0.0)
        tune = _pitch(0, "minor", degree + (0, 2, 4, 7)[rng.integers(4)], 72)
        _note(sound, number * beat, beat, tune, 0.1, RATE, 0.0)
        _drums(sound, number * beat, 0 if place == 0 else 1, beat, rng, RATE, False)
    return sound.astype(np.float32)


# Chords by degree, drums, level of the chords, level of a pad above.
_PARTS = {
    "A": ((0, 5, 3, 4), True, 0.08, 0.0),
    "B": ((3, 6, 0, 2), True, 0.03, 0.12),
    "C": ((5, 3, 5, 1), False, 0.08, 0.0),
}


@lru_cache(maxsize=8)
def made_form(form, bpm=112.0, bars=8, seed=0):
    """Return a song of parts of so many bars each, (frames,) float32, and the length of a part in seconds."""
    rng = np.random.default_rng(seed)
    beat, beats = 60.0 / bpm, 4 * bars
    sound = 1e-4 * rng.standard_normal(round(len(form) * beats * beat * RATE))
    tunes = {name: rng.integers(8, size=beats) for name in _PARTS}
    for number in range(len(form) * beats):
        name, place = form[number // beats], number % beats
        chords, drums, level, pad = _PARTS[name]
        at, degree = number * beat, chords[place // 4 % 4]
        for third in (0, 2, 4):
            if place % 2 == 0:
                _note(sound, at, 2 * beat, _pitch(0, "minor", degree + third, 60), level, RATE, 0.0)
            if place % 4 == 0 and pad:
                time = np.arange(round(4 * beat * RATE)) / RATE
                hz = 440.0 * 2.0 ** ((_pitch(0, "minor", degree + third, 72) - 69) / 12)
                edge = np.minimum(1.0, np.minimum(time, time[-1] - time) / 0.1)
                _add(sound, at, pad * edge * np.sin(2 * np.pi * hz * time), RATE)
        _note(sound, at, beat, _pitch(0, "minor", degree, 36), 0.25, RATE, 0.0)
        tune = degree + (0, 2, 4, 7, 4, 2, 1, 0)[tunes[name][place]]
        _note(sound, at, beat, _pitch(0, "minor", tune, 72), 0.1, RATE, 0.0)
        if drums:
            _drums(sound, at, number, beat, rng, RATE, True)
    return sound.astype(np.float32), beats * beat
