"""Silences and levels on their own."""

from __future__ import annotations

import numpy as np
import pytest

from covermaker.convert.cleanup import FREE_DB, level_gain, silence_curve
from covermaker.convert.curves import FrameCurve


def test_following_the_source_exactly():
    source = np.array([-20.0, -35.0, -10.0])
    gain = level_gain(source, np.array([-26.0, -30.0, -10.0]), loudness_mix=0.0)
    np.testing.assert_allclose(gain, [6.0, -5.0, 0.0])


def test_keeping_the_networks_level_but_not_its_timing():
    """A network 6 dB too loud whose one note ends 50 ms late: the 6 dB stay, the late end is 6 dB deep at most."""
    source = np.full(400, -20.0)
    source[200:210] = -32.0
    output = np.full(400, -14.0)
    output[205:215] = -26.0
    heard = output + level_gain(source, output, loudness_mix=1.0)
    np.testing.assert_allclose(heard[:140], -14.0, atol=0.05)
    np.testing.assert_allclose(heard[200:205] - heard[199], -12.0 + FREE_DB, atol=0.5)
    np.testing.assert_allclose(heard[205:210] - heard[199], -12.0, atol=0.5)
    np.testing.assert_allclose(heard[210:215] - heard[199], -FREE_DB, atol=0.5)


def test_sounds_keep_the_voices_own_balance():
    source = np.where(np.arange(400) % 20 < 10, -20.0, -24.0)
    output = np.where(np.arange(400) % 20 < 10, -21.0, -19.0)  # 5 dB away from the source's balance
    np.testing.assert_allclose(level_gain(source, output, loudness_mix=1.0)[50:350], 0.0, atol=0.1)
    np.testing.assert_allclose(output + level_gain(source, output, loudness_mix=0.0), source)


def test_half_way():
    gain = level_gain(np.full(300, -20.0), np.full(300, -26.0), loudness_mix=0.5)
    np.testing.assert_allclose(gain, 3.0, atol=0.02)


def test_silences_do_not_enter_the_slow_part():
    """A singer with long rests keeps the level that the same singer has without."""
    source = np.where(np.arange(1000) % 200 < 60, -20.0, -90.0)
    gain = level_gain(source, np.full(1000, -17.0), loudness_mix=1.0)
    np.testing.assert_allclose(gain[source > -50], 0.0, atol=0.05)


@pytest.mark.parametrize("mix", [0.0, 0.5, 1.0])
def test_quiet_source_quiet_output(mix):
    """Where the source is at -60 dB or below, the output is at most 3 dB louder, whatever the network sings."""
    source = np.linspace(-100.0, -60.0, 50)
    output = np.full(50, -15.0)
    assert np.all(output + level_gain(source, output, loudness_mix=mix) <= source + 3.0 + 1e-9)


def test_a_silent_network_is_not_blown_up():
    assert level_gain(np.array([-12.0]), np.array([-100.0]), loudness_mix=0.0)[0] == 12.0


def test_the_quiet_limit_has_no_step():
    source = np.linspace(-100.0, 0.0, 10_001)
    gain = level_gain(source, source + 10.0, loudness_mix=1.0)
    assert np.abs(np.diff(gain)).max() < 2.0  # dB in 10 ms, while the level itself stands still
    np.testing.assert_allclose(gain[source > -44.0], 0.0, atol=0.1)
    np.testing.assert_allclose(gain[source < -65.0], -10.0, atol=1e-9)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 44_101, 96_000])
def test_a_frame_curve_reads_centres_at_their_samples(rate):
    values = np.random.default_rng(0).random(40)
    curve = FrameCurve(values, rate)
    whole = curve.at(0, rate // 3)
    centres = np.arange(33) * rate / 100
    expected = np.interp(np.arange(rate // 3), np.arange(40) * rate / 100, values)
    np.testing.assert_allclose(whole, expected, atol=1e-6)
    assert whole[round(centres[7])] == pytest.approx(values[7], abs=0.01)
    parts = np.concatenate(
        [curve.at(start, min(777, rate // 3 - start)) for start in range(0, rate // 3, 777)]
    )
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_a_frame_curve_holds_its_end():
    np.testing.assert_array_equal(FrameCurve(np.array([1.0, 3.0]), 8_000).at(8_000, 4), 3.0)


def seconds_of(samples: np.ndarray, rate: int) -> list[np.ndarray]:
    return [samples[:, start : start + rate] for start in range(0, samples.shape[1], rate)]


@pytest.mark.parametrize("rate", [8_000, 44_100, 44_101])
def test_silence_is_exact_and_the_sound_untouched(rate):
    sound = np.random.default_rng(1).uniform(0.1, 0.5, (2, 3 * rate + 17)).astype(np.float32)
    begin, end = round(0.70 * rate), round(1.40 * rate)
    sound[:, begin:end] = 0.0
    gain = silence_curve(seconds_of(sound, rate), rate).at(0, sound.shape[1])
    fade = round(0.021 * rate)
    np.testing.assert_array_equal(gain[begin + fade : end - fade], 0.0)
    np.testing.assert_array_equal(gain[: begin - 1], 1.0)
    np.testing.assert_allclose(gain[end + 1 :], 1.0, atol=1e-6)
    assert np.abs(np.diff(gain)).max() < 1.01 / (0.015 * rate)


def test_silence_at_both_ends_has_no_fade_there():
    rate = 8_000
    sound = np.zeros((1, 2 * rate), dtype=np.float32)
    sound[:, 6_000:8_000] = 0.5
    gain = silence_curve(seconds_of(sound, rate), rate).at(0, 2 * rate)
    assert gain[0] == gain[5_000] == gain[-1] == 0.0
    assert gain[6_000] == gain[7_999] == 1.0


def test_short_pauses_and_one_channel_are_no_silence():
    rate = 8_000
    sound = np.full((2, rate), 0.3, dtype=np.float32)
    sound[:, 1_000:1_240] = 0.0  # 30 ms
    sound[0, 4_000:6_000] = 0.0  # the left side only
    assert silence_curve(seconds_of(sound, rate), rate).at(0, rate).min() == 1.0


def test_all_silence_and_nothing():
    assert silence_curve([np.zeros((1, 500), np.float32)], 8_000).at(0, 500).max() == 0.0
    assert silence_curve([], 8_000).at(0, 0).shape == (0,)
