"""Chorus and doubler: where the copies are, how far they are out of tune, and that the sound itself stays."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effect_signals import RATE, MakeRack, rms_db, tone

from covermaker.effects.spec import OFF_DB
from covermaker.effects.wander import WanderingLine


def click(seconds: float, *, at: int = 0, channels: int = 2) -> np.ndarray:
    sound = np.zeros((channels, round(seconds * RATE)), np.float32)
    sound[:, at] = 1.0
    return sound


def cents_between(sound: np.ndarray, hz: float) -> np.ndarray:
    """The frequency of a tone from 10 ms to 10 ms, in cents from `hz`."""
    step = round(0.01 * RATE)
    turned = sound * np.exp(-2j * np.pi * hz / RATE * np.arange(len(sound)))
    smooth = np.convolve(turned, np.hanning(4 * step), mode="valid")[::step]
    phase = np.unwrap(np.angle(smooth))
    return 1200 * np.log2(1.0 + np.diff(phase) / (2 * np.pi * 0.01 * hz))


def test_between_samples_the_line_is_right() -> None:
    """A tone read 10.25 samples late is that tone, 10.25 samples late."""
    line = WanderingLine(20.0, 1)
    hz = 1000.0
    sound = tone(hz, 0.0, 0.1, channels=1)
    line.push(sound)
    late = line.read(0, np.full(sound.shape[1], 10.25))
    expected = np.sin(2 * math.pi * hz * (np.arange(sound.shape[1]) - 10.25) / RATE)
    assert np.abs(late[50:] - expected[50:]).max() < 2e-4
    assert np.array_equal(line.read(0, np.full(sound.shape[1], 7.0))[7:], sound[0, :-7])


@pytest.mark.parametrize("effect", ["chorus", "doubler"])
def test_the_sound_itself_is_not_late(rack: MakeRack, effect: str) -> None:
    """Before the first copy there is the input alone, at its own place."""
    out = rack({"effect": effect}).process(click(0.1, at=500))
    share = 1.0 - 0.35 if effect == "chorus" else 1.0
    assert np.allclose(out[:, 500], share)
    first_ms = 8.0 if effect == "chorus" else 14.0 - 6.0
    gap = 500 + round(first_ms / 1000 * RATE) - 3
    assert not out[:, :500].any()
    assert not out[:, 501:gap].any()
    assert np.abs(out[:, gap:]).max() > 0.01


def test_chorus_copies_stay_within_their_swing(rack: MakeRack) -> None:
    row = {"effect": "chorus", "delay_ms": 8.0, "depth_ms": 2.0, "mix": 1.0, "rate_hz": 2.0, "voices": 3.0}
    heard = np.zeros(1500)
    for at in range(0, RATE // 2, 1111):
        out = rack(row).process(click(1.0, at=at))
        heard += np.abs(out).sum(axis=0)[at : at + 1500]
    places = np.flatnonzero(heard > 1e-3) / RATE * 1000
    assert places.min() == pytest.approx(8.0, abs=0.1)
    assert places.max() == pytest.approx(12.0, abs=0.1)


def test_chorus_sways_the_pitch_by_what_rate_and_depth_say(rack: MakeRack) -> None:
    """The steepest slope of the delay is 2 pi rate depth; the pitch sways by as much, to both sides."""
    row = {"effect": "chorus", "voices": 1.0, "mix": 1.0, "rate_hz": 1.5, "depth_ms": 3.0, "spread": 0.0}
    out = rack(row).process(tone(1000.0, 0.0, 3.0))
    cents = cents_between(out[0, RATE // 2 :].astype(np.float64), 1000.0)
    steepest = 2 * math.pi * 1.5 * 0.003
    assert cents.max() == pytest.approx(1200 * math.log2(1 + steepest), rel=0.03)
    assert cents.min() == pytest.approx(1200 * math.log2(1 - steepest), rel=0.03)


def test_chorus_voices_and_spread(rack: MakeRack) -> None:
    noise = np.repeat(np.random.default_rng(0).standard_normal((1, RATE)) * 0.1, 2, axis=0).astype(np.float32)
    row = {"effect": "chorus", "mix": 1.0}
    middle = rack({**row, "spread": 0.0}).process(noise)
    assert np.array_equal(middle[0], middle[1])
    wide = rack({**row, "spread": 1.0}).process(noise)
    assert abs(np.corrcoef(wide)[0, 1]) < 0.5
    loud = [rms_db(rack({**row, "voices": voices}).process(noise)) for voices in (1.0, 4.0)]
    assert loud[1] < loud[0]  # unlike voices share one level


def test_doubler_copies_are_where_they_are_said_to_be(rack: MakeRack) -> None:
    row = {"effect": "doubler", "cents": 0.0, "level_db": -6.0, "left_ms": 10.0, "right_ms": 20.0}
    out = rack(row).process(click(0.1))
    expected = np.zeros_like(out)
    expected[:, 0] = 1.0
    expected[0, 441] = expected[1, 882] = 10 ** (-6 / 20)
    assert np.allclose(out, expected, atol=1e-6)


def test_doubler_leaves_the_middle_as_it_is(rack: MakeRack) -> None:
    """The copies are equally loud at both sides, so that the voice stays in the middle."""
    noise = np.repeat(np.random.default_rng(0).standard_normal((1, RATE)) * 0.1, 2, axis=0).astype(np.float32)
    added = rack({"effect": "doubler", "level_db": -3.0}).process(noise) - noise
    late = added[:, 2000:]
    assert rms_db(late[0]) == pytest.approx(rms_db(late[1]), abs=0.5)
    assert abs(np.corrcoef(late)[0, 1]) < 0.1
    narrow = rack({"effect": "doubler", "level_db": -3.0, "width": 0.0}).process(noise) - noise
    assert np.allclose(narrow[0], narrow[1], atol=1e-6)
    assert rms_db(narrow[:, 2000:]) == pytest.approx(rms_db(late), abs=0.5)  # as loud, wherever it is


@pytest.mark.parametrize("cents", [3.0, 6.0, 20.0])
def test_doubler_detunes_left_down_and_right_up(rack: MakeRack, cents: float) -> None:
    """Steadily, over seconds: the copies do not drift away, and their joins are not heard."""
    hz = 300.0
    sound = tone(hz, -6.0, 6.0)
    copies = rack({"effect": "doubler", "level_db": 0.0, "cents": cents}).process(sound) - sound
    for copy, expected in zip(copies[:, RATE // 2 :].astype(np.float64), (-cents, cents), strict=True):
        assert np.median(cents_between(copy, hz)) == pytest.approx(expected, abs=0.3)
        level = np.convolve(copy * copy, np.ones(441) / 441, mode="valid")
        assert level.min() > 0.7 * np.median(level)


def test_off_is_off(rack: MakeRack) -> None:
    sound = tone(440.0, -6.0, 0.5)
    assert np.array_equal(rack({"effect": "doubler", "level_db": OFF_DB}).process(sound), sound)
    assert np.array_equal(rack({"effect": "chorus", "mix": 0.0}).process(sound), sound)
