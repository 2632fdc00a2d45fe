"""High-pass, low-pass and equaliser against theory."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from effect_signals import RATE, MakeRack, response_db

from covermaker.effects.filters import SectionStream, bell, butterworth, shelf


@pytest.mark.parametrize("slope_db", [6.0, 12.0, 24.0, 48.0])
@pytest.mark.parametrize("cutoff_hz", [80.0, 1000.0])
def test_high_pass_corner_and_slope(rack: MakeRack, slope_db: float, cutoff_hz: float) -> None:
    row = {"effect": "high_pass", "cutoff_hz": cutoff_hz, "slope_db": slope_db}
    assert response_db(rack(row), cutoff_hz) == pytest.approx(-3.01, abs=0.05)
    order = slope_db / 6
    for hz in (cutoff_hz / 4, cutoff_hz / 2, cutoff_hz * 2):
        # The analogue curve, with the bilinear transform's bend of the frequency axis.
        ratio = math.tan(math.pi * cutoff_hz / RATE) / math.tan(math.pi * hz / RATE)
        assert response_db(rack(row), hz) == pytest.approx(
            -10 * math.log10(1 + ratio ** (2 * order)), abs=0.1
        )
    if cutoff_hz == 1000.0:
        upper_hz = 125.0 if slope_db < 48.0 else 500.0  # deeper down float32 has no digits left
        octave = response_db(rack(row), upper_hz) - response_db(rack(row), upper_hz / 2)
        assert octave == pytest.approx(slope_db, abs=0.2)
    assert response_db(rack(row), 15000.0) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("slope_db", [6.0, 12.0, 24.0, 48.0])
def test_low_pass_corner_and_slope(rack: MakeRack, slope_db: float) -> None:
    row = {"effect": "low_pass", "cutoff_hz": 500.0, "slope_db": slope_db}
    assert response_db(rack(row), 500.0) == pytest.approx(-3.01, abs=0.05)
    assert response_db(rack(row), 50.0) == pytest.approx(0.0, abs=0.05)
    assert response_db(rack(row), 1000.0) - response_db(rack(row), 2000.0) == pytest.approx(slope_db, abs=1.3)


@pytest.mark.parametrize("gain_db", [-24.0, -3.0, 0.5, 12.0])
@pytest.mark.parametrize("band", ["band1", "band2", "band3", "band4"])
def test_bell_has_its_gain_at_its_centre(rack: MakeRack, band: str, gain_db: float) -> None:
    row = {"effect": "eq", f"{band}_hz": 1500.0, f"{band}_db": gain_db, f"{band}_q": 2.0}
    assert response_db(rack(row), 1500.0) == pytest.approx(gain_db, abs=0.01)
    assert response_db(rack(row), 20.0) == pytest.approx(0.0, abs=0.1)
    assert response_db(rack(row), 20000.0) == pytest.approx(0.0, abs=0.1)


def test_bell_width_is_its_q(rack: MakeRack) -> None:
    """At half its gain in dB a bell is centre / Q wide (cookbook), far below the Nyquist frequency."""
    q, centre = 4.0, 500.0
    half = math.sinh(math.asinh(1 / (2 * q)))
    upper = centre * (half + math.sqrt(half * half + 1))
    row = {"effect": "eq", "band2_hz": centre, "band2_db": 12.0, "band2_q": q}
    assert response_db(rack(row), upper) == pytest.approx(6.0, abs=0.1)
    assert response_db(rack(row), centre * centre / upper) == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize("gain_db", [-9.0, 6.0])
def test_shelves(rack: MakeRack, gain_db: float) -> None:
    low = {"effect": "eq", "low_shelf_hz": 300.0, "low_shelf_db": gain_db}
    high = {"effect": "eq", "high_shelf_hz": 3000.0, "high_shelf_db": gain_db}
    assert response_db(rack(low), 20.0) == pytest.approx(gain_db, abs=0.05)
    assert response_db(rack(low), 300.0) == pytest.approx(gain_db / 2, abs=0.05)
    assert response_db(rack(low), 15000.0) == pytest.approx(0.0, abs=0.05)
    assert response_db(rack(high), 21000.0) == pytest.approx(gain_db, abs=0.05)
    assert response_db(rack(high), 3000.0) == pytest.approx(gain_db / 2, abs=0.05)
    assert response_db(rack(high), 20.0) == pytest.approx(0.0, abs=0.05)


def test_bands_add_up(rack: MakeRack) -> None:
    one = {"effect": "eq", "band1_hz": 400.0, "band1_db": 4.0}
    two = {"effect": "eq", "high_shelf_db": -3.0}
    both = {**one, **two}
    for hz in (100.0, 400.0, 5000.0, 12000.0):
        assert response_db(rack(both), hz) == pytest.approx(
            response_db(rack(one), hz) + response_db(rack(two), hz), abs=0.01
        )


@pytest.mark.parametrize("slope_db", [12.0, 24.0])
def test_eq_cuts_are_those_of_the_plain_filters(rack: MakeRack, slope_db: float) -> None:
    """-3 dB at the corner, the slope beyond it; with both off not even a bit is touched."""
    low = {"effect": "eq", "low_cut_hz": 500.0, "low_cut_slope_db": slope_db}
    high = {"effect": "eq", "high_cut_hz": 1000.0, "high_cut_slope_db": slope_db}
    assert response_db(rack(low), 500.0) == pytest.approx(-3.01, abs=0.05)
    assert response_db(rack(high), 1000.0) == pytest.approx(-3.01, abs=0.05)
    octave = response_db(rack(low), 125.0) - response_db(rack(low), 62.5)
    assert octave == pytest.approx(slope_db, abs=0.3)
    octave = response_db(rack(high), 2000.0) - response_db(rack(high), 4000.0)
    assert octave == pytest.approx(slope_db, abs=1.3)
    noise = np.random.default_rng(0).standard_normal((2, 20000)).astype(np.float32)
    plain = {"effect": "high_pass", "cutoff_hz": 500.0, "slope_db": slope_db}
    assert np.array_equal(rack(low).process(noise), rack(plain).process(noise))
    off = {"effect": "eq", "low_cut_slope_db": slope_db, "high_cut_slope_db": slope_db}
    assert np.array_equal(rack(off).process(noise), noise)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_corners_above_nyquist_are_kept_below_it(rate: int) -> None:
    for sections in (
        butterworth("lowpass", 20000.0, order=4, sample_rate=rate),
        bell(20000.0, 12.0, 1.0, sample_rate=rate),
        shelf("high", 20000.0, -12.0, sample_rate=rate),
    ):
        for row in sections:
            assert np.abs(np.roots(row[3:])).max() < 1.0


@pytest.mark.parametrize("kind", ["highpass", "lowpass"])
@pytest.mark.parametrize("order", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("cutoff_hz", [10.0, 80.0, 4000.0])
def test_filters_are_those_of_a_reference(kind: str, order: int, cutoff_hz: float) -> None:
    """Design and recursion against scipy's, in float64, over chunk edges; cut anywhere, the same bits."""
    from scipy.signal import butter, sosfilt

    noise = np.random.default_rng(order).standard_normal((2, 10_001)).astype(np.float32)
    expected = sosfilt(butter(order, cutoff_hz, kind, fs=RATE, output="sos"), noise)
    sections = butterworth(kind, cutoff_hz, order=order, sample_rate=RATE)  # type: ignore[arg-type]
    made = SectionStream(sections, 2).process(noise)
    assert np.abs(made - expected).max() < 1e-8
    stream = SectionStream(sections, 2)
    cuts = [0, 1, 7, 4095, 4096, 4097, 8191, 10_001]
    pieces = [stream.process(noise[:, a:b]) for a, b in itertools.pairwise(cuts)]
    assert np.array_equal(np.concatenate(pieces, axis=1), made)


