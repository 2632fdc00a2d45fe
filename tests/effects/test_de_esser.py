"""The de-esser: what it takes, what it leaves, what it lets one hear."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effect_signals import RATE, MakeRack, peak_db, tone

HARD = {"effect": "de_esser", "frequency_hz": 5000.0, "threshold_db": -40.0, "ratio": 20.0, "range_db": 12.0}


def settled(sound: np.ndarray) -> np.ndarray:
    return sound[:, -RATE // 2 :]


def level_db(sound: np.ndarray, hz: float) -> float:
    """Amplitude of one frequency in the last half second."""
    part = settled(sound)[0].astype(np.float64)
    turn = np.exp(-2j * math.pi * hz / RATE * np.arange(len(part)))
    return 20 * math.log10(max(2 * abs(complex((part * turn).mean())), 1e-12))


def shelf_db(hz: float, reduction_db: float, corner_hz: float = 5000.0) -> float:
    """The curve that theory gives, with the bend of the frequency axis by the bilinear transform."""
    s8 = (math.tan(math.pi * hz / RATE) / math.tan(math.pi * corner_hz / RATE)) ** 8
    g = 10 ** (-reduction_db / 20)
    return 10 * math.log10((1 + g * g * s8) / (1 + s8))


@pytest.mark.parametrize("hz", [1000.0, 3000.0, 5000.0, 7000.0, 10000.0, 15000.0])
def test_high_tones_fall_by_the_range_and_low_ones_stay(rack: MakeRack, hz: float) -> None:
    """A loud hiss at 9 kHz brings it to its range; a quiet tone beside it shows the curve."""
    hiss = tone(9000.0, -6.0, 1.5)
    probe = tone(hz, -50.0, 1.5)
    out = rack(HARD).process(hiss + probe)
    assert level_db(out, hz) - level_db(probe, hz) == pytest.approx(shelf_db(hz, 12.0), abs=0.1)


def test_a_sharp_tone_is_turned_down_and_a_voiced_one_is_not(rack: MakeRack) -> None:
    sharp = tone(7000.0, -10.0, 1.5)
    assert level_db(rack(HARD).process(sharp), 7000.0) == pytest.approx(
        -10.0 + shelf_db(7000.0, 12.0), abs=0.1
    )
    assert shelf_db(7000.0, 12.0) < -8.0
    voiced = tone(1000.0, -10.0, 1.5)
    assert level_db(rack(HARD).process(voiced), 1000.0) == pytest.approx(-10.0, abs=0.05)
    low = tone(300.0, -6.0, 1.5)
    assert np.array_equal(settled(rack(HARD).process(low)), settled(low))


@pytest.mark.parametrize("over_db", [3.0, 6.0, 9.0])
def test_ratio_and_range(rack: MakeRack, over_db: float) -> None:
    """Above its threshold the high part falls by the ratio, up to the range."""
    row = {**HARD, "ratio": 3.0, "range_db": 4.0, "frequency_hz": 2000.0, "threshold_db": -30.0}
    out = rack(row).process(tone(15000.0, -30.0 + over_db, 1.5))
    expected = min(4.0, over_db * (1 - 1 / 3))
    assert level_db(out, 15000.0) == pytest.approx(-30.0 + over_db - expected, abs=0.2)


def test_nothing_is_touched_below_the_threshold(rack: MakeRack) -> None:
    noise = (np.random.default_rng(0).standard_normal((2, RATE)) * 0.001).astype(np.float32)
    assert np.array_equal(rack(HARD).process(noise), noise)


def test_what_is_heard_by_listening_is_exactly_what_is_missing(rack: MakeRack) -> None:
    noise = (np.random.default_rng(1).standard_normal((2, RATE)) * 0.1).astype(np.float32)
    out = rack(HARD).process(noise)
    taken = rack({**HARD, "listen": True}).process(noise)
    assert peak_db(taken) > -20.0
    assert np.allclose(out + taken, noise, atol=1e-7)


def test_it_lets_go_after_the_s(rack: MakeRack) -> None:
    """A sharp stretch between two quiet ones: before and after, every sample is what it was."""
    quiet = tone(8000.0, -60.0, 1.0)
    loud = tone(8000.0, -6.0, 0.2)
    sound = np.concatenate([quiet, loud, quiet], axis=1)
    out = rack({**HARD, "release_ms": 20.0}).process(sound)
    assert np.array_equal(out[:, :RATE], sound[:, :RATE])
    assert np.array_equal(settled(out), settled(sound))
    assert peak_db(out[:, RATE + 2000 : RATE + 8000]) < -6.0 + shelf_db(8000.0, 12.0) + 0.2


def test_it_tells_how_far_it_went(rack: MakeRack) -> None:
    chain = rack(HARD)
    chain.process(tone(9000.0, -6.0, 1.0))
    (stage,) = chain.reductions()
    assert stage.maximum_db == pytest.approx(12.0, abs=0.1)
