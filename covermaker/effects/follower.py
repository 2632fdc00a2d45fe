"""The engine of gate and compressor: a level measured every few samples, a gain interpolated between them.

The loop that decides the gain runs once per `CONTROL_SAMPLES`, on a grid fixed to the start of the stream. Within
each stretch the gain moves in a straight line towards the value decided from the stretch before, so nothing looks
ahead, nothing is delayed, and the reaction comes at most two stretches (0.7 ms at 44.1 kHz) late.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from covermaker.audio.buffer import Samples

CONTROL_SAMPLES = 16  # a power of two

# Takes the peak of each finished stretch (linear, over all channels), gives the wanted reduction in dB, 0 or more.
Control: TypeAlias = Callable[[NDArray[np.float64]], list[float]]

_RAMP: Samples = np.arange(1, CONTROL_SAMPLES + 1, dtype=np.float32) / np.float32(CONTROL_SAMPLES)
_NEPERS_PER_DB = math.log(10.0) / 20.0


@dataclass(frozen=True, slots=True)
class Reduction:
    """How far an effect has turned its sound down, in dB (0 or more): at most, and on average over time."""

    maximum_db: float
    mean_db: float


class GainFollower:
    """Turns a stream down as `control` says; all channels by the same gain, so the stereo image stays.

    Parameters
    ----------
    control : callable
        Keeps its own state between calls; see `Control`.
    start_db : float
        The reduction before the first decision.
    makeup : float
        A factor on the reduced sound.
    mix : float
        Share of the processed sound: 1 is all, 0 leaves the input.
    """

    def __init__(
        self, control: Control, *, start_db: float = 0.0, makeup: float = 1.0, mix: float = 1.0
    ) -> None:
        self._control = control
        self._makeup = makeup
        self._mix = mix
        self._position = 0  # samples already seen of the current stretch
        self._peak = 0.0  # their peak
        self._from = self._to = float(self._gains(np.array([start_db]))[0])
        self._steps = 0
        self._sum_db = 0.0
        self._maximum_db = 0.0

    def process(self, block: Samples) -> Samples:
        """Return the block with its gain applied."""
        frames = block.shape[-1]
        if frames == 0:
            return block.copy()
        level = np.zeros(self._position + frames, dtype=np.float32)
        level[0] = self._peak
        level[self._position :] = np.abs(block).max(axis=0)
        whole = len(level) // CONTROL_SAMPLES
        cut = whole * CONTROL_SAMPLES
        decided = self._decide(_stretch_peaks(level[:cut]))
        points = np.concatenate([[self._from, self._to], decided])
        curve = points[:-1, None].astype(np.float32) + np.diff(points)[:, None].astype(np.float32) * _RAMP
        curve = curve.ravel()
        gain = curve[self._position : self._position + frames]

        self._position = len(level) - cut
        self._peak = float(level[cut:].max()) if self._position else 0.0
        self._from, self._to = float(points[whole]), float(points[whole + 1])
        result: Samples = block * gain
        return result

    def reduction(self) -> Reduction:
        """Return what was turned down so far."""
        return Reduction(self._maximum_db, self._sum_db / self._steps if self._steps else 0.0)

    def _decide(self, peaks: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(peaks):
            return peaks
        reductions_db = self._control(peaks)
        self._steps += len(peaks)
        self._sum_db += math.fsum(reductions_db)
        self._maximum_db = max(self._maximum_db, *reductions_db)
        return self._gains(np.array(reductions_db))

    def _gains(self, reductions_db: NDArray[np.float64]) -> NDArray[np.float64]:
        # 1 + mix (g makeup − 1) is exactly 1 when nothing is to be done, at any mix.
        return 1.0 + self._mix * (np.exp(-_NEPERS_PER_DB * reductions_db) * self._makeup - 1.0)


def _stretch_peaks(level: Samples) -> NDArray[np.float64]:
    """Return the maximum of each stretch; halving is many times faster than numpy's maximum over a short axis."""
    peaks: Samples = level
    for _ in range(CONTROL_SAMPLES.bit_length() - 1):
        peaks = np.maximum(peaks[0::2], peaks[1::2])
    return peaks.astype(np.float64)


def smoothing(time_ms: float, sample_rate: int) -> float:
    """Return the coefficient of a one-pole smoother at control rate that covers 63 % of a step in `time_ms`."""
    return 0.0 if time_ms <= 0.0 else math.exp(-CONTROL_SAMPLES * 1000.0 / (sample_rate * time_ms))
