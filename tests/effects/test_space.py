"""Reverb and delay: exact dry sound, exact echoes, decay and tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effect_signals import RATE, MakeRack, rms_db

from covermaker.effects.spec import OFF_DB

OPEN = {"low_cut_hz": 20.0, "high_cut_hz": 20000.0}


def click(seconds: float, *, at: int = 0) -> np.ndarray:
    sound = np.zeros((2, round(seconds * RATE)), np.float32)
    sound[:, at] = 1.0
    return sound


def noise(seconds: float, *, seed: int = 3) -> np.ndarray:
    one = np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * 0.1
    return np.repeat(one[None], 2, axis=0).astype(np.float32)


@pytest.mark.parametrize("effect", ["reverb", "delay"])
def test_dry_sound_is_exact(rack: MakeRack, effect: str) -> None:
    """Before the first reflection there is the input, to the bit, at unity; or at what `dry_db` says."""
    sound = noise(0.02)
    assert np.array_equal(rack({"effect": effect, "wet_db": 0.0}).process(sound), sound)
    half = rack({"effect": effect, "wet_db": 0.0, "dry_db": -6.0}).process(sound)
    assert np.allclose(half, sound * 10 ** (-6 / 20), rtol=1e-6)
    assert not rack({"effect": effect, "dry_db": OFF_DB}).process(sound).any()


@pytest.mark.parametrize("pre_delay_ms", [0.0, 10.0, 123.0])
def test_reverb_starts_25_ms_after_the_sound_plus_pre_delay(rack: MakeRack, pre_delay_ms: float) -> None:
    row = {"effect": "reverb", "dry_db": OFF_DB, "wet_db": 0.0, "pre_delay_ms": pre_delay_ms, **OPEN}
    out = rack(row).process(click(0.5))
    first = int(np.flatnonzero(np.abs(out[0]) > 1e-6)[0])
    assert first / RATE * 1000 == pytest.approx(25.3 + pre_delay_ms, abs=0.3)


@pytest.mark.parametrize("room_size", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("damping", [0.1, 0.8])
def test_reverb_at_0_db_is_as_loud_as_a_centred_source(
    rack: MakeRack, room_size: float, damping: float
) -> None:
    row = {
        "effect": "reverb",
        "dry_db": OFF_DB,
        "wet_db": 0.0,
        "room_size": room_size,
        "damping": damping,
        **OPEN,
    }
    out = rack(row).process(click(12.0))
    energy = float(np.square(out, dtype=np.float64).sum()) / 2
    assert 10 * math.log10(energy) == pytest.approx(0.0, abs=0.05)
    quieter = rack({**row, "wet_db": -20.0}).process(click(12.0))
    assert np.allclose(quieter, out / 10, atol=1e-6)


@pytest.mark.parametrize(("room_size", "rt60"), [(0.0, 0.61), (0.5, 1.17), (0.9, 4.06)])
def test_reverb_decay_time(rack: MakeRack, room_size: float, rt60: float) -> None:
    """Backward-integrated decay (Schroeder), -5 to -35 dB."""
    row = {"effect": "reverb", "dry_db": OFF_DB, "wet_db": 0.0, "room_size": room_size, **OPEN}
    out = rack(row).process(click(7.0))
    energy = np.cumsum(np.square(out[0, ::-1], dtype=np.float64))[::-1]
    decay_db = 10 * np.log10(np.maximum(energy / energy[0], 1e-15))
    start, stop = (int(np.argmax(decay_db < level)) for level in (-5.0, -35.0))
    assert 2 * (stop - start) / RATE == pytest.approx(rt60, rel=0.2)


def test_reverb_width(rack: MakeRack) -> None:
    row = {"effect": "reverb", "dry_db": OFF_DB, "wet_db": 0.0}
    narrow = rack({**row, "width": 0.0}).process(noise(0.5))
    wide = rack({**row, "width": 1.0}).process(noise(0.5))
    assert np.allclose(narrow[0], narrow[1], atol=1e-6)
    assert abs(np.corrcoef(wide)[0, 1]) < 0.3


def test_reverb_cuts_its_wet_sound_only(rack: MakeRack) -> None:
    row = {"effect": "reverb", "dry_db": OFF_DB, "wet_db": 0.0, "low_cut_hz": 500.0, "high_cut_hz": 5000.0}
    spectrum = np.abs(np.fft.rfft(rack(row).process(click(3.0))[0])) ** 2
    open_ = np.abs(np.fft.rfft(rack({**row, **OPEN}).process(click(3.0))[0])) ** 2
    hz = np.fft.rfftfreq(3 * RATE, 1 / RATE)

    def lost_db(low: float, high: float) -> float:
        band = (hz > low) & (hz < high)
        return 10 * math.log10(spectrum[band].sum() / open_[band].sum())

    assert lost_db(115.0, 135.0) == pytest.approx(-24.0, abs=1.5)
    assert lost_db(1200.0, 2000.0) == pytest.approx(0.0, abs=0.3)
    assert lost_db(9500.0, 10500.0) == pytest.approx(-13.8, abs=2.5)
    dry = rack({**row, "dry_db": 0.0, "wet_db": OFF_DB}).process(noise(0.3))
    assert np.array_equal(dry, noise(0.3))


@pytest.mark.parametrize("time_ms", [5.0, 100.0, 333.33])
@pytest.mark.parametrize("feedback", [0.0, 0.5, 0.9])
def test_delay_echoes_are_exact(rack: MakeRack, time_ms: float, feedback: float) -> None:
    row = {"effect": "delay", "time_ms": time_ms, "feedback": feedback, "wet_db": -6.0, **OPEN}
    out = rack(row).process(click(1.5, at=1000))
    step = round(time_ms / 1000 * RATE)
    expected = np.zeros(out.shape[1])
    expected[1000] = 1.0
    for n in range(1, 1 + (out.shape[1] - 1001) // step):
        expected[1000 + n * step] = 10 ** (-6 / 20) * feedback ** (n - 1)
    assert np.allclose(out, expected, atol=1e-7)


def test_delay_ping_pong_changes_sides(rack: MakeRack) -> None:
    row = {"effect": "delay", "time_ms": 10.0, "feedback": 0.5, "ping_pong": True, "wet_db": 0.0, **OPEN}
    out = rack(row).process(click(0.1))
    step = 441
    assert out[:, step].tolist() == [1.0, 0.0]
    assert out[:, 2 * step].tolist() == [0.0, 0.5]
    assert out[:, 3 * step].tolist() == [0.25, 0.0]


def test_delay_repeats_get_darker(rack: MakeRack) -> None:
    row = {"effect": "delay", "time_ms": 100.0, "feedback": 0.9, "low_cut_hz": 20.0, "high_cut_hz": 2000.0}
    out = rack({**row, "wet_db": 0.0, "dry_db": OFF_DB}).process(click(0.5))

    def brightness(n: int) -> float:
        spectrum = np.abs(np.fft.rfft(out[0, n * 4410 : (n + 1) * 4410])) ** 2
        return float(spectrum[400:].sum() / spectrum.sum())

    assert brightness(1) > 2 * brightness(2) > 4 * brightness(3)


@pytest.mark.parametrize("duck_db", [3.0, 9.0])
def test_echoes_duck_while_the_sound_plays(rack: MakeRack, duck_db: float) -> None:
    """They give way by so much, and are back a while after it has ended; the sound itself stays."""
    row = {
        "effect": "delay",
        "time_ms": 300.0,
        "feedback": 0.0,
        "wet_db": -6.0,
        "duck_release_ms": 50.0,
        **OPEN,
    }
    sound = np.concatenate([noise(1.0), np.zeros((2, RATE), np.float32)], axis=1)
    plain = rack(row).process(sound) - sound
    ducked = rack({**row, "duck_db": duck_db, "duck_threshold_db": -50.0}).process(sound) - sound
    during, ending = slice(RATE // 2, RATE - 100), slice(RATE + round(0.28 * RATE), RATE + round(0.3 * RATE))
    assert rms_db(plain[:, during]) - rms_db(ducked[:, during]) == pytest.approx(duck_db, abs=0.05)
    assert rms_db(plain[:, ending]) - rms_db(ducked[:, ending]) < 0.05
    quiet = sound * np.float32(1e-3)  # below the threshold: nothing gives way
    assert np.array_equal(
        rack({**row, "duck_db": duck_db}).process(quiet), rack({**row, "duck_db": 0.0}).process(quiet)
    )


@pytest.mark.parametrize("row", [
    {"effect": "reverb", "room_size": 0.3, "pre_delay_ms": 80.0, "wet_db": 0.0},
    {"effect": "delay", "time_ms": 200.0, "feedback": 0.5, "wet_db": 0.0},
])  # fmt: skip
def test_tail_bound_is_near_the_truth(rack: MakeRack, row: dict[str, object]) -> None:
    """Not only an upper bound: sound above -100 dB is still there at half of it."""
    chain = rack(row)
    chain.process(noise(1.0))
    bound = round(chain.tail_seconds() * RATE)
    tail = chain.process(np.zeros((2, bound), np.float32))
    assert rms_db(tail[:, bound // 2 :]) > -100.0
