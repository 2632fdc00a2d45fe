"""Does the converted vocal come when the source comes? The shift between two envelopes, below a millisecond.

Power is summed in bins of exactly 1 ms whatever the sample rate, smoothed over 16 ms, taken in dB above a floor and
freed of its slow part. What is left are onsets and breaks, which two voices of different pitch, level and timbre
share. Their normalised cross-correlation peaks at the lag; a parabola through the peak finds it between bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, probe

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SMOOTH_MS = 16  # a few periods of a voice: its pitch must not ripple the envelope
FLOOR_BELOW_PEAK_DB = 50.0
SLOW_MS = 400  # slower changes are loudness, not timing
SEARCH_MS = 200


@dataclass(frozen=True, slots=True)
class LagReport:
    """How late `other` is.

    Parameters
    ----------
    lag_ms : float
        Positive when it comes after the reference.
    correlation : float
        Of the two envelopes at that lag, -1..1; near 0 there is nothing in common and the lag means nothing.
    """

    lag_ms: float
    correlation: float


def envelope_lag_ms(reference: Path, other: Path, *, search_ms: int = SEARCH_MS) -> LagReport:
    """Measure how much later `other` comes than `reference`, within `search_ms` to either side.

    Two files of which one is silent have no lag: 0 ms with correlation 0.

    Raises
    ------
    AudioInputError
        When a file cannot be read.
    """
    first, second = _changes(power_per_ms(reference)), _changes(power_per_ms(other))
    length = max(len(first), len(second)) + search_ms + 1
    size = 1 << (length - 1).bit_length()
    energy = float(np.sqrt((first @ first) * (second @ second)))
    if energy <= 0.0:
        return LagReport(0.0, 0.0)
    product = np.fft.irfft(np.conj(np.fft.rfft(first, size)) * np.fft.rfft(second, size), size)
    lags = np.arange(-search_ms, search_ms + 1)
    correlation = product[lags] / energy
    peak = int(correlation.argmax())
    if not 0 < peak < len(lags) - 1:
        return LagReport(float(lags[peak]), float(correlation[peak]))
    before, top, after = correlation[peak - 1 : peak + 2]
    bend = before - 2 * top + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return LagReport(float(lags[peak] + shift), float(top - 0.25 * (before - after) * shift))


def power_per_ms(path: Path) -> NDArray[np.float64]:
    """Return the mean power of each millisecond of a file (channels averaged), read block by block.

    A sample that lies across two bins is shared between them, so bins have one length at every rate.
    """
    info = probe(path)
    edges = np.arange(info.frames * 1000 // info.sample_rate + 1) * (info.sample_rate / 1000.0)
    energy = np.zeros(len(edges))  # what has sounded before each edge
    total, start, done = 0.0, 0, 0
    for block in blocks(path):
        mono = block.mean(axis=0, dtype=np.float64)
        rising = total + np.concatenate(([0.0], np.cumsum(mono * mono)))
        stop = start + len(mono)
        ready = int(np.searchsorted(edges, stop, side="right"))
        energy[done:ready] = np.interp(edges[done:ready], np.arange(start, stop + 1), rising)
        total, start, done = float(rising[-1]), stop, ready
    energy[done:] = total
    return np.asarray(np.diff(energy) * (1000.0 / info.sample_rate))


def _changes(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the dB envelope without its slow part; that a file begins or ends is no change."""
    if not len(power) or power.max() <= 0.0:
        return np.zeros(1)
    smooth = _smoothed(power, SMOOTH_MS)
    level_db = 10.0 * np.log10(np.maximum(smooth, smooth.max() * 10.0 ** (-FLOOR_BELOW_PEAK_DB / 10.0)))
    return np.asarray(level_db - _smoothed(level_db, SLOW_MS))


def _smoothed(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the mean under a centred Hann window of about `width` points, over what lies inside the ends."""
    from scipy.signal import oaconvolve

    window = np.hanning(2 * (width // 2) + 3)[1:-1]
    inside = slice(len(window) // 2, len(window) // 2 + len(values))
    summed = oaconvolve(values - values.min(), window)[inside]  # from 0 up: no rounding below it
    weight = oaconvolve(np.ones(len(values)), window)[inside]
    return np.asarray(np.maximum(summed, 0.0) / weight + values.min())
