"""The tempo of a song: at which distance its onsets repeat.

Onset strength is the rise of a band's level, summed over bands (spectral flux). Its autocorrelation is read at the
multiples of each candidate's beat, and between them, where there should be less; a preference for tempi around 120
decides between a beat and its double, as in Ellis, "Beat Tracking by Dynamic Programming" (2007), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.features.song.onsets import RATE, OnsetStrength

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    """Listens to blocks of one channel at `onsets.SAMPLE_RATE`; any cut into blocks finds the same.

    Attributes
    ----------
    heard : OnsetStrength
        What it has listened to.
    """

    def __init__(self) -> None:
        self.heard = OnsetStrength()

    def push(self, block: NDArray[np.float32]) -> None:
        """Take the next (n,) samples in."""
        self.heard.push(block)

    def finish(self) -> Tempo | None:
        """Return the tempo; None for silence, for what has no beat, and under eight seconds."""
        return find_tempo(self.heard.strength)


def find_tempo(onsets: NDArray[np.float64]) -> Tempo | None:
    """Return the tempo of an onset strength (n,), `onsets.RATE` values a second; None where there is no beat."""
    if len(onsets) < _LEAST_SECONDS * RATE or onsets.std() < _LEAST_ONSET:
        return None
    similarity = _similarity(sharpened(onsets))
    if similarity is None:
        return None
    bpm = np.arange(_SLOWEST_BPM, _FASTEST_BPM, 0.1)
    lags = 60.0 * RATE / bpm
    prior = np.exp(-0.5 * (np.log2(bpm / _PREFERRED_BPM) / _PREFERRED_OCTAVES) ** 2)
    on, off = _at(similarity, lags, _BEATS), _at(similarity, lags, _BEATS, between=True)
    # The weakest beat counts as much as all: three beats in two have every second one only.
    score = (0.5 * (on.mean(axis=1) + on.min(axis=1)) - _BETWEEN * off.mean(axis=1)) * prior
    rough = bpm[int(score.argmax())]
    clarity = float(_at(similarity, np.array([60.0 * RATE / rough]), _BEATS).mean())
    if clarity < _LEAST_CLARITY:
        return None
    # Far multiples of the beat tell it more exactly.
    near = np.arange(rough * 0.97, rough * 1.03, 0.02)
    multiples = max(_BEATS, int(_LONGEST_SECONDS * rough / 60.0 * 0.95))
    fine = near[int(_at(similarity, 60.0 * RATE / near, multiples).mean(axis=1).argmax())]
    return Tempo(round(float(fine), 2), min(1.0, clarity))


def sharpened(onsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave what rises above the mean of the second around it."""
    width = round(RATE) | 1
    padded = np.pad(onsets, width // 2, mode="reflect")
    total = np.concatenate([[0.0], np.cumsum(padded)])
    mean = (total[width:] - total[:-width]) / width
    sharp: NDArray[np.float64] = np.maximum(onsets - mean, 0.0)
    return sharp


def _similarity(onsets: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return how alike the onsets are to themselves so many frames later: 1 is the same, 0 is chance."""
    window = min(len(onsets), round(_WINDOW_SECONDS * RATE))
    lags = min(window - 1, round(_LONGEST_SECONDS * RATE))
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
