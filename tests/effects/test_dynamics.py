"""Gate and compressor against their static curves and time constants."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effect_signals import RATE, MakeRack, peak_db, tone

QUICK = {"attack_ms": 5.0, "release_ms": 200.0}


def settled(sound: np.ndarray) -> np.ndarray:
    return sound[:, -RATE // 2 :]


@pytest.mark.parametrize("hz", [100.0, 1000.0, 6000.0])
@pytest.mark.parametrize("over_db", [-6.0, 0.0, 3.0, 8.0, 20.0])
@pytest.mark.parametrize("ratio", [2.0, 4.0, 20.0])
def test_compressor_static_curve(rack: MakeRack, hz: float, over_db: float, ratio: float) -> None:
    threshold_db = -25.0
    row = {"effect": "compressor", "threshold_db": threshold_db, "ratio": ratio, "knee_db": 0.0, **QUICK}
    sound = tone(hz, threshold_db + over_db, 2.0)
    out = settled(rack(row).process(sound))
    expected = over_db if over_db < 0 else over_db / ratio
    assert peak_db(out) - threshold_db == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("over_db", [-6.0, -5.0, -2.0, 0.0, 3.0, 5.0, 6.0])
def test_compressor_soft_knee(rack: MakeRack, over_db: float) -> None:
    """Giannoulis et al. 2012, equation 4: a parabola over the knee's width."""
    knee_db, ratio = 12.0, 4.0
    row = {"effect": "compressor", "threshold_db": -20.0, "ratio": ratio, "knee_db": knee_db, **QUICK}
    out = settled(rack(row).process(tone(2000.0, -20.0 + over_db, 2.0)))
    expected = over_db + (1 / ratio - 1) * (over_db + knee_db / 2) ** 2 / (2 * knee_db)
    assert peak_db(out) + 20.0 == pytest.approx(expected, abs=0.2)


def test_compressor_links_its_channels(rack: MakeRack) -> None:
    """A loud left turns the right down by the same amount: the image stays where it is."""
    sound = tone(1000.0, -6.0, 1.0)
    sound[1] *= 0.1
    chain = rack({"effect": "compressor", "threshold_db": -26.0, "ratio": 4.0})
    out = chain.process(sound)
    assert np.allclose(out[1], out[0] * 0.1, atol=1e-6)
    assert peak_db(settled(out)[:1]) < -18.0


def test_compressor_attack_and_release_times(rack: MakeRack) -> None:
    """63 % of a step in dB within the attack time; 37 % of it is left after release plus attack smoothing."""
    attack_ms, release_ms = 20.0, 100.0
    quiet, loud = tone(5000.0, -40.0, 0.5), tone(5000.0, -10.0, 0.5)
    row = {"effect": "compressor", "threshold_db": -30.0, "ratio": 2.0, "knee_db": 0.0}
    row |= {"attack_ms": attack_ms, "release_ms": release_ms}
    sound = np.concatenate([quiet, loud, quiet], axis=1)
    out = rack(row).process(sound)
    with np.errstate(divide="ignore", invalid="ignore"):
        reduction_db = -20 * np.log10(np.abs(out[0] / sound[0]))
    full_db = 10.0

    def at(seconds: float) -> float:
        near = round(seconds * RATE)
        return float(np.nanmedian(reduction_db[near - 20 : near + 20]))

    assert at(0.45) == pytest.approx(0.0, abs=0.01)
    assert at(0.5 + attack_ms / 1000) == pytest.approx(full_db * (1 - math.exp(-1)), abs=0.5)
    assert at(0.95) == pytest.approx(full_db, abs=0.3)
    # Two poles in a row, release and attack.
    elapsed = 0.15
    one, two = math.exp(-elapsed * 1000 / release_ms), math.exp(-elapsed * 1000 / attack_ms)
    expected = full_db * (release_ms * one - attack_ms * two) / (release_ms - attack_ms)
    assert at(1.0 + elapsed) == pytest.approx(expected, abs=0.3)


def test_compressor_makeup_and_mix(rack: MakeRack) -> None:
    sound = tone(1000.0, -10.0, 2.0)
    base = {"effect": "compressor", "threshold_db": -30.0, "ratio": 4.0, "knee_db": 0.0, **QUICK}
    assert peak_db(settled(rack({**base, "makeup_db": 7.0}).process(sound))) == pytest.approx(
        -25.0 + 7.0, abs=0.5
    )
    blend = 0.25 * 10 ** (-15.0 / 20) + 0.75
    out = settled(rack({**base, "mix": 0.25}).process(sound))
    assert peak_db(out) == pytest.approx(-10.0 + 20 * math.log10(blend), abs=0.2)


