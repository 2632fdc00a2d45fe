"""The rack's limiter: its ceiling on and between the samples, what it leaves alone, drive, moves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effect_signals import RATE, tone

from covermaker.audio.truepeak import TruePeakMeter
from covermaker.effects.limiter import Limiter
from covermaker.effects.spec import MOVE_SAMPLES, defaults

FRAMES = 2 * RATE
_TIME = np.arange(FRAMES)


def limited(sound: np.ndarray, **values: float) -> tuple[np.ndarray, Limiter]:
    limiter = Limiter({**defaults(Limiter.SPECS), **values}, RATE, len(sound))
    late = limiter.latency_samples
    out = limiter.process(np.pad(sound.astype(np.float32), ((0, 0), (0, late))))
    assert not out[:, :late].any()
    return out[:, late:], limiter


def true_peak_db(sound: np.ndarray) -> float:
    meter = TruePeakMeter(len(sound), RATE)
    meter.push(np.ascontiguousarray(sound, dtype=np.float32))
    return 20 * math.log10(meter.finish())


def hot(name: str) -> np.ndarray:
    generator = np.random.default_rng(4)
    if name == "noise":
        return generator.standard_normal((2, FRAMES))
    if name == "clicks":
        sound = np.zeros((2, FRAMES))
        for start in range(300, FRAMES - 10, 3001):
            sound[:, start : start + 3] = [1.5, -1.6, 1.4]
        return sound
    wave = {
        "square": 1.5 * np.sign(np.sin(2 * np.pi * 997 * _TIME / RATE)),
        "quarter rate at 45 degrees": 2.0 * np.sin(np.pi / 2 * _TIME + np.pi / 4),
        "bass": 1.5 * np.sin(2 * np.pi * 40 * _TIME / RATE),
    }[name]
    return np.stack([wave, 0.5 * wave])


SIGNALS = ["noise", "clicks", "square", "quarter rate at 45 degrees", "bass"]


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize(
    "values",
    [
        {"ceiling_db": -1.0},
        {"ceiling_db": -0.1, "gain_db": 12.0, "release_ms": 10.0},
        {"ceiling_db": -6.0, "lookahead_ms": 1.0, "release_ms": 10.0},
    ],
)
def test_no_true_peak_above_the_ceiling(name: str, values: dict[str, float]) -> None:
    out, _ = limited(hot(name), **values)
    assert true_peak_db(out) <= values["ceiling_db"] + 0.05
    assert true_peak_db(out) > values["ceiling_db"] - 1.0  # and it is used


def test_what_is_below_the_ceiling_is_left_to_the_bit() -> None:
    quiet = tone(440.0, -1.5, 1.0)
    out, limiter = limited(quiet)
    assert np.array_equal(out, quiet)
    assert limiter.reduction().maximum_db == 0.0
    louder, _ = limited(quiet * 0.25, gain_db=6.0)
    assert np.allclose(louder, quiet * 0.25 * 10 ** (6 / 20), rtol=1e-6)


def test_it_tells_how_far_it_has_turned_down() -> None:
    _, limiter = limited(tone(440.0, 5.0, 1.0))
    assert limiter.reduction().maximum_db == pytest.approx(6.0, abs=0.05)
    assert 5.0 < limiter.reduction().mean_db < 6.0


def test_it_turns_down_before_the_peak_and_comes_back_behind_it() -> None:
    sound = tone(1000.0, -12.0, 1.0)
    sound[:, RATE // 2 : RATE // 2 + 20] *= 16.0
    gain = limited(sound)[0] / np.where(sound == 0.0, 1.0, sound)
    ahead = round(0.006 * RATE)
    assert np.allclose(gain[0, 1 : RATE // 2 - ahead : 11], 1.0, atol=1e-6)
    before = gain[0, RATE // 2 - 30 : RATE // 2 - 1]
    assert before.max() < 1.0
    assert gain[0, RATE // 2 + round(0.4 * RATE)] > 0.97


def test_both_sides_are_turned_down_alike() -> None:
    left = tone(440.0, 3.0, 0.5, channels=1)[0]
    right = 0.1 * tone(330.0, 0.0, 0.5, channels=1)[0]
    out, _ = limited(np.stack([left, right]))
    loud = np.abs(left) > 0.5
    assert np.allclose(out[1][loud] * left[loud], out[0][loud] * right[loud], atol=1e-6)


def test_a_ceiling_on_its_way_is_kept() -> None:
    """While the ceiling goes down by 12 dB in half a second, no stretch of the sound is above it."""
    sound = np.random.default_rng(1).standard_normal((2, RATE)).astype(np.float32)
    limiter = Limiter({**defaults(Limiter.SPECS), "ceiling_db": 0.0}, RATE, 2)
    late, made, course = limiter.latency_samples, [], []
    padded = np.pad(sound, ((0, 0), (0, late)))
    for start in range(0, padded.shape[1], MOVE_SAMPLES):
        ceiling_db = -12.0 * min(1.0, start / (RATE / 2))
        limiter.move({"ceiling_db": ceiling_db})
        made.append(limiter.process(padded[:, start : start + MOVE_SAMPLES]))
        course += [ceiling_db] * MOVE_SAMPLES
    out = np.concatenate(made, axis=1)[:, late:]
    highest = 10 ** (np.array([0.0] * MOVE_SAMPLES + course)[: out.shape[1]] / 20)
    assert (np.abs(out).max(axis=0) <= highest * 1.0001).all()
