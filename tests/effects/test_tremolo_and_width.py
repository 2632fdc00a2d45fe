"""Tremolo and stereo width against what their names promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effect_signals import RATE, MakeRack, response_db, tone

from covermaker.effects.spec import OFF_DB
from covermaker.effects.tremolo import Tremolo


def level(rack: MakeRack, row: dict[str, object], seconds: float = 2.0) -> np.ndarray:
    """What the effect multiplies by."""
    ones = np.full((2, round(seconds * RATE)), 0.5, np.float32)
    return rack({"effect": "tremolo", **row}).process(ones) * 2.0


@pytest.mark.parametrize("shape", ["sine", "triangle", "square"])
@pytest.mark.parametrize("depth", [0.25, 0.5, 1.0])
def test_it_swings_between_all_and_what_the_depth_leaves(rack: MakeRack, shape: str, depth: float) -> None:
    gain = level(rack, {"rate_hz": 4.0, "depth": depth, "shape": shape})
    assert gain.max() == pytest.approx(1.0, abs=1e-6)
    assert gain.min() == pytest.approx(1.0 - depth, abs=2e-4)
    assert gain[0, 0] == 1.0
    assert gain.mean() == pytest.approx(1.0 - depth / 2, abs=1e-3)
    assert np.array_equal(gain[0], gain[1])


def test_its_rate(rack: MakeRack) -> None:
    """A sine of 6 Hz: the level repeats every 7350 samples, and follows the formula."""
    gain = level(rack, {"rate_hz": 6.0, "depth": 0.8})
    time = np.arange(gain.shape[1]) / RATE
    expected = 1.0 - 0.8 * (0.5 - 0.5 * np.cos(2 * math.pi * 6.0 * time))
    assert np.allclose(gain[0], expected, atol=1e-6)


@pytest.mark.parametrize("degrees", [90.0, 180.0])
def test_the_right_side_swings_later(rack: MakeRack, degrees: float) -> None:
    gain = level(rack, {"rate_hz": 5.0, "depth": 1.0, "stereo_degrees": degrees})
    later = round(degrees / 360.0 / 5.0 * RATE)
    assert np.allclose(gain[1, later:], gain[0, :-later], atol=1e-4)
    if degrees == 180.0:
        assert np.allclose(gain.sum(axis=0), 1.0, atol=1e-6)  # what one side loses the other has


def test_a_square_has_soft_edges(rack: MakeRack) -> None:
    """No step: at 10 Hz the level takes 5 ms from one end to the other."""
    gain = level(rack, {"rate_hz": 10.0, "depth": 1.0, "shape": "square"})
    assert np.abs(np.diff(gain[0])).max() < 0.01
    assert np.mean((gain[0] > 0.01) & (gain[0] < 0.99)) < 0.12


def test_a_moving_rate_goes_on_from_where_it_is() -> None:
    values = {"rate_hz": 3.0, "sync": "off", "depth": 1.0, "shape": "sine", "stereo_degrees": 0.0}
    effect = Tremolo(values, RATE, 1)
    ones = np.ones((1, 6400), np.float32)
    made = [effect.process(ones)]
    effect.move({"rate_hz": 9.0})
    made.append(effect.process(ones))
    gain = np.concatenate(made, axis=1)[0]
    assert np.abs(np.diff(gain)).max() < 2 * math.pi * 9.0 / RATE


def test_width_0_is_mono_and_2_doubles_the_side(rack: MakeRack) -> None:
    sound = (np.random.default_rng(0).standard_normal((2, 5000)) * 0.1).astype(np.float32)
    mid, side = sound.mean(axis=0), (sound[0] - sound[1]) / 2
    narrow = rack({"effect": "width", "width": 0.0}).process(sound)
    assert np.array_equal(narrow[0], narrow[1])
    assert np.allclose(narrow[0], mid, atol=1e-7)
    wide = rack({"effect": "width", "width": 2.0}).process(sound)
    assert np.allclose(wide.mean(axis=0), mid, atol=1e-7)
    assert np.allclose((wide[0] - wide[1]) / 2, 2 * side, atol=1e-7)


def test_middle_and_side_have_levels_of_their_own(rack: MakeRack) -> None:
    sound = (np.random.default_rng(1).standard_normal((2, 5000)) * 0.1).astype(np.float32)
    out = rack({"effect": "width", "mid_db": -6.0, "side_db": 3.0, "width": 1.5}).process(sound)
    assert np.allclose(out.mean(axis=0), sound.mean(axis=0) * 10 ** (-6 / 20), atol=1e-7)
    expected = (sound[0] - sound[1]) / 2 * 1.5 * 10 ** (3 / 20)
    assert np.allclose((out[0] - out[1]) / 2, expected, atol=1e-7)
    only_side = rack({"effect": "width", "mid_db": OFF_DB}).process(tone(300.0, -6.0, 0.1))
    assert not only_side.any()


def test_the_bass_becomes_mono(rack: MakeRack) -> None:
    """A sound of opposite sides falls by 3 dB at the corner and 12 dB an octave below; a centred one stays."""
    row = {"effect": "width", "mono_below_hz": 200.0}
    assert response_db(rack(row), 50.0) == pytest.approx(0.0, abs=1e-6)
    for hz, expected_db in ((200.0, -3.01), (100.0, -12.3), (50.0, -24.1), (5000.0, 0.0)):
        click = np.zeros((2, 1 << 16), np.float32)
        click[0, 0], click[1, 0] = 1.0, -1.0
        answer = rack(row).process(click)
        assert np.allclose(answer[0], -answer[1], atol=1e-7)
        turn = np.exp(-2j * math.pi * hz / RATE * np.arange(1 << 16))
        assert 20 * math.log10(abs(complex((answer[0] * turn).sum()))) == pytest.approx(expected_db, abs=0.1)
