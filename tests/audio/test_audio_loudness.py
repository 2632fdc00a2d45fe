"""Readings against EBU Tech 3341 (loudness, true peak) and 3342 (range), whose signals are made here."""

import math

import numpy as np
import pyebur128
import pytest
from audio_signals import song, tone

from covermaker.audio.buffer import Audio
from covermaker.audio.files import probe
from covermaker.audio.loudness import LoudnessMeter, measure, measure_file
from covermaker.audio.truepeak import TruePeakMeter

RATE = 48_000


def steps(*parts, sample_rate=RATE):
    samples = np.concatenate([tone(1000, s, level_db=db, sample_rate=sample_rate) for db, s in parts], axis=1)
    return Audio(samples, sample_rate)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
    ],
)
def test_integrated_tech_3341(parts, expected, sample_rate):
    measured = measure(steps(*parts, sample_rate=sample_rate), true_peak=False)
    assert measured.integrated_lufs == pytest.approx(expected, abs=0.1)
    assert measured.true_peak_dbtp is None


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-20, 20), (-30, 20)], 10),
        ([(-20, 20), (-15, 20)], 5),
        ([(-40, 20), (-20, 20)], 20),
        ([(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15),
    ],
)
def test_range_tech_3342(parts, expected):
    assert measure(steps(*parts), true_peak=False).range_lu == pytest.approx(expected, abs=1)


def test_short_term_tech_3341_case_9():
    measured = measure(steps(*[(-20, 1.34), (-30, 1.66)] * 5), true_peak=False)
    assert measured.short_term_max_lufs == pytest.approx(-23, abs=0.1)


def test_momentary_tech_3341_case_12():
    measured = measure(steps(*[(-20, 0.18), (-30, 0.22)] * 25), true_peak=False)
    assert measured.momentary_max_lufs == pytest.approx(-23, abs=0.1)


def test_maxima_of_a_burst_tech_3341_cases_10_and_13():
    for offset in range(0, 20, 4):
        quiet = np.zeros((2, round(offset * 0.15 * RATE)), np.float32)
        burst = Audio(np.concatenate([quiet, tone(1000, 3), tone(1000, 1, level_db=-120)], axis=1), RATE)
        assert measure(burst, true_peak=False).short_term_max_lufs == pytest.approx(-23, abs=0.1)
        assert measure(burst, true_peak=False).momentary_max_lufs == pytest.approx(-23, abs=0.1)


def test_five_channels_tech_3341_case_6():
    levels = {"L": -28, "R": -28, "C": -24, "Ls": -30, "Rs": -30}
    parts = [tone(1000, 20, level_db=db, channels=1) for db in levels.values()]
    samples = np.concatenate(
        [*parts[:3], np.zeros_like(parts[0]), *parts[3:]]
    )  # WAVE order: the LFE is fourth
    assert measure(Audio(samples, RATE), true_peak=False).integrated_lufs == pytest.approx(-23, abs=0.1)


def test_rising_steps_tech_3341_case_11():
    """A live short-term meter: each of twenty tones of 3 s, a decibel louder than the last, is read in turn."""
    meter = LoudnessMeter(2, RATE)
    for number in range(20):
        meter.push(np.zeros((2, round(number * 0.15 * RATE)), np.float32))
        meter.push(tone(1000, 3, level_db=-38 + number))
        meter.push(np.zeros((2, RATE), np.float32))
        assert meter.finish().short_term_max_lufs == pytest.approx(-38 + number, abs=0.1)


