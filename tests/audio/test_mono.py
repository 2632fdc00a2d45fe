import numpy as np
import pytest
from audio_signals import song

from covermaker.audio.buffer import Audio
from covermaker.audio.mono import mono_blocks, read_mono
from covermaker.audio.resample import resample


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_streamed_is_the_resampled_mean(write_wav, rate):
    samples = song(50_001)
    path = write_wav(samples)
    whole = resample(Audio(samples, 44_100).mono(), rate)
    assert np.array_equal(read_mono(path, sample_rate=rate).samples, whole.samples)
    parts = list(mono_blocks(path, rate, block_frames=1000))
    assert np.array_equal(np.concatenate(parts, axis=1), whole.samples)
    assert whole.frames == round(50_001 * rate / 44_100)
