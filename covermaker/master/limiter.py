"""A true-peak limiter whose gain curve is worked out before any sample is touched.

The peaks of the song (`blocks.BlockAnalyser`) are one small array, so another drive or ceiling costs a walk over
that array and one multiplication per sample, with no delay and nothing to compensate.

From the peaks the curve is made in decibels of reduction, at nodes that lie between the blocks:

1. a node asks for what the louder of its two blocks needs;
2. a sliding maximum looks `lookahead_s` ahead and holds `hold_s`: longer than half a period of a 40 Hz tone, so the
   gain does not follow the wave itself (that would be distortion);
3. release in two stages: a fast exponential from the last peak, and under it a slow average of the reduction, which
   only a sustained passage fills, so dense music is not pumped and a lone click recovers at once;
4. a raised-cosine filter as long as the lookahead turns each onset into a smooth slope that ends where it must.

Averages of values that are all deep enough stay deep enough, and a straight line between two nodes stays below
the higher one: the applied gain never exceeds what a block requires. Compare Giannoulis, Massberg and Reiss,
"Digital dynamic range compressor design", JAES 60(6), 2012, section 2 (smoothing in the log domain, decoupled release).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.audio.buffer import Samples

CHUNK_BLOCKS = 2048  # blocks worked on at a time; exp(chunk / release) must stay inside float64
_NEGLIGIBLE_DB = 1e-5


@dataclass(frozen=True, slots=True)
class LimiterTimes:
    """How the gain moves. All in seconds.

    Parameters
    ----------
    lookahead_s : float
        Length of the smooth onset before a peak.
    hold_s : float
        How long a reduction stays after its peak.
    fast_release_s, slow_release_s : float
        Time constants of the two release stages.
    """

    lookahead_s: float = 0.005
    hold_s: float = 0.013
    fast_release_s: float = 0.07
    slow_release_s: float = 0.3


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
        times = times or LimiterTimes()
        step_s = block / sample_rate
        self.block = block
        self._peaks = peaks
        self._ahead = max(1, round(times.lookahead_s / step_s))
        self._hold = max(1, round(times.hold_s / step_s))
        taps = np.sin(np.pi * np.arange(1, self._ahead + 2) / (self._ahead + 2)) ** 2
        self._taps = taps / taps.sum()
        # The start is walked from `ahead` nodes early: a peak in the first block has its onset there.
        powers = np.arange(1, CHUNK_BLOCKS + self._ahead + 2)
        self._fast = np.exp(-powers * step_s / times.fast_release_s)
        self._slow = np.exp(-powers * step_s / times.slow_release_s)
        self._slow_share = 1.0 - self._slow[0]
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
        tail = np.zeros(self._ahead)  # reduction before smoothing, of the nodes just before the chunk
        fast = slow = 0.0
        for start in range(0, self.blocks, CHUNK_BLOCKS):
            stop = min(start + CHUNK_BLOCKS, self.blocks)
            # A chunk owns nodes start+1..stop; the first also owns node 0 and the onset before it.
            first = start + 1 if start else -self._ahead
            wanted = self._reduction(first - self._hold, stop + self._ahead + 1, drive / ceiling)
            if fast == 0.0 and slow == 0.0 and not tail.any() and not wanted.any():
                last_smooth = 0.0
                yield None
                continue
            held = _sliding_max(wanted, self._hold + self._ahead + 1)  # nodes first..stop
            n = len(held)
            falling, rising = self._fast[:n], 1.0 / self._fast[:n]
            quick = np.maximum(held, falling * np.maximum(np.maximum.accumulate(held * rising), fast))
            average = self._slow[:n] * (np.cumsum(held / self._slow[:n]) * self._slow_share + slow)
            fast, slow = float(quick[-1]), float(average[-1])
            raw = np.maximum(quick, average)
            raw[raw < _NEGLIGIBLE_DB] = 0.0
            fast, slow = (x if x >= _NEGLIGIBLE_DB else 0.0 for x in (fast, slow))
            raw = np.concatenate([tail, raw]) if start else raw
            tail = raw[-self._ahead :].copy()
            smooth = np.convolve(raw, self._taps, "valid")  # nodes start+1..stop, or 0..stop
            if start:
                smooth = np.concatenate([[last_smooth], smooth])
            last_smooth = float(smooth[-1])
            yield 10.0 ** (-smooth / 20.0)

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
            # Below the ceiling the maximum makes the logarithm zero.
            peaks = np.maximum(self._peaks[low:high] * drive_over_ceiling, 1.0)
            over[low - (first - 1) : high - (first - 1)] = 20.0 * np.log10(peaks, dtype=np.float64)
        return np.maximum(over[:-1], over[1:])


def _sliding_max(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the maximum of each run of `width` values (n - width + 1 of them), by doubling."""
    have = 1
    while have < width:
        step = min(have, width - have)
        values = np.maximum(values[:-step], values[step:])
        have += step
    return values