def test_rising_steps_tech_3341_case_14():
    """The same of a momentary meter, tones of 0.4 s, where they begin on its grid of 100 ms.

    The EBU's file begins them anywhere: a meter that is updated ten times a second cannot read that within 0.1 LU.
    """
    meter = LoudnessMeter(2, RATE)
    for number in range(20):
        meter.push(np.zeros((2, number % 5 * RATE // 10), np.float32))
        meter.push(tone(1000, 0.4, level_db=-38 + number))
        meter.push(np.zeros((2, RATE), np.float32))
        assert meter.finish().momentary_max_lufs == pytest.approx(-38 + number, abs=0.1)


@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("period", [4, 6])
def test_peaks_between_samples_tech_3341_cases_20_to_23(offset, period):
    """A burst made at four times the rate, whose highest point lies on a sample, or quarters of one off it."""
    at = np.arange(-4 * RATE // 50, 4 * RATE // 50) - offset
    dense = np.cos(2 * np.pi * at / (4 * period)) * np.exp(-0.5 * (at / 400.0) ** 2)
    samples = np.tile(dense[::4].astype(np.float32), (2, 1))
    assert -0.4 <= measure(Audio(samples, RATE)).true_peak_dbtp <= 0.2


@pytest.mark.parametrize(
    ("hz", "phase_degrees", "gain", "expected"),
    [
        (RATE / 4, 0.0, 0.5, -6.0),
        (RATE / 4, 45.0, 0.5, -6.0),
        (RATE / 6, 60.0, 0.5, -6.0),
        (RATE / 8, 67.5, 0.5, -6.0),
        (RATE / 4, 45.0, 1.41, 3.0),
    ],
)
def test_true_peak_tech_3341_cases_15_to_19(hz, phase_degrees, gain, expected):
    samples = tone(hz, 1, level_db=0, phase=math.radians(phase_degrees)) * np.float32(gain)
    # As in the EBU's files, the tone is faded: a hard start really has higher peaks between the samples.
    fade = np.minimum(1, np.arange(samples.shape[1]) / 2400)
    samples = (samples * fade * fade[::-1]).astype(np.float32)
    assert expected - 0.4 <= measure(Audio(samples, RATE)).true_peak_dbtp <= expected + 0.2


@pytest.mark.parametrize("sample_rate", [22_050, 44_100, 48_000, 96_000, 192_000])
def test_true_peak_reads_what_libebur128_reads(sample_rate):
    samples = np.random.default_rng(7).standard_normal((2, 50_000)).astype(np.float32) * 0.2
    state = pyebur128.R128State(2, sample_rate, pyebur128.MeasurementMode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(samples.T).reshape(-1), samples.shape[1])
    reference = max(pyebur128.get_true_peak(state, channel) for channel in (0, 1))
    meter = TruePeakMeter(2, sample_rate)
    meter.push(samples)
    assert 20 * math.log10(meter.finish() / reference) == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_gated_readings_are_those_of_libebur128(channels, sample_rate):
    """Noise whose level wanders over 60 dB, so that both gates and both percentiles matter."""
    frames = round(sample_rate * 23.4)
    level = 10.0 ** (1.5 * np.sin(np.linspace(0.0, 9.0, frames)) - 2.5)
    samples = np.random.default_rng(2).standard_normal((channels, frames)) * level
    samples = samples.astype(np.float32)
    mode = pyebur128.MeasurementMode.MODE_I | pyebur128.MeasurementMode.MODE_LRA
    state = pyebur128.R128State(channels, sample_rate, mode)
    state.add_frames(np.ascontiguousarray(samples.T).reshape(-1), frames)
    measured = measure(Audio(samples, sample_rate), true_peak=False)
    assert measured.integrated_lufs == pytest.approx(pyebur128.get_loudness_global(state), abs=1e-9)
    assert measured.range_lu == pytest.approx(pyebur128.get_loudness_range(state), abs=1e-9)


@pytest.mark.parametrize("block", [1, 7, 31, 32, 33, 4097])
def test_chunked_is_whole(block):
    samples = song(3000 if block < 30 else 30_001)
    whole, parts = TruePeakMeter(2, 44_100), TruePeakMeter(2, 44_100)
    loud_whole, loud_parts = LoudnessMeter(2, 44_100), LoudnessMeter(2, 44_100)
    whole.push(samples)
    loud_whole.push(samples)
    for at in range(0, samples.shape[1], block):
        parts.push(samples[:, at : at + block])
        loud_parts.push(samples[:, at : at + block])
    assert parts.finish() == whole.finish()
    assert loud_parts.finish() == loud_whole.finish()


def test_file_equals_memory(write_wav):
    samples = song(200_001)
    assert measure_file(write_wav(samples)) == measure(Audio(samples, 44_100))


@pytest.mark.parametrize(("seconds", "known"), [(0.39, 0), (0.41, 2), (2.9, 2), (3.1, 4)])
def test_short_signals_read_none(seconds, known):
    measured = measure(Audio(tone(1000, seconds), RATE))
    readings = [
        measured.integrated_lufs,
        measured.momentary_max_lufs,
        measured.short_term_max_lufs,
        measured.range_lu,
    ]
    assert [reading is not None for reading in readings] == [True] * known + [False] * (4 - known)
    assert measured.true_peak_dbtp is not None


def test_silence_reads_minus_infinity():
    measured = measure(Audio(np.zeros((2, 5 * RATE), np.float32), RATE))
    assert (
        measured.integrated_lufs == measured.short_term_max_lufs == measured.momentary_max_lufs == -math.inf
    )
    assert measured.true_peak_dbtp == measured.sample_peak_dbfs == -math.inf


def test_one_channel_is_weighed_as_one():
    one, two = (measure(Audio(tone(1000, 5, channels=n), RATE)).integrated_lufs for n in (1, 2))
    assert two - one == pytest.approx(3.01, abs=0.01)


def test_gain_moves_every_level_by_itself(real_mp3):
    from covermaker.audio.files import read

    audio = read(real_mp3)
    before, after = measure(audio), measure(Audio(audio.samples * np.float32(0.5), audio.sample_rate))
    for name in ("integrated_lufs", "true_peak_dbtp", "sample_peak_dbfs", "momentary_max_lufs"):
        assert getattr(before, name) - getattr(after, name) == pytest.approx(6.0206, abs=0.01)
    assert probe(real_mp3).frames == before.frames
