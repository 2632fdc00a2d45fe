"""Curves on the feature clock, read at samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.features.clock import FRAME_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples


class FrameCurve:
    """A curve on the feature clock, read at any sample: straight lines between frame centres, ends held.

    Parameters
    ----------
    values : array (n,)
        One value a frame; frame 0 sits on sample 0.
    sample_rate : int
        In Hz.
    points_per_second : int
        100 for the feature clock.
    """

    def __init__(
        self, values: NDArray[np.floating[Any]], sample_rate: int, *, points_per_second: int = FRAME_RATE
    ) -> None:
        self._values = np.asarray(values, dtype=np.float64)
        self._scale = points_per_second / sample_rate

    def at(self, start: int, count: int) -> Samples:
        """Return the values at samples ``start .. start + count`` as (count,) float32."""
        first = int(start * self._scale)
        last = int((start + count) * self._scale) + 2
        near = self._values[first : last + 1]
        if not len(near):
            near, first = self._values[-1:], len(self._values) - 1
        positions = np.arange(start, start + count) * self._scale - first
        values: Samples = np.interp(positions, np.arange(len(near)), near).astype(np.float32)
        return values
