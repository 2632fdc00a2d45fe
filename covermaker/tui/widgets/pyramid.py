"""The lowest and highest sample of any stretch, at once: pairs of pairs of peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.audio.peaks import Outline


class Pyramid:
    """Peaks of a sound at every scale.

    Parameters
    ----------
    lowest, highest : float32 array (buckets,)
        Extremes of consecutive stretches of equal length.
    bucket_seconds : float
        That length.
    seconds : float, optional
        The sound's length, when the last stretch is shorter.
    """

    def __init__(
        self,
        lowest: NDArray[np.float32],
        highest: NDArray[np.float32],
        bucket_seconds: float,
        *,
        seconds: float | None = None,
    ) -> None:
        self.bucket_seconds = bucket_seconds
        self.seconds = len(lowest) * bucket_seconds if seconds is None else seconds
        self._levels = [(np.asarray(lowest, np.float32), np.asarray(highest, np.float32))]
        while len(self._levels[-1][0]) > 2:
            low, high = self._levels[-1]
            self._levels.append((_halved(low, np.minimum), _halved(high, np.maximum)))

    @classmethod
    def of(cls, outline: Outline) -> Pyramid:
        """Build on an outline of a file."""
        return cls(outline.lowest, outline.highest, outline.bucket_frames / outline.sample_rate)

    def columns(
        self, start: float, end: float, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the lowest and highest sample in each of `count` equal stretches from `start` to `end` seconds.

        Stretches outside of the sound are 0. Where a stretch is shorter than a bucket, it has the bucket's values.
        """
        low, high = np.zeros(count, np.float32), np.zeros(count, np.float32)
        edges = np.linspace(start, end, count + 1)
        inside = (edges[:-1] < self.seconds) & (edges[1:] > 0.0)
        if not inside.any() or end <= start or not len(self._levels[0][0]):
            return low, high
        buckets = (end - start) / count / self.bucket_seconds
        # Four to eight stretches of a level a column: the columns' edges then miss at most a quarter of one.
        level = min(max(0, int(np.log2(max(buckets / 4, 1.0)))), len(self._levels) - 1)
        lows, highs = self._levels[level]
        places = np.floor(edges / (self.bucket_seconds * 2**level) + 1e-9).astype(np.intp)
        begins = np.clip(places[:-1][inside], 0, len(lows) - 1)
        last = int(np.clip(places[1:][inside][-1], begins[-1] + 1, len(lows)))
        low[inside] = np.minimum.reduceat(lows[:last], begins)
        high[inside] = np.maximum.reduceat(highs[:last], begins)
        return low, high


def _halved(values: NDArray[np.float32], pick: np.ufunc) -> NDArray[np.float32]:
    if len(values) % 2:
        values = np.append(values, values[-1])
    half: NDArray[np.float32] = pick(values[::2], values[1::2])
    return half
