"""How a limiter's gain moves: shared by the one of the master, which knows the whole song, and the one of a rack.

The reduction is made in decibels at nodes that lie between blocks of samples:

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

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


class GainShape:
    """The constants of a gain curve.

    Parameters
    ----------
    step_s : float
        From node to node.
    chunk : int
        The most nodes that one call of `GainWalk.advance` returns; exp(chunk / release) must stay inside float64.
    times : LimiterTimes

    Attributes
    ----------
    ahead, hold : int
        How many nodes it looks ahead and holds.
    """

    def __init__(self, *, step_s: float, chunk: int, times: LimiterTimes) -> None:
        self.ahead = max(1, round(times.lookahead_s / step_s))
        self.hold = max(1, round(times.hold_s / step_s))
        taps = np.sin(np.pi * np.arange(1, self.ahead + 2) / (self.ahead + 2)) ** 2
        self.taps = taps / taps.sum()
        # The start may be walked from `ahead` nodes early: a peak in the first block has its onset there.
        powers = np.arange(1, chunk + self.ahead + 2)
        self.fast = np.exp(-powers * step_s / times.fast_release_s)
        self.slow = np.exp(-powers * step_s / times.slow_release_s)
        self.slow_share = 1.0 - self.slow[0]


class GainWalk:
    """Walks over the wanted reduction, chunk by chunk."""

    def __init__(self, shape: GainShape) -> None:
        self._shape = shape
        self._tail = np.zeros(shape.ahead)  # reduction before smoothing, of the nodes just before the chunk
        self._fast = self._slow = 0.0
        self._last = 0.0

    def advance(self, wanted: NDArray[np.float64], *, opening: bool = False) -> NDArray[np.float64] | None:
        """Return the gain at the nodes of the next chunk.

        Parameters
        ----------
        wanted : float64 array
            What the nodes ask for in dB (0 or more), from `hold` nodes before the chunk's second node to `ahead`
            nodes behind its last.
        opening : bool
            The chunk is the first, and `wanted` begins ``hold + ahead`` nodes before its first node.

        Returns
        -------
        float64 array, or None
            Gain, 0..1, the first that of the last node of the chunk before. None stands for a chunk that needs no
            limiting at all.
        """
        shape = self._shape
        if self._fast == 0.0 and self._slow == 0.0 and not self._tail.any() and not wanted.any():
            self._last = 0.0
            return None
        held = _sliding_max(wanted, shape.hold + shape.ahead + 1)
        n = len(held)
        falling, rising = shape.fast[:n], 1.0 / shape.fast[:n]
        quick = np.maximum(held, falling * np.maximum(np.maximum.accumulate(held * rising), self._fast))
        average = shape.slow[:n] * (np.cumsum(held / shape.slow[:n]) * shape.slow_share + self._slow)
        self._fast, self._slow = (
            x if x >= _NEGLIGIBLE_DB else 0.0 for x in (float(quick[-1]), float(average[-1]))
        )
        raw = np.maximum(quick, average)
        raw[raw < _NEGLIGIBLE_DB] = 0.0
        if not opening:
            raw = np.concatenate([self._tail, raw])
        self._tail = raw[-shape.ahead :].copy()
        smooth = np.convolve(raw, shape.taps, "valid")
        if not opening:
            smooth = np.concatenate([[self._last], smooth])
        self._last = float(smooth[-1])
        gains: NDArray[np.float64] = 10.0 ** (-smooth / 20.0)
        return gains


def wanted_db(peaks: NDArray[np.floating], over: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how many dB blocks of these peaks exceed a ceiling; `over` is drive through ceiling, linear."""
    # Below the ceiling the maximum makes the logarithm zero.
    excess: NDArray[np.float64] = 20.0 * np.log10(np.maximum(peaks * over, 1.0), dtype=np.float64)
    return excess


def _sliding_max(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the maximum of each run of `width` values (n - width + 1 of them), by doubling."""
    have = 1
    while have < width:
        step = min(have, width - have)
        values = np.maximum(values[:-step], values[step:])
        have += step
    return values
