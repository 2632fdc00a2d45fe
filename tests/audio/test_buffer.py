import numpy as np
import pytest

from covermaker.audio.buffer import Audio, fit
from covermaker.errors import AudioInputError


def test_audio_knows_its_shape():
    audio = Audio(np.zeros((2, 22_050), np.float32), 44_100)
    assert (audio.channels, audio.frames, audio.seconds) == (2, 22_050, 0.5)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(10, np.float32), "must be float32"),
        (np.zeros((2, 10)), "must be float32"),
        (np.zeros((2, 10), np.int16), "must be float32"),
        (np.array([[0.0, np.nan]], np.float32), "NaN or infinite"),
        (np.array([[0.0, -np.inf]], np.float32), "NaN or infinite"),
    ],
)
def test_audio_refuses(samples, words):
    with pytest.raises(AudioInputError, match=words):
        Audio(samples, 44_100)


def test_audio_is_contiguous_whatever_it_was_made_of():
    frames_first = np.arange(20, dtype=np.float32).reshape(10, 2)
    audio = Audio(frames_first.T, 44_100)
    assert audio.samples.flags.c_contiguous
    assert np.array_equal(audio.samples, frames_first.T)


def test_mono_is_the_mean():
    audio = Audio(np.array([[1.0, 0.5], [0.0, 0.5]], np.float32), 8000)
    assert np.array_equal(audio.mono().samples, [[0.5, 0.5]])
    assert audio.mono().mono() is not audio


@pytest.mark.parametrize("frames", [0, 1, 4, 5, 6, 100])
def test_fit_is_exact(frames):
    samples = np.arange(10, dtype=np.float32).reshape(2, 5)
    fitted = fit(samples, frames)
    assert fitted.shape == (2, frames)
    assert np.array_equal(fitted[:, :5], samples[:, :frames])
    assert not fitted[:, 5:].any()
