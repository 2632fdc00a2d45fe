"""The spectrum of what is heard: level over frequency, A as an area, B as a line over it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from covermaker.tui.widgets.curve import Curve, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST_HZ, HIGHEST_HZ = 50.0, 18_000.0
_FLOOR_DB, _TOP_DB = -96.0, 0.0
_WINDOW_FRAMES = 4096
_BANDS_AN_OCTAVE = 12
_TICKS_HZ = (100.0, 1000.0, 10_000.0, 200.0, 500.0, 2000.0, 5000.0)


def spectrum_of(
    samples: NDArray[np.float32], sample_rate: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean spectrum in twelfths of an octave.

    Parameters
    ----------
    samples : float32 array (channels, frames)
        At least one window of 4096 frames is looked at; less is filled with silence.
    sample_rate : int
        In Hz.

    Returns
    -------
    tuple of two arrays (bands,)
        Centre frequencies in Hz, and the power of each band in dB; a sine of full scale is 0 dB in its band.
    """
    mono = samples.mean(axis=0, dtype=np.float64)
    mono = np.pad(mono, (0, max(0, _WINDOW_FRAMES - len(mono))))
    window = np.hanning(_WINDOW_FRAMES)
    frames = np.lib.stride_tricks.sliding_window_view(mono, _WINDOW_FRAMES)[:: _WINDOW_FRAMES // 2]
    power = np.mean(np.abs(np.fft.rfft(frames * window)) ** 2, axis=0)
    # A full-scale sine: its energy under a Hann window, spread over the main lobe, counts as 1.
    power *= 4.0 / (_WINDOW_FRAMES * np.sum(window**2))
    top = min(HIGHEST_HZ, 0.499 * sample_rate)
    count = max(1, math.floor(math.log2(top / LOWEST_HZ) * _BANDS_AN_OCTAVE))
    edges = LOWEST_HZ * 2.0 ** (np.arange(count + 1) / _BANDS_AN_OCTAVE)
    total = np.concatenate([[0.0], np.cumsum(power)])
    # Between two bins the cumulated power is interpolated: a low band may be narrower than a bin.
    at = np.interp(edges * _WINDOW_FRAMES / sample_rate + 0.5, np.arange(len(total)), total)
    with np.errstate(divide="ignore"):
        db = 10.0 * np.log10(np.maximum(np.diff(at), 1e-20))
    return np.sqrt(edges[:-1] * edges[1:]), db


class Spectrum(Curve):
    """See the module."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            log_x=True, y_range=(_FLOOR_DB, _TOP_DB), empty="nothing heard yet", id=id, classes=classes
        )

    def show_spectra(
        self,
        a: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
        b: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
        *,
        names: tuple[str, str] = ("A", "B"),
    ) -> None:
        """Show what `spectrum_of` gave for one side or both."""
        shown = [Series(names[0], *a, draw="area")] if a else []
        shown += [Series(names[1], *b)] if b else []
        self.show_series(shown)

    def _names(self) -> list[str]:
        return [series.name for series in self._series]

    def _x_label(self, value: float) -> str:
        return f"{value / 1000:g}k" if value >= 1000 else f"{value:.0f}"

    def _x_ticks(self, scale: tuple[float, float], width: int) -> list[float]:
        return [math.log10(hz) for hz in _TICKS_HZ if scale[0] <= math.log10(hz) <= scale[1]]
