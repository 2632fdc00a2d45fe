"""What gate and compressor listen to, and how far they look ahead."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effect_signals import RATE, MakeRack, peak_db, tone

from covermaker.effects import EFFECTS
from covermaker.effects.rack import InPlace, Rack
from covermaker.effects.spec import Late, defaults


def placed(chain: Rack, sound: np.ndarray) -> np.ndarray:
    """The sound of a rack in its own place."""
    shown = InPlace(chain, len(sound))
    return np.concatenate([shown.process(sound), shown.finish()], axis=1)


def keyed(chain: Rack, sound: np.ndarray, key: np.ndarray) -> np.ndarray:
    return chain.process(sound, {"vocals": key})


def test_a_gate_with_hysteresis_closes_later_than_it_opens(rack: MakeRack) -> None:
    """A tone that swells and fades: shut until -30 dB on the way up, open until -40 dB on the way down."""
    half = 3 * RATE
    course_db = np.concatenate([np.linspace(-60, -20, half), np.linspace(-20, -60, half)])
    sound = (10 ** (course_db / 20) * np.sin(2 * math.pi * 2000 * np.arange(2 * half) / RATE)).astype(
        np.float32
    )
    row = {"effect": "gate", "threshold_db": -30.0, "ratio": 100.0, "range_db": 60.0, "hold_ms": 0.0}
    row |= {"attack_ms": 0.1, "release_ms": 5.0}
    opened, closed = {}, {}
    for hysteresis_db in (0.0, 10.0):
        out = rack({**row, "hysteresis_db": hysteresis_db}, channels=1).process(sound[None])[0]
        passed = np.abs(out) > 0.9 * np.abs(sound)
        loud = np.flatnonzero(passed & (np.abs(sound) > 0.5 * 10 ** (course_db / 20)))
        opened[hysteresis_db], closed[hysteresis_db] = course_db[loud[0]], course_db[loud[-1]]
    assert opened[0.0] == pytest.approx(-30.0, abs=0.3)
    assert opened[10.0] == opened[0.0]
    assert closed[0.0] == pytest.approx(-30.0, abs=0.5)
    assert closed[10.0] == pytest.approx(-40.0, abs=0.5)


def test_hysteresis_stops_a_gate_from_fluttering(rack: MakeRack) -> None:
    """A level that wavers by 4 dB around the threshold: one opening instead of many."""
    time = np.arange(3 * RATE) / RATE
    level_db = -40.0 + 2.0 * np.sin(2 * math.pi * 4.0 * time)
    sound = (10 ** (level_db / 20) * np.sin(2 * math.pi * 1000 * time))[None].astype(np.float32)
    row = {"effect": "gate", "threshold_db": -40.0, "ratio": 20.0, "hold_ms": 0.0, "release_ms": 10.0}
    swinging = rack(row, channels=1).process(sound)
    steady = rack({**row, "hysteresis_db": 6.0}, channels=1).process(sound)
    assert np.abs(swinging - sound)[0, RATE:].max() > 0.002
    assert np.array_equal(steady[:, RATE:], sound[:, RATE:])


@pytest.mark.parametrize("lookahead_ms", [2.0, 5.0, 20.0])
def test_a_gate_that_looks_ahead_is_open_when_the_sound_begins(rack: MakeRack, lookahead_ms: float) -> None:
    """The first 2 ms of a word: 30 dB down without lookahead at the very start, whole with it."""
    begin = RATE // 4
    sound = np.concatenate([np.zeros((2, begin), np.float32), tone(1000.0, -10.0, 0.2)], axis=1)
    row = {"effect": "gate", "threshold_db": -40.0, "attack_ms": 0.3}
    late = placed(rack(row), sound)
    ahead = placed(rack({**row, "lookahead_ms": lookahead_ms}), sound)
    assert ahead.shape == sound.shape
    first = slice(begin, begin + 40)
    assert np.abs(late - sound)[:, first].max() > 0.5 * np.abs(sound[:, first]).max()
    assert np.abs(ahead - sound)[:, first].max() < 0.03 * np.abs(sound[:, first]).max()


@pytest.mark.parametrize("name", ["gate", "compressor"])
def test_the_latency_is_the_lookahead(name: str) -> None:
    kind = EFFECTS.load(name)
    for lookahead_ms in (0.0, 5.0):
        effect = kind(defaults(kind.SPECS) | {"lookahead_ms": lookahead_ms}, RATE, 2)
        assert isinstance(effect, Late)
        assert effect.latency_samples == round(lookahead_ms / 1000 * RATE)
        out = effect.process(tone(500.0, -6.0, 0.1))
        assert not out[:, : effect.latency_samples].any()
        assert out[:, effect.latency_samples + 1].any()


def test_a_compressor_that_looks_ahead_catches_the_first_crest(rack: MakeRack) -> None:
    """A step of 30 dB: without lookahead it overshoots by most of the reduction, with it hardly."""
    sound = np.concatenate([tone(1000.0, -36.0, 0.3), tone(1000.0, -6.0, 0.3)], axis=1)
    row = {"effect": "compressor", "threshold_db": -20.0, "ratio": 10.0, "knee_db": 0.0, "attack_ms": 2.0}
    step = slice(round(0.3 * RATE), round(0.305 * RATE))
    settled_db = peak_db(placed(rack(row), sound)[:, -RATE // 10 :])
    overshoot_db = peak_db(placed(rack(row), sound)[:, step]) - settled_db
    caught_db = peak_db(placed(rack({**row, "lookahead_ms": 10.0}), sound)[:, step]) - settled_db
    assert overshoot_db > 6.0
    assert caught_db < 0.5


def test_parallel_compression_with_lookahead_adds_up_in_place(rack: MakeRack) -> None:
    """Half dry and half compressed of one sound: no comb, the level between the two."""
    sound = (np.random.default_rng(4).standard_normal((2, RATE)) * 0.2).astype(np.float32)
    row = {"effect": "compressor", "threshold_db": -40.0, "lookahead_ms": 5.0}
    wet = placed(rack(row), sound)
    half = placed(rack({**row, "mix": 0.5}), sound)
    assert np.allclose(half, 0.5 * (sound + wet), atol=1e-6)


def test_a_low_cut_of_the_detector_lets_the_bass_be(rack: MakeRack) -> None:
    """A loud 50 Hz tone pumps what sits above it; with the low cut it does not, and still sounds."""
    bass, voice = tone(50.0, -6.0, 1.0), tone(2000.0, -30.0, 1.0)
    row = {"effect": "compressor", "threshold_db": -20.0, "ratio": 8.0, "knee_db": 0.0}
    pumped = rack(row).process(bass + voice)[:, -RATE // 2 :]
    left_alone = rack({**row, "detector_low_cut_hz": 500.0}).process(bass + voice)[:, -RATE // 2 :]
    expected = (bass + voice)[:, -RATE // 2 :]
    assert peak_db(pumped) < -14.0
    assert np.array_equal(left_alone, expected)


def test_music_ducks_under_a_voice(rack: MakeRack) -> None:
    """The key decides: 12 dB above the threshold at a ratio of 4 takes 9 dB, and gives them back."""
    music = tone(300.0, -30.0, 3.0)
    voice = np.concatenate(
        [np.zeros((2, RATE), np.float32), tone(800.0, -18.0, 1.0), np.zeros((2, RATE), np.float32)], axis=1
    )
    row = {"effect": "compressor", "sidechain": "vocals", "threshold_db": -30.0, "ratio": 4.0, "knee_db": 0.0}
    out = keyed(rack({**row, "attack_ms": 5.0, "release_ms": 50.0}), music, voice)
    assert np.array_equal(out[:, :RATE], music[:, :RATE])
    assert peak_db(out[:, RATE + RATE // 2 : 2 * RATE]) == pytest.approx(-39.0, abs=0.3)
    assert np.allclose(out[:, -RATE // 4 :], music[:, -RATE // 4 :], atol=1e-5)


def test_a_gate_opens_on_its_key(rack: MakeRack) -> None:
    pad = tone(200.0, -12.0, 2.0)
    beat = np.concatenate([np.zeros((1, RATE), np.float32), tone(100.0, -6.0, 1.0, channels=1)], axis=1)
    row = {"effect": "gate", "sidechain": "vocals", "threshold_db": -30.0, "range_db": 60.0, "ratio": 100.0}
    out = keyed(rack(row), pad, beat)
    assert peak_db(out[:, RATE // 2 : RATE]) == pytest.approx(-72.0, abs=0.5)
    assert np.array_equal(out[:, -RATE // 2 :], pad[:, -RATE // 2 :])