def test_compressor_reports_its_reduction(rack: MakeRack) -> None:
    chain = rack(
        {"effect": "gain"}, {"effect": "compressor", "threshold_db": -30.0, "ratio": 2.0, "knee_db": 0.0}
    )
    chain.process(np.concatenate([tone(3000.0, -10.0, 1.0), np.zeros((2, 3 * RATE), np.float32)], axis=1))
    (stage,) = chain.reductions()
    assert (stage.index, stage.effect) == (1, "compressor")
    assert stage.maximum_db == pytest.approx(10.0, abs=0.3)
    assert stage.mean_db == pytest.approx(10.0 / 4, abs=0.5)


@pytest.mark.parametrize(("below_db", "expected_db"), [(3.0, 9.0), (6.0, 18.0), (10.0, 24.0), (30.0, 24.0)])
def test_gate_static_curve(rack: MakeRack, below_db: float, expected_db: float) -> None:
    """Ratio 4 takes 3 dB more per dB below the threshold, down to the range."""
    row = {"effect": "gate", "threshold_db": -40.0, "ratio": 4.0, "range_db": 24.0, "hold_ms": 0.0}
    sound = tone(4000.0, -40.0 - below_db, 2.0)
    out = settled(rack(row).process(sound))
    assert peak_db(sound) - peak_db(out) == pytest.approx(expected_db, abs=0.5)


@pytest.mark.parametrize("hz", [60.0, 100.0, 1000.0])
def test_gate_lets_pass_what_is_above(rack: MakeRack, hz: float) -> None:
    """Low notes too: between two crests of a wave the gate must not start to close."""
    row = {"effect": "gate", "threshold_db": -40.0, "ratio": 100.0, "range_db": 90.0, "hold_ms": 20.0}
    sound = tone(hz, -37.0, 1.0)
    assert np.array_equal(settled(rack(row).process(sound)), settled(sound))


def test_gate_holds_then_releases(rack: MakeRack) -> None:
    loud, noise = tone(2000.0, -10.0, 0.3), tone(2000.0, -70.0, 0.7)
    row = {"effect": "gate", "threshold_db": -40.0, "ratio": 10.0, "range_db": 40.0}
    row |= {"hold_ms": 200.0, "release_ms": 50.0}
    sound = np.concatenate([loud, noise], axis=1)
    out = rack(row).process(sound)
    held = slice(round(0.32 * RATE), round(0.49 * RATE))
    assert np.array_equal(out[:, held], sound[:, held])
    late = slice(round(0.9 * RATE), None)
    assert peak_db(out[:, late]) == pytest.approx(-110.0, abs=1.0)


def test_gate_opens_within_its_attack(rack: MakeRack) -> None:
    row = {"effect": "gate", "threshold_db": -40.0, "range_db": 30.0, "attack_ms": 1.0}
    sound = np.concatenate([np.zeros((2, RATE // 10), np.float32), tone(1000.0, -10.0, 0.1)], axis=1)
    out = rack(row).process(sound)
    later = round(0.1 * RATE) + round(0.009 * RATE)
    assert peak_db(out[:, later : later + 200]) == pytest.approx(-10.0, abs=0.1)


def test_gate_does_not_click(rack: MakeRack) -> None:
    """Opening and closing on a low tone leaves no broadband step: above 5 kHz it stays 60 dB below the tone."""
    wave = tone(150.0, -12.0, 3.0)
    swell = 10 ** (np.minimum(0.0, 50.0 * np.sin(2 * math.pi * np.arange(wave.shape[1]) / RATE)) / 20)
    sound = (wave * swell).astype(np.float32)
    row = {"effect": "gate", "threshold_db": -35.0, "range_db": 40.0, "attack_ms": 5.0, "release_ms": 100.0}
    out = rack(row).process(sound)
    assert not np.allclose(out, sound, atol=1e-4)
    window = np.hanning(out.shape[1])
    spectrum = np.fft.rfft(out[0] * window)
    spectrum[: round(5000 * 3.0)] = 0
    high = np.fft.irfft(spectrum, out.shape[1])
    assert peak_db(high) < -72.0


def test_gate_links_its_channels(rack: MakeRack) -> None:
    sound = tone(1000.0, -20.0, 0.5)
    sound[1] *= 10 ** (-40 / 20)
    out = rack({"effect": "gate", "threshold_db": -45.0}).process(sound)
    assert np.array_equal(settled(out)[:, -5000:], settled(sound)[:, -5000:])
