"""The pitch shifter: the right frequencies at the right level, at the right time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from effect_signals import RATE, tone

from covermaker.effects.pitch_shift import PitchShift
from covermaker.effects.spec import Value, defaults


def shifted(sound: np.ndarray, **values: Value) -> np.ndarray:
    effect = PitchShift({**defaults(PitchShift.SPECS), **values}, RATE, len(sound))
    late = effect.latency_samples
    out = effect.process(np.pad(sound.astype(np.float32), ((0, 0), (0, late))))
    assert not out[:, :late].any()
    return out[:, late:]


def peaks_hz(signal: np.ndarray, count: int) -> np.ndarray:
    spectrum = np.abs(np.fft.rfft(signal * np.blackman(len(signal)), 8 * len(signal)))
    found = []
    for _ in range(count):
        top = int(np.argmax(spectrum))
        found.append(top * RATE / 8 / len(signal))
        spectrum[max(0, top - 400) : top + 400] = 0.0
    return np.sort(found)


def centre(sound: np.ndarray) -> float:
    power = np.square(sound, dtype=np.float64)
    return float((power * np.arange(len(power))).sum() / power.sum())


@pytest.mark.parametrize("semitones", [-24.0, -12.0, -5.0, 0.5, 3.0, 7.0, 12.0])
@pytest.mark.parametrize("hz", [110.0, 440.0, 1999.0])
def test_a_tone_reads_the_right_frequency_and_level(semitones: float, hz: float) -> None:
    out = shifted(tone(hz, -10.0, 2.0), semitones=semitones)[0, RATE // 2 : -RATE // 2]
    expected = hz * 2 ** (semitones / 12)
    assert abs(1200 * math.log2(peaks_hz(out, 1)[0] / expected)) < 2.0
    assert 20 * math.log10(out.std() * math.sqrt(2)) == pytest.approx(-10.0, abs=0.05)


@pytest.mark.parametrize("semitones", [-7.0, 5.0])
def test_nothing_else_is_heard(semitones: float) -> None:
    """What is not the tone stays 50 dB below it."""
    out = shifted(tone(440.0, -10.0, 2.0), semitones=semitones)[0, RATE // 2 : -RATE // 2].astype(np.float64)
    power = np.abs(np.fft.rfft(out * np.blackman(len(out)))) ** 2
    top = int(np.argmax(power))
    assert 10 * math.log10((power.sum() - power[top - 4 : top + 5].sum()) / power.sum()) < -50.0


def test_semitones_and_cents_add_up() -> None:
    out = shifted(tone(440.0, -10.0, 2.0), semitones=2.0, cents=-50.0)[0, RATE // 2 : -RATE // 2]
    assert abs(1200 * math.log2(peaks_hz(out, 1)[0] / (440.0 * 2 ** (1.5 / 12)))) < 2.0


def test_a_chord_stays_a_chord() -> None:
    chord = sum(tone(hz, -20.0, 2.0) for hz in (220.0, 277.18, 329.63))
    out = shifted(chord, semitones=7.0)[0, RATE // 2 : -RATE // 2]
    expected = np.array([220.0, 277.18, 329.63]) * 2 ** (7 / 12)
    assert np.abs(1200 * np.log2(peaks_hz(out, 3) / expected)).max() < 3.0


@pytest.mark.parametrize("semitones", [-12.0, -5.0, 3.0, 7.0, 12.0])
@pytest.mark.parametrize("place", [20000, 20333, 20700])
def test_a_click_keeps_its_place(semitones: float, place: int) -> None:
    click = np.zeros((1, RATE))
    click[0, place] = 1.0
    out = shifted(click, semitones=semitones)[0]
    assert abs(int(np.argmax(np.abs(out))) - place) <= 1
    assert abs(centre(out) - place) / RATE < 0.001


@pytest.mark.parametrize("semitones", [-5.0, 3.0, 7.0])
def test_bursts_keep_their_place(semitones: float) -> None:
    generator = np.random.default_rng(2)
    off = []
    for number in range(16):
        length = round(generator.uniform(0.01, 0.1) * RATE)
        noise, time = generator.standard_normal(length), np.arange(length) / RATE
        sound = np.zeros((1, RATE))
        start = 15000 + int(generator.integers(5000))
        burst = noise if number % 2 else np.sin(2 * np.pi * 500 * time)
        sound[0, start : start + length] = 0.3 * np.hanning(length) * burst
        off.append((centre(shifted(sound, semitones=semitones)[0]) - centre(sound[0])) / RATE * 1000)
    assert abs(np.mean(off)) < 0.5
    assert np.median(np.abs(off)) < 1.0


def test_formants_stay() -> None:
    """A buzz behind a resonance at 1 kHz, an octave up: with the switch its loudest part stays near 1 kHz."""
    time = np.arange(2 * RATE) / RATE
    weights = [math.exp(-(((120.0 * n - 1000.0) / 300.0) ** 2)) for n in range(1, 60)]
    voice = 0.05 * sum(w * np.sin(2 * np.pi * 120.0 * n * time) for n, w in enumerate(weights, start=1))

    def bright_hz(sound: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(sound[0, RATE // 2 : -RATE // 2])) ** 2
        return float((power * np.fft.rfftfreq(RATE, 1 / RATE)).sum() / power.sum())

    up = {"semitones": 12.0}
    assert bright_hz(shifted(voice[np.newaxis], **up)) == pytest.approx(2000.0, rel=0.1)
    assert bright_hz(shifted(voice[np.newaxis], **up, formants=True)) == pytest.approx(1000.0, rel=0.2)


def test_the_image_stays() -> None:
    """A source at one side is at that side behind it, by the same decibels."""
    sound = np.random.default_rng(1).standard_normal(RATE) * 0.1
    out = shifted(np.stack([sound, 0.25 * sound]), semitones=4.0)
    assert np.allclose(out[1], 0.25 * out[0], atol=1e-5)


def test_a_glide_passes_through_the_intervals_between() -> None:
    effect = PitchShift(defaults(PitchShift.SPECS), RATE, 1)
    sound = np.pad(tone(440.0, -10.0, 3.0, channels=1), ((0, 0), (0, effect.latency_samples)))
    made = []
    for start in range(0, sound.shape[1], 64):
        effect.move({"semitones": 12.0 * min(1.0, start / (2.0 * RATE))})
        made.append(effect.process(sound[:, start : start + 64]))
    out = np.concatenate(made, axis=1)[0, effect.latency_samples :]
    middle = out[RATE - 2048 : RATE + 2048]
    assert peaks_hz(middle, 1)[0] == pytest.approx(440.0 * 2**0.5, rel=0.01)
    assert peaks_hz(out[-RATE // 2 :], 1)[0] == pytest.approx(880.0, rel=0.001)
