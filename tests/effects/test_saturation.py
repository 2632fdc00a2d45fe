"""Saturation: overtones where theory has them, none that fold back, and the level kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effect_signals import RATE

from covermaker.effects.oversampling import HalfBand
from covermaker.effects.saturation import Saturation
from covermaker.effects.spec import Value, defaults

CURVES = ["tape", "tube", "warm"]


def played(values: dict[str, Value], sound: np.ndarray) -> np.ndarray:
    """The effect's sound in its own place."""
    effect = Saturation(defaults(Saturation.SPECS) | values, RATE, len(sound))
    late = effect.latency_samples
    return effect.process(np.concatenate([sound, np.zeros((len(sound), late), np.float32)], axis=1))[:, late:]


def sine(hz: int, level_db: float = 0.0) -> np.ndarray:
    time = np.arange(2 * RATE) / RATE
    return (10 ** (level_db / 20) * np.sin(2 * math.pi * hz * time))[None].astype(np.float32)


def spectrum(sound: np.ndarray) -> np.ndarray:
    """Amplitudes at whole Hz, of one second from the middle: tones at whole Hz leak nowhere."""
    middle = sound[0, RATE // 2 : RATE // 2 + RATE].astype(np.float64)
    return np.abs(np.fft.rfft(middle)) * 2 / RATE


@pytest.mark.parametrize("curve", CURVES)
def test_aliases_stay_below_80_db(curve: str) -> None:
    """A 5 kHz sine of full scale, driven 12 dB further: whatever is no overtone of it is an alias."""
    hz = 5003
    lines = spectrum(played({"curve": curve, "drive_db": 12.0}, sine(hz)))
    fundamental = lines[hz]
    lines[::hz] = 0.0
    assert 20 * math.log10(lines.max() / fundamental) < -80.0


@pytest.mark.parametrize("curve", ["tape", "warm"])
def test_an_even_curve_has_odd_overtones_only(curve: str) -> None:
    lines = spectrum(played({"curve": curve, "drive_db": 12.0}, sine(500)))
    assert 20 * math.log10(lines[1500] / lines[500]) > -20.0
    assert 20 * math.log10(lines[1000] / lines[500]) < -120.0


def test_a_tube_has_even_ones_and_no_constant() -> None:
    lines = spectrum(played({"curve": "tube", "drive_db": 6.0}, sine(500, -6.0)))
    assert -30.0 < 20 * math.log10(lines[1000] / lines[500]) < -10.0
    assert lines[0] / 2 < 1e-4


def test_overtones_are_those_of_tanh() -> None:
    """The third overtone of tanh(a sin) by its Fourier integral."""
    drive_db = 9.0
    amplitude = 10 ** (drive_db / 20)
    turn = 2 * math.pi * (np.arange(1 << 16) + 0.5) / (1 << 16)
    wave = np.tanh(amplitude * np.sin(turn))
    first, third, fifth = (float((wave * np.sin(n * turn)).mean()) for n in (1, 3, 5))
    lines = spectrum(played({"curve": "tape", "drive_db": drive_db}, sine(1000)))
    assert lines[3000] / lines[1000] == pytest.approx(third / first, rel=1e-3)
    assert lines[5000] / lines[1000] == pytest.approx(fifth / first, rel=1e-3)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("drive_db", [0.0, 6.0, 18.0, 36.0])
def test_a_voice_stays_as_loud_as_it_was(curve: str, drive_db: float) -> None:
    """At the level the compensation is made for, -18 dBFS RMS; a few dB away it is near."""
    for level_db, allowed_db in ((-15.0, 0.05), (-21.0, 6.0)):
        sound = sine(441, level_db)
        out = played({"curve": curve, "drive_db": drive_db}, sound)
        middle = slice(RATE // 2, 3 * RATE // 2)
        gained = 10 * math.log10(float(np.square(out[:, middle]).mean() / np.square(sound[:, middle]).mean()))
        assert abs(gained) < allowed_db


def test_quiet_sound_at_no_drive_is_nearly_untouched_up_to_18_khz() -> None:
    """The filters alone: flat within 0.05 dB, in place to the sample."""
    click = np.zeros((1, RATE), np.float32)
    click[0, 1000] = 1e-3
    out = played({"drive_db": 0.0}, click)
    ratio = np.fft.rfft(out[0].astype(np.float64)) / np.fft.rfft(click[0].astype(np.float64))
    level = np.abs(ratio[:18000])
    assert 20 * math.log10(level.max() / level.min()) < 0.05
    assert np.abs(np.angle(ratio[:18000])).max() < 0.001


def test_mix_adds_up_in_place() -> None:
    noise = (np.random.default_rng(3).standard_normal((2, 9000)) * 0.2).astype(np.float32)
    bent = played({"drive_db": 12.0}, noise)
    half = played({"drive_db": 12.0, "mix": 0.5}, noise)
    assert np.allclose(half, 0.5 * (bent + noise), atol=1e-6)


@pytest.mark.parametrize("reach", [1, 4, 8, 24])
def test_half_band_there_and_back_is_a_delay(reach: int) -> None:
    band = HalfBand(reach, 8.9, 1)
    time = np.arange(4000) / RATE
    sound = np.sin(2 * math.pi * 300.0 * time)[None].astype(np.float32)
    late = band.latency_samples
    back = band.down(band.up(sound))
    assert np.abs(back[:, 500:] - sound[:, 500 - late : -late]).max() < (1e-3 if reach < 4 else 1e-5)
