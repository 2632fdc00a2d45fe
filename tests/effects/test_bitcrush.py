"""Bits and rates: the steps there are, what is held, what folds back and what the filter takes away."""

from __future__ import annotations

import numpy as np
import pytest
from effect_signals import RATE, MakeRack, tone

FULL = {"effect": "bitcrush", "rate_hz": 48000.0}


def db_at(sound: np.ndarray, hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(sound[0] * np.blackman(sound.shape[1])))
    near = round(hz * sound.shape[1] / RATE)
    return float(20 * np.log10(spectrum[near - 3 : near + 4].max() / sound.shape[1] + 1e-12))


@pytest.mark.parametrize("bits", [1.0, 4.0, 8.0, 12.0, 16.0])
def test_the_steps_are_those_of_so_many_bits(rack: MakeRack, bits: float) -> None:
    sound = tone(100.0, 0.0, 0.5)
    out = rack({**FULL, "bits": bits}).process(sound)
    step = 2.0 ** (1 - bits)
    assert np.allclose(out / step, np.rint(out / step), atol=1e-4)
    assert np.abs(out - sound).max() <= step / 2 + 1e-6
    if bits <= 8:
        assert len(np.unique(out)) == 2**bits + 1  # both ends of the range are steps


@pytest.mark.parametrize("bits", [6.0, 10.0])
def test_the_noise_is_that_of_the_steps(rack: MakeRack, bits: float) -> None:
    """A step squared over twelve."""
    sound = np.random.default_rng(0).uniform(-0.9, 0.9, (2, RATE)).astype(np.float32)
    noise = rack({**FULL, "bits": bits}).process(sound) - sound
    step = 2.0 ** (1 - bits)
    assert float(np.square(noise, dtype=np.float64).mean()) == pytest.approx(step * step / 12.0, rel=0.02)


def test_samples_are_held(rack: MakeRack) -> None:
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 4410)).astype(np.float32)
    out = rack({"effect": "bitcrush", "bits": 16.0, "rate_hz": RATE / 3}).process(sound)
    assert np.allclose(out[:, ::3], sound[:, ::3], atol=2.0**-16)
    for later in (1, 2):
        assert np.array_equal(out[:, ::3], out[:, later::3])
    uneven = rack({"effect": "bitcrush", "bits": 16.0, "rate_hz": 10000.0}).process(sound)
    runs = np.diff(np.flatnonzero(np.diff(uneven[0])))
    assert set(runs.tolist()) == {4, 5}
    assert runs.mean() == pytest.approx(4.41, abs=0.01)


def test_without_the_filter_it_folds_back_and_with_it_not(rack: MakeRack) -> None:
    """7 kHz at 10 kHz a second is heard at 3 kHz."""
    row = {"effect": "bitcrush", "bits": 16.0, "rate_hz": 10000.0}
    sound = tone(7000.0, -6.0, 1.0)
    folded = rack(row).process(sound)
    clean = rack({**row, "filter": True}).process(sound)
    assert db_at(folded, 3000.0) > -26.0
    assert db_at(clean, 3000.0) < db_at(folded, 3000.0) - 25.0
    passed = rack({**row, "filter": True}).process(tone(500.0, -6.0, 1.0))
    assert db_at(passed, 500.0) == pytest.approx(db_at(tone(500.0, -6.0, 1.0), 500.0), abs=0.3)


def test_mix_is_a_share(rack: MakeRack) -> None:
    sound = tone(333.0, -3.0, 0.3)
    whole = rack({**FULL, "bits": 3.0}).process(sound)
    half = rack({**FULL, "bits": 3.0, "mix": 0.5}).process(sound)
    assert np.allclose(half, (whole + sound) / 2, atol=1e-6)
