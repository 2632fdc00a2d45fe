"""A true-peak limiter whose gain curve is worked out before any sample is touched.

The peaks of the song (`blocks.BlockAnalyser`) are one small array, so another drive or ceiling costs a walk over
that array and one multiplication per sample, with no delay and nothing to compensate.

How the gain moves is said in `covermaker.audio.limiting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from covermaker.audio.limiting import GainShape, GainWalk, LimiterTimes, wanted_db

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.audio.buffer import Samples

CHUNK_BLOCKS = 2048  # blocks worked on at a time; exp(chunk / release) must stay inside float64


class GainCurve:
    """The limiter's gain for one song, for any drive and ceiling.

    Parameters
    ----------
    peaks : float32 array (blocks,)
        True peak (linear) of each block.
    block : int
        Samples per block.
    sample_rate : int
        In Hz.
    times : LimiterTimes, optional
    """

    def __init__(
        self, peaks: NDArray[np.float32], *, block: int, sample_rate: int, times: LimiterTimes | None = None
    ) -> None:
        self.block = block
        self._peaks = peaks
        self._shape = GainShape(step_s=block / sample_rate, chunk=CHUNK_BLOCKS, times=times or LimiterTimes())
        self._ramp = (np.arange(block) / block).astype(np.float32)

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self._peaks)

    def nodes(self, *, drive: float, ceiling: float) -> Iterator[NDArray[np.float64] | None]:
        """Yield the gain at the nodes, `CHUNK_BLOCKS` blocks at a time.

        Parameters
        ----------
        drive : float
            Linear gain applied before the limiter; it is not part of the yielded gain.
        ceiling : float
            Linear true-peak ceiling.

        Yields
        ------
        float64 array (blocks + 1,), or None
            Gain, 0..1, at both ends of each block of the chunk, the first equal to the last of the chunk before.
            None stands for a chunk that needs no limiting at all.
        """
        walk, ahead, hold = GainWalk(self._shape), self._shape.ahead, self._shape.hold
        for start in range(0, self.blocks, CHUNK_BLOCKS):
            stop = min(start + CHUNK_BLOCKS, self.blocks)
            # A chunk owns nodes start+1..stop; the first also owns node 0 and the onset before it.
            first = start + 1 if start else -ahead
            wanted = self._reduction(first - hold, stop + ahead + 1, drive / ceiling)
            yield walk.advance(wanted, opening=not start)

    def apply(self, samples: Samples, nodes: NDArray[np.float64] | None, *, drive: float) -> Samples:
        """Multiply one chunk of sound by drive and gain.

        Parameters
        ----------
        samples : float32 array (channels, n)
            The chunk's samples; the last chunk may end inside a block.
        nodes : as yielded by `nodes`
        drive : float
            Linear.

        Returns
        -------
        float32 array (channels, n)
            The input itself, to the bit, when drive is 1 and nothing is limited.
        """
        if nodes is None:
            return samples if drive == 1.0 else samples * np.float32(drive)
        gain = (nodes * drive).astype(np.float32)
        curve = gain[:-1, None] + np.diff(gain)[:, None] * self._ramp
        return samples * curve.reshape(-1)[: samples.shape[-1]]

    def _reduction(self, first: int, stop: int, drive_over_ceiling: float) -> NDArray[np.float64]:
        """Return the reduction in dB that nodes first..stop-1 ask for; none outside the song."""
        low, high = max(first - 1, 0), min(stop, self.blocks)
        over = np.zeros(stop - first + 1)  # blocks first-1..stop-1
        if high > low:
            over[low - (first - 1) : high - (first - 1)] = wanted_db(
                self._peaks[low:high], drive_over_ceiling
            )
        return np.maximum(over[:-1], over[1:])
