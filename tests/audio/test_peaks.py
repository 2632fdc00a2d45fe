import numpy as np
import pytest
from audio_signals import song

from covermaker.audio.peaks import outline


@pytest.mark.parametrize(("frames", "buckets"), [(1, 10), (10, 10), (999, 10), (200_000, 3), (200_003, 1000)])
def test_outline_is_the_outline(write_wav, frames, buckets):
    samples = song(frames)
    drawn = outline(write_wav(samples), buckets=buckets)
    assert len(drawn.lowest) == len(drawn.highest) == len(drawn.rms) <= buckets
    width = drawn.bucket_frames
    for i in range(len(drawn.rms)):
        piece = samples[:, i * width : (i + 1) * width]
        assert (drawn.lowest[i], drawn.highest[i]) == (piece.min(), piece.max())
        assert drawn.rms[i] == pytest.approx(np.sqrt((piece.astype(float) ** 2).mean()), rel=1e-5)
    assert (len(drawn.rms) - 1) * width < frames <= len(drawn.rms) * width


def test_nothing_has_no_outline(write_wav):
    assert len(outline(write_wav(np.zeros((2, 0), np.float32))).rms) == 0
