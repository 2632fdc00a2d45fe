from __future__ import annotations

import math

import numpy as np
import pytest
from master_signals import noise, real_song, sine, stereo

from covermaker.audio.loudness import MOMENTARY_HOPS, LoudnessMeter
from covermaker.master.blocks import BlockAnalyser
from covermaker.master.limiter import CHUNK_BLOCKS, GainCurve
from covermaker.master.prediction import LoudnessModel
from covermaker.master.solve import rising_root

# EBU Tech 3341 (2016), test signals 1-5: (level in dBFS, seconds) of a 1 kHz stereo sine at 48 kHz.
EBU_CASES = [
    ([(-23.0, 20.0)], -23.0),
    ([(-33.0, 20.0)], -33.0),
    ([(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
    ([(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0),
    ([(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
]


def ebu_signal(parts: list[tuple[float, float]]) -> np.ndarray:
    return stereo(
        np.concatenate([sine(1000.0, seconds, level_db=level, rate=48_000) for level, seconds in parts])
    )


def song_model(samples: np.ndarray, *, rate: int) -> tuple[GainCurve, LoudnessModel, float]:
    analyser = BlockAnalyser(channels=2, sample_rate=rate)
    meter = LoudnessMeter(2, rate)
    analyser.push(samples)
    meter.push(samples)
    peaks, energies = analyser.finish()
    curve = GainCurve(peaks, block=analyser.block, sample_rate=rate)
    return curve, LoudnessModel(meter.energies(MOMENTARY_HOPS), energies, meter.hop), integrated(meter)


def integrated(meter: LoudnessMeter) -> float:
    lufs = meter.finish().integrated_lufs
    return -math.inf if lufs is None else lufs


@pytest.mark.parametrize(("parts", "expected_lufs"), EBU_CASES)
def test_ebu_cases_by_the_meter_and_by_the_model(
    parts: list[tuple[float, float]], expected_lufs: float
) -> None:
    curve, model, measured = song_model(ebu_signal(parts), rate=48_000)
    assert measured == pytest.approx(expected_lufs, abs=0.1)
    assert model.predict(curve, drive=1.0, ceiling=1.0) == pytest.approx(measured, abs=1e-6)
    assert model.predict(curve, drive=0.5, ceiling=1.0) == pytest.approx(measured - 6.0206, abs=1e-6)


@pytest.mark.parametrize("drive_db", [3.0, 9.0, 15.0])
@pytest.mark.parametrize("samples", [noise(6.0, level=0.2), real_song(11.0)], ids=["noise", "song"])
def test_the_prediction_behind_the_limiter_is_right_to_0_05_lu(samples: np.ndarray, drive_db: float) -> None:
    curve, model, _ = song_model(samples, rate=44_100)
    drive, ceiling = 10.0 ** (drive_db / 20.0), 0.89
    meter = LoudnessMeter(2, 44_100)
    chunk = CHUNK_BLOCKS * curve.block
    for index, nodes in enumerate(curve.nodes(drive=drive, ceiling=ceiling)):
        meter.push(curve.apply(samples[:, index * chunk : (index + 1) * chunk], nodes, drive=drive))
    predicted = model.predict(curve, drive=drive, ceiling=ceiling)
    assert predicted == pytest.approx(integrated(meter), abs=0.05)


@pytest.mark.parametrize("frames", [1, 4410, 17_639])
def test_less_than_a_window_has_no_loudness(frames: int) -> None:
    curve, model, measured = song_model(np.full((2, frames), 0.5, np.float32), rate=44_100)
    assert measured == -math.inf
    assert model.predict(curve, drive=1.0, ceiling=1.0) == -math.inf


def test_silence_has_no_loudness() -> None:
    curve, model, measured = song_model(np.zeros((2, 44_100), np.float32), rate=44_100)
    assert measured == -math.inf
    assert model.predict(curve, drive=10.0, ceiling=1.0) == -math.inf


@pytest.mark.parametrize(
    ("function", "low", "high", "expected"),
    [
        (lambda x: x - 3.0, 0.0, 20.0, 3.0),
        (lambda x: x - 30.0, 0.0, 20.0, 20.0),  # out of reach above
        (lambda x: x + 3.0, 0.0, 20.0, 0.0),  # already there
        (lambda x: 10.0 * math.tanh(x / 10.0) - 8.0, 0.0, 40.0, 10.986),  # flattens out
        (lambda x: x - 5.0 + (0.2 if x > 4.9 else 0.0), 0.0, 20.0, 4.9),  # jumps over zero
        (lambda x: x - 5.0, 9.0, 7.0, 7.0),  # an empty range
    ],
)
def test_rising_root(function, low: float, high: float, expected: float) -> None:
    found = rising_root(function, low=low, high=high, tolerance=1e-3)
    assert found == pytest.approx(expected, abs=0.15 if expected == 4.9 else 5e-3)


def test_rising_root_asks_seldom() -> None:
    calls = []

    def limiter_like(x: float) -> float:
        calls.append(x)
        return 12.0 * (1.0 - math.exp(-x / 12.0)) - 7.0

    rising_root(limiter_like, low=7.0, high=40.0, tolerance=4e-3)
    assert len(calls) <= 8