def test_ringing_into_silence_does_not_crawl() -> None:
    """A filter that decays into digital silence must not slow down in denormal numbers."""
    stream = SectionStream(butterworth("highpass", 80.0, order=2, sample_rate=RATE), 2)
    noise = np.random.default_rng(0).standard_normal((2, 20 * RATE)).astype(np.float32)
    started = time.process_time()
    stream.process(noise)
    busy = time.process_time() - started
    started = time.process_time()
    out = stream.process(np.zeros_like(noise))
    assert not out[:, -RATE:].any()
    assert time.process_time() - started < 4 * busy + 0.05


@pytest.mark.parametrize("cuts", [[8192], [100, 8192, 40_000], [32_768, 65_536], [8191, 8192, 8193, 99_000]])
def test_chunks_worked_on_together_give_the_same_bits(cuts: list[int]) -> None:
    sections = butterworth("highpass", 40.0, order=4, sample_rate=RATE)
    sound = np.random.default_rng(3).standard_normal((2, 100_003)).astype(np.float32)
    chunk = SectionStream(sections, 2)
    one_by_one = np.concatenate(
        [chunk.process(sound[:, at : at + 8192]) for at in range(0, sound.shape[1], 8192)], axis=1
    )
    together = SectionStream(sections, 2)
    made = [together.process(part) for part in np.split(sound, cuts, axis=1)]
    assert np.array_equal(np.concatenate(made, axis=1), one_by_one)
