"""The clock that all features share: 100 frames a second, frame i centred at i/100 s.

A signal of n samples has ``n * 100 // sample_rate + 1`` frames: frame 0 sits on the first sample, the last
frame never lies past the end. The count is exact integer arithmetic, so two features of one vocal always have
the same length, whatever rate they were computed at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME_RATE = 100  # frames per second
FRAME_SECONDS = 0.01


def frame_count(frames: int, sample_rate: int) -> int:
    """Return how many clock frames a signal of `frames` samples at `sample_rate` Hz has; at least 1.

    Raises
    ------
    ValueError
        When `frames` is negative or `sample_rate` below 1.
    """
    if frames < 0 or sample_rate < 1:
        raise ValueError(f"no clock for {frames} samples at {sample_rate} Hz")
    return frames * FRAME_RATE // sample_rate + 1


def frame_times(count: int) -> NDArray[np.float64]:
    """Return the centre of each of `count` frames in seconds."""
    times: NDArray[np.float64] = np.arange(count) / FRAME_RATE
    return times


def f0_at_clock(
    f0_hz: NDArray[np.floating[Any]], source_times: NDArray[np.floating[Any]], count: int
) -> NDArray[np.float32]:
    """Read a pitch curve at the clock's frames.

    Between two voiced points the pitch runs linearly in log-frequency. Next to an unvoiced point the nearer
    one decides (the earlier on a tie): a mean of a pitch and 0 would be a pitch that nobody sang.

    Parameters
    ----------
    f0_hz : float array (n,)
        Hz, 0 = unvoiced; an empty curve is unvoiced throughout.
    source_times : float64 array (n,)
        Rising times of its points in seconds.
    count : int
        Frames wanted.

    Returns
    -------
    float32 array (count,)
        Hz, 0 = unvoiced.
    """
    return f0_at_times(f0_hz, source_times, frame_times(count))


def f0_at_times(
    f0_hz: NDArray[np.floating[Any]], source_times: NDArray[np.floating[Any]], times: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Read a pitch curve at any times in seconds; see `f0_at_clock`. Past the ends the end point holds."""
    if not len(f0_hz):
        return np.zeros(len(times), dtype=np.float32)
    after = np.clip(np.searchsorted(source_times, times), 0, len(f0_hz) - 1)
    before = np.maximum(after - 1, 0)
    after = np.where(times < source_times[0], 0, after)
    span = np.maximum(source_times[after] - source_times[before], 1e-12)
    weight = np.clip((times - source_times[before]) / span, 0.0, 1.0)  # 0 at `before`, 1 at `after`
    low, high = np.asarray(f0_hz, np.float64)[before], np.asarray(f0_hz, np.float64)[after]
    voiced = (low > 0) & (high > 0)
    safe_low, safe_high = np.where(voiced, low, 1.0), np.where(voiced, high, 1.0)
    between = np.exp((1 - weight) * np.log(safe_low) + weight * np.log(safe_high))
    return np.where(voiced, between, np.where(weight <= 0.5, low, high)).astype(np.float32)
