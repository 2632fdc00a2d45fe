"""The mean spectrum of a sound in bands of a part of an octave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

LOWEST_HZ, HIGHEST_HZ = 50.0, 18_000.0
SILENCE_DB = -200.0
_WINDOW_FRAMES = 4096


def band_edges(sample_rate: int, bands_an_octave: int) -> NDArray[np.float64]:
    """Return the edges of the bands in Hz, one more than there are bands: from `LOWEST_HZ` to what the rate holds."""
    top = min(HIGHEST_HZ, 0.499 * sample_rate)
    count = max(1, math.floor(math.log2(top / LOWEST_HZ) * bands_an_octave))
    edges: NDArray[np.float64] = LOWEST_HZ * 2.0 ** (np.arange(count + 1) / bands_an_octave)
    return edges


def spectrum_of(samples: Samples, sample_rate: int, bands_an_octave: int) -> NDArray[np.float64]:
    """Return the mean spectrum.

    Parameters
    ----------
    samples : float32 array (channels, frames)
        At least one window of 4096 frames is looked at; less is filled with silence.
    sample_rate : int
        In Hz.
    bands_an_octave : int
        How fine.

    Returns
    -------
    array (bands,)
        The power between two of `band_edges` each, in dB; a sine of full scale is 0 dB in its band, silence
        `SILENCE_DB`.
    """
    mono = samples.mean(axis=0, dtype=np.float64)
    mono = np.pad(mono, (0, max(0, _WINDOW_FRAMES - len(mono))))
    window = np.hanning(_WINDOW_FRAMES)
    frames = np.lib.stride_tricks.sliding_window_view(mono, _WINDOW_FRAMES)[:: _WINDOW_FRAMES // 2]
    power = np.mean(np.abs(np.fft.rfft(frames * window)) ** 2, axis=0)
    # A full-scale sine: its energy under a Hann window, spread over the main lobe, counts as 1.
    power *= 4.0 / (_WINDOW_FRAMES * np.sum(window**2))
    total = np.concatenate([[0.0], np.cumsum(power)])
    # Between two bins the cumulated power is interpolated: a low band may be narrower than a bin.
    edges = band_edges(sample_rate, bands_an_octave)
    at = np.interp(edges * _WINDOW_FRAMES / sample_rate + 0.5, np.arange(len(total)), total)
    db: NDArray[np.float64] = 10.0 * np.log10(np.maximum(np.diff(at), 10.0 ** (SILENCE_DB / 10.0)))
    return db
