from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample

from covermaker.audio import files
from covermaker.evaluate import lag
from covermaker.evaluate.lag import envelope_lag_ms, power_per_ms

ROOM = 4000


def shifted(sound, delay):
    """Look at the middle of a sound `delay` samples earlier: all of it comes later, nothing begins or ends."""
    return sound[ROOM - delay : len(sound) - ROOM - delay]


@pytest.mark.parametrize("samples", [0, 17, -17, 48, -48, 160, 1600, -1600])
def test_a_planted_delay_is_found_to_a_twentieth_of_a_millisecond(write_wav, spoken, samples):
    sound, rate = spoken
    sound = np.pad(sound, ROOM)
    other = write_wav(shifted(sound, samples), rate, "other.wav")
    report = envelope_lag_ms(write_wav(shifted(sound, 0), rate), other)
    assert report.lag_ms == pytest.approx(samples / rate * 1000, abs=0.05)
    assert report.correlation > 0.98


@pytest.mark.parametrize("delay_ms", [0, 3, -3, 1.0625])
def test_another_pitch_timbre_and_level_do_not_hide_it(write_wav, spoken, hummed, delay_ms):
    (sound, rate), (other, _) = spoken, hummed
    late = write_wav(0.05 * shifted(np.pad(other, ROOM), round(delay_ms / 1000 * rate)), rate, "other.wav")
    report = envelope_lag_ms(write_wav(sound, rate), late)
    assert report.lag_ms == pytest.approx(delay_ms, abs=0.7)
    assert report.correlation > 0.8


@pytest.mark.parametrize("delay", [0, 132, -132, 17])
def test_a_real_song_and_a_muffled_louder_copy(write_wav, stem_vocal, delay):
    sound, rate = stem_vocal
    mono = sound.mean(axis=1)
    muffled = np.convolve(mono, np.hanning(41) / 10)[20:-20]  # linear phase, centred: no delay of its own
    other = write_wav(shifted(muffled, delay), rate, "other.wav")
    report = envelope_lag_ms(write_wav(shifted(mono, 0), rate), other)
    assert report.lag_ms == pytest.approx(delay / rate * 1000, abs=0.3)


def test_another_rate_and_channels_are_no_delay(write_wav, spoken):
    sound, rate = spoken
    count = len(sound) // 160 * 160
    other = resample(sound[:count], count * 441 // 160)
    stereo = np.stack([other, other], axis=1)
    report = envelope_lag_ms(write_wav(sound[:count], rate), write_wav(stereo, 44100, "other.wav"))
    assert abs(report.lag_ms) < 0.05


@pytest.mark.parametrize("frames", [1, 100, 16000])
def test_silence_has_no_lag(write_wav, spoken, frames):
    report = envelope_lag_ms(write_wav(np.zeros(frames)), write_wav(*spoken, "other.wav"))
    assert (report.lag_ms, report.correlation) == (0.0, 0.0)


def test_two_strangers_have_little_in_common(write_wav, spoken):
    sound, rate = spoken
    report = envelope_lag_ms(write_wav(sound, rate), write_wav(sound[::-1], rate, "other.wav"))
    assert report.correlation < 0.5


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_bins_are_one_millisecond_at_every_rate(write_wav, rate):
    samples = np.where(np.arange(2 * rate) / rate < 0.75, 0.5, 0.25)
    power = power_per_ms(write_wav(samples, rate))
    assert len(power) == 2000
    np.testing.assert_allclose(power[:749], 0.25, atol=1e-9)
    np.testing.assert_allclose(power[751:], 0.0625, atol=1e-9)


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_blocks_do_not_matter(write_wav, stem_vocal, monkeypatch, size):
    path = write_wav(stem_vocal[0][:5003], stem_vocal[1])
    whole = power_per_ms(path)
    monkeypatch.setattr(lag, "blocks", lambda path: files.blocks(path, block_frames=size))
    np.testing.assert_allclose(power_per_ms(path), whole, atol=1e-12)
