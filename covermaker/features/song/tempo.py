"""The tempo of a song: at which distance its onsets repeat.

Onset strength is the rise of a band's level, summed over bands (spectral flux). Its autocorrelation is read at the
multiples of each candidate's beat, and between them, where there should be less; a preference for tempi around 120
decides between a beat and its double, as in Ellis, "Beat Tracking by Dynamic Programming" (2007), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_RATE = 22_050
_FRAME = 1024
_HOP = 256
_RATE = SAMPLE_RATE / _HOP  # onset values a second
_BANDS = 36
_LOW_HZ, _HIGH_HZ = 40.0, 10_000.0

_SLOWEST_BPM, _FASTEST_BPM = 45.0, 220.0
_PREFERRED_BPM = 120.0
_PREFERRED_OCTAVES = 0.7  # standard deviation
_BEATS = 4
_BETWEEN = 0.3  # what onsets between the beats take from a candidate

_WINDOW_SECONDS = 24.0
_LONGEST_SECONDS = 6.0
_LEAST_SECONDS = 8.0
_LEAST_ONSET = 0.02  # standard deviation of the onset strength, in nepers; a steady tone reads 0.007
_LEAST_CLARITY = 0.1  # white noise reads about 0.03


@dataclass(frozen=True, slots=True)
class Tempo:
    """Beats a minute.

    Attributes
    ----------
    bpm : float
        45 to 220.
    confidence : float
        0 to 1: how much of the onsets repeats at the beat (pulse clarity).
    """

    bpm: float
    confidence: float


class TempoFinder:
    """Listens to blocks of one channel at `SAMPLE_RATE`; any cut into blocks finds the same."""

    def __init__(self) -> None:
        self._held = np.zeros(0, np.float32)
        self._window = np.hanning(_FRAME).astype(np.float32)
        edges = np.geomspace(_LOW_HZ, _HIGH_HZ, _BANDS + 1) * _FRAME / SAMPLE_RATE
        # The lowest bands share bins: each takes one at least.
        self._starts = np.maximum.accumulate(np.maximum(edges[:-1].astype(int), np.arange(1, _BANDS + 1)))
        self._end = int(edges[-1])
        self._last: NDArray[np.float64] | None = None
        self._onsets: list[NDArray[np.float64]] = []

    def push(self, block: NDArray[np.float32]) -> None:
        """Take the next (n,) samples in."""
        self._held = np.concatenate([self._held, block])
        count = (len(self._held) - _FRAME) // _HOP + 1 if len(self._held) >= _FRAME else 0
        if not count:
            return
        frames = np.lib.stride_tricks.sliding_window_view(self._held, _FRAME)[::_HOP][:count]
        power = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2
        bands = np.log(np.add.reduceat(power[:, : self._end], self._starts, axis=1) + 1e-3)
        before = bands[:1] if self._last is None else self._last[None]
        self._onsets.append(np.maximum(np.diff(bands, axis=0, prepend=before), 0.0).mean(axis=1))
        self._last = bands[-1]
        self._held = self._held[count * _HOP :]

    def finish(self) -> Tempo | None:
        """Return the tempo; None for silence, for what has no beat, and under eight seconds."""
        onsets = np.concatenate(self._onsets) if self._onsets else np.zeros(0)
        if len(onsets) < _LEAST_SECONDS * _RATE or onsets.std() < _LEAST_ONSET:
            return None
        similarity = _similarity(_sharpened(onsets))
        if similarity is None:
            return None
        bpm = np.arange(_SLOWEST_BPM, _FASTEST_BPM, 0.1)
        lags = 60.0 * _RATE / bpm
        prior = np.exp(-0.5 * (np.log2(bpm / _PREFERRED_BPM) / _PREFERRED_OCTAVES) ** 2)
        on, off = _at(similarity, lags, _BEATS), _at(similarity, lags, _BEATS, between=True)
        # The weakest beat counts as much as all: three beats in two have every second one only.
        score = (0.5 * (on.mean(axis=1) + on.min(axis=1)) - _BETWEEN * off.mean(axis=1)) * prior
        rough = bpm[int(score.argmax())]
        clarity = float(_at(similarity, np.array([60.0 * _RATE / rough]), _BEATS).mean())
        if clarity < _LEAST_CLARITY:
            return None
        # Far multiples of the beat tell it more exactly.
        near = np.arange(rough * 0.97, rough * 1.03, 0.02)
        multiples = max(_BEATS, int(_LONGEST_SECONDS * rough / 60.0 * 0.95))
        fine = near[int(_at(similarity, 60.0 * _RATE / near, multiples).mean(axis=1).argmax())]
        return Tempo(round(float(fine), 2), min(1.0, clarity))


def _sharpened(onsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave what rises above the mean of the second around it."""
    width = round(_RATE) | 1
    padded = np.pad(onsets, width // 2, mode="reflect")
    total = np.concatenate([[0.0], np.cumsum(padded)])
    mean = (total[width:] - total[:-width]) / width
    sharp: NDArray[np.float64] = np.maximum(onsets - mean, 0.0)
    return sharp


def _similarity(onsets: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return how alike the onsets are to themselves so many frames later: 1 is the same, 0 is chance."""
    window = min(len(onsets), round(_WINDOW_SECONDS * _RATE))
    lags = min(window - 1, round(_LONGEST_SECONDS * _RATE))
    total, weight = np.zeros(lags), 0.0
    for start in range(0, len(onsets) - window + 1, max(1, window // 2)):
        piece = onsets[start : start + window] - onsets[start : start + window].mean()
        energy = float(piece @ piece)
        if energy <= 1e-9:
            continue
        spectrum = np.fft.rfft(piece, 2 * window)
        product = np.fft.irfft(np.abs(spectrum) ** 2)[:lags]
        # A longer lag has fewer pairs to sum.
        total += product * (window / (window - np.arange(lags)))
        weight += energy
    return total / weight if weight else None


def _at(
    similarity: NDArray[np.float64], lags: NDArray[np.float64], multiples: int, *, between: bool = False
) -> NDArray[np.float64]:
    """Return the similarity at the multiples of each lag, or half way before them, (lags, multiples)."""
    places = lags[:, None] * (np.arange(1, multiples + 1) - 0.5 * between)
    values: NDArray[np.float64] = np.interp(places, np.arange(len(similarity)), similarity)
    return values
