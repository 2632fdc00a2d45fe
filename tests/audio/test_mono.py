import numpy as np
import pytest
from audio_signals import encode, lag, song

from covermaker.audio.buffer import Audio
from covermaker.audio.files import read
from covermaker.audio.mono import mono_blocks, read_mono, read_mono_at
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


@pytest.mark.parametrize(
    ("source_rate", "rate"), [(44_100, 16_000), (48_000, 16_000), (16_000, 44_100), (44_100, 44_100)]
)
@pytest.mark.parametrize(
    ("start", "frames"), [(0, 1), (0, 5000), (7001, 5000), (20_000, 12_345), (29_990, 100_000)]
)
def test_a_piece_is_that_piece_of_the_whole(write_wav, source_rate, rate, start, frames):
    path = write_wav(song(90_001, sample_rate=source_rate), source_rate)
    whole = read_mono(path, sample_rate=rate).samples
    piece = read_mono_at(path, sample_rate=rate, start=start, frames=frames).samples
    assert piece.shape == whole[:, start : start + frames].shape
    assert np.abs(piece - whole[:, start : start + frames]).max() < 2e-6


def test_a_piece_of_a_compressed_file(tmp_path):
    path = encode(tmp_path / "x.m4a", song(100_003), 44_100, "aac")
    piece = read_mono_at(path, sample_rate=44_100, start=40_000, frames=20_000).samples[0]
    assert lag(read(path).mono().samples[0, 40_000:60_000], piece) == 0


def test_past_the_end(write_wav):
    path = write_wav(song(1000))
    assert read_mono_at(path, sample_rate=16_000, start=5000, frames=10).frames == 0
