import numpy as np
import pytest
from audio_signals import lag, song, tone

from covermaker.audio.buffer import Audio
from covermaker.audio.resample import Resampler, resample, resampled_frames

RATES = [
    (44_100, 48_000),
    (48_000, 44_100),
    (44_100, 16_000),
    (8_000, 44_100),
    (192_000, 96_000),
    (22_050, 44_100),
]


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 441, 999, 44_101])
def test_length_is_exact(from_rate, to_rate, frames):
    out = resample(Audio(song(frames, sample_rate=from_rate), from_rate), to_rate)
    expected = round(frames * to_rate / from_rate) or min(frames, 1)
    assert out.frames == resampled_frames(frames, from_rate, to_rate) == expected
    assert out.sample_rate == to_rate


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
@pytest.mark.parametrize("block", [1000, 4097])
def test_chunked_is_whole(from_rate, to_rate, block):
    samples = song(30_001, sample_rate=from_rate)
    stream = Resampler(from_rate, to_rate, 2)
    parts = [stream.push(samples[:, at : at + block]) for at in range(0, samples.shape[1], block)]
    streamed = np.concatenate([*parts, stream.finish()], axis=1)
    assert np.array_equal(streamed, resample(Audio(samples, from_rate), to_rate).samples)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
def test_no_delay(from_rate, to_rate):
    there = resample(Audio(song(60_000, sample_rate=from_rate), from_rate), to_rate)
    back = resample(there, from_rate)
    assert lag(song(60_000, sample_rate=from_rate)[0], back.samples[0]) == 0
    impulse = np.zeros((1, 20_000), np.float32)
    impulse[0, 10_000] = 1
    there = resample(Audio(impulse, from_rate), to_rate).samples[0]
    assert abs(np.argmax(np.abs(there)) - 10_000 * to_rate / from_rate) <= 0.5


def test_a_tone_keeps_its_level_and_what_is_above_nyquist_goes():
    low = resample(Audio(tone(10_000, 1, level_db=-6), 48_000), 44_100).samples[0, 1000:-1000]
    assert 20 * np.log10(np.abs(low).max()) == pytest.approx(-6, abs=0.01)
    high = resample(Audio(tone(23_000, 1, level_db=-6), 48_000), 44_100).samples[0, 1000:-1000]
    assert 20 * np.log10(np.abs(high).max()) < -120


def test_same_rate_is_the_same_object():
    audio = Audio(song(100), 44_100)
    assert resample(audio, 44_100) is audio
    stream = Resampler(44_100, 44_100, 2)
    assert np.array_equal(stream.push(audio.samples), audio.samples)
    assert stream.finish().shape == (2, 0)
