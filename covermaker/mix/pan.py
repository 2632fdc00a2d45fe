"""Where a track stands between left and right."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def pan_gains(
    pan: NDArray[np.float64] | float, *, channels: int
) -> tuple[NDArray[np.float64] | float, NDArray[np.float64] | float]:
    """Return the (left, right) amplitude factors of a pan position.

    A mono source is panned with constant power: ``left**2 + right**2 == 2`` everywhere, so it keeps its loudness while
    it moves; in the middle both factors are exactly 1 (a mono stem equals its own dual-mono copy), at the ends
    one is +3 dB. A stereo source is balanced: the side it moves towards stays at exactly 1 and the other fades with a
    cosine, so nothing gets louder.

    Parameters
    ----------
    pan : float or float64 array
        -1 (left) to 1 (right); an array moves.
    channels : int
        1 or 2: of the source.
    """
    if isinstance(pan, np.ndarray):
        return _moving(pan, channels)
    if pan == 0.0:
        return 1.0, 1.0
    if channels == 1:
        angle = (pan + 1.0) * math.pi / 4.0
        return math.sqrt(2.0) * math.cos(angle), math.sqrt(2.0) * math.sin(angle)
    other_side = math.cos(abs(pan) * math.pi / 2.0)
    return (other_side, 1.0) if pan > 0.0 else (1.0, other_side)


def _moving(pan: NDArray[np.float64], channels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if channels == 1:
        angle = (pan + 1.0) * math.pi / 4.0
        return math.sqrt(2.0) * np.cos(angle), math.sqrt(2.0) * np.sin(angle)
    return np.cos(np.maximum(pan, 0.0) * math.pi / 2.0), np.cos(np.minimum(pan, 0.0) * math.pi / 2.0)
