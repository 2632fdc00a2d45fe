"""Pitch as the two families read it: bins of a mel scale, and what is sung between two voiced parts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

BINS: Final = 256
_LOW_HZ, _HIGH_HZ = 50.0, 1100.0


def _mel(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hz) / 700.0))


def pitch_bins(f0_hz: NDArray[np.floating[Any]], *, drops_high: bool = False) -> NDArray[np.int64]:
    """Return the row of the pitch table for each frame (n,).

    Parameters
    ----------
    f0_hz : array (n,)
        In Hz, 0 where unvoiced: bin 1.
    drops_high : bool
        What would lie above the last bin, 255, falls into bin 0 and not into the last. so-vits-svc 4.1 does so
        above 1102 Hz, and its voices were trained with it; RVC, so-vits-svc 4.0 and the fork do not.
    """
    low, high = _mel(_LOW_HZ), _mel(_HIGH_HZ)
    place = (_mel(np.asarray(f0_hz, dtype=np.float64)) - low) * (BINS - 2) / (high - low) + 1.0
    bins = np.rint(place).astype(np.int64)
    return np.where(bins >= BINS, 0 if drops_high else BINS - 1, np.maximum(bins, 1))


def fill_gaps(f0_hz: NDArray[np.floating[Any]], *, early: bool = False) -> NDArray[np.float64]:
    """Draw straight lines over unvoiced frames, as so-vits-svc sings them; the ends are held.

    Parameters
    ----------
    f0_hz : array (n,)
        In Hz, 0 where unvoiced. Stays 0 when no frame is voiced.
    early : bool
        Each line arrives one frame early, as in so-vits-svc 4.0 and its fork.
    """
    f0_hz = np.asarray(f0_hz, dtype=np.float64)
    voiced = np.flatnonzero(f0_hz > 0)
    if not len(voiced):
        return np.zeros_like(f0_hz)
    frames = np.arange(len(f0_hz), dtype=np.float64)
    points, values = voiced, f0_hz[voiced]
    if early:  # one more point a gap: the frame before the next voiced one has its pitch already
        after = np.flatnonzero(np.diff(voiced) > 1) + 1
        points, values = np.insert(points, after, points[after] - 1), np.insert(values, after, values[after])
    filled: NDArray[np.float64] = np.interp(frames, points, values)
    return filled
