"""The engine of what turns sound down: a level measured every few samples, a gain interpolated between them.

The loop that decides the gain runs once per `CONTROL_SAMPLES`, on a grid fixed to the start of the stream. Within
each stretch the gain moves in a straight line towards the value decided from the stretch before, so nothing looks
ahead, and the reaction comes at most two stretches (0.7 ms at 44.1 kHz) late. A lookahead delays the sound itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from covermaker.effects.glide import Glide
from covermaker.effects.spec import MOVE_SAMPLES

if TYPE_CHECKING:
    from covermaker.audio.buffer import Samples

CONTROL_SAMPLES = 16  # a power of two

# Takes the peak of each finished stretch (linear, over all channels), gives the wanted reduction in dB, 0 or more.
Control: TypeAlias = Callable[[NDArray[np.float64]], list[float]]

_RAMP: Samples = np.arange(1, CONTROL_SAMPLES + 1, dtype=np.float32) / np.float32(CONTROL_SAMPLES)
_NEPERS_PER_DB = math.log(10.0) / 20.0
_SETTLED_DB = 1e-6
_SILENCE = 1e-10


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
        self.makeup = Glide(makeup, MOVE_SAMPLES // CONTROL_SAMPLES)
        self.mix = Glide(mix, MOVE_SAMPLES // CONTROL_SAMPLES)
        self._position = 0  # samples already seen of the current stretch
        self._peak = 0.0  # their peak
        self._from = self._to = float(self._gains(np.array([start_db]))[0])
        self._steps = 0
        self._sum_db = 0.0
        self._maximum_db = 0.0

    def gains(self, heard: Samples | NDArray[np.float64]) -> Samples:
        """Return the gain of every sample, (n,), as decided by the sound `heard`, (channels, n)."""
        frames = heard.shape[-1]
        if frames == 0:
            return np.zeros(0, dtype=np.float32)
        level = np.zeros(self._position + frames, dtype=np.float32)
        level[0] = self._peak
        level[self._position :] = np.abs(heard).max(axis=0)
        whole = len(level) // CONTROL_SAMPLES
        cut = whole * CONTROL_SAMPLES
        decided = self._decide(_stretch_peaks(level[:cut]))
        points = np.concatenate([[self._from, self._to], decided])
        # Whole arrays at once: numpy would walk through rows of 16 one by one.
        curve: Samples = np.repeat(np.diff(points).astype(np.float32), CONTROL_SAMPLES)
        curve *= np.tile(_RAMP, whole + 1)
        curve += np.repeat(points[:-1].astype(np.float32), CONTROL_SAMPLES)
        gain = curve[self._position : self._position + frames]

        self._position = len(level) - cut
        self._peak = float(level[cut:].max()) if self._position else 0.0
        self._from, self._to = float(points[whole]), float(points[whole + 1])
        return gain

    def reduction(self) -> Reduction:
        """Return what was turned down so far."""
        return Reduction(self._maximum_db, self._sum_db / self._steps if self._steps else 0.0)

    def _decide(self, peaks: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(peaks):
            return peaks
        reductions_db = np.fromiter(self._control(peaks), np.float64, len(peaks))
        self._steps += len(peaks)
        self._sum_db += float(reductions_db.sum())
        self._maximum_db = max(self._maximum_db, float(reductions_db.max()))
        return self._gains(reductions_db)

    def _gains(self, reductions_db: NDArray[np.float64]) -> NDArray[np.float64]:
        # 1 + mix (g makeup − 1) is exactly 1 when nothing is to be done, at any mix.
        count = len(reductions_db)
        made = np.exp(-_NEPERS_PER_DB * reductions_db) * self.makeup.take(count) - 1.0
        gains: NDArray[np.float64] = 1.0 + self.mix.take(count) * made
        return gains


class Ballistics:
    """Smooths wanted reductions by a decoupled peak detector: instant rise and release first, attack after it.

    D. Giannoulis, M. Massberg, J. Reiss, Digital Dynamic Range Compressor Design, JAES 60(6), 2012, equation 17.
    """

    def __init__(self, attack_ms: float, release_ms: float, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self.set(attack_ms, release_ms)
        self._wanted_db = 0.0
        self._reduction_db = 0.0

    def set(self, attack_ms: float, release_ms: float) -> None:
        """Take other times, from the next stretch on."""
        self._attack = smoothing(attack_ms, self._sample_rate)
        self._release = smoothing(release_ms, self._sample_rate)

    def run(self, targets_db: NDArray[np.float64]) -> list[float]:
        """Return the reductions of the next stretches, in dB."""
        wanted_db, reduction_db = self._wanted_db, self._reduction_db
        if not (wanted_db or reduction_db or targets_db.any()):
            return [0.0] * len(targets_db)
        attack, release = self._attack, self._release
        reductions = []
        for target_db in targets_db.tolist():
            if not (target_db or wanted_db or reduction_db):  # what follows would give 0 as well
                reductions.append(0.0)
                continue
            wanted_db = target_db + release * (wanted_db - target_db) if target_db < wanted_db else target_db
            reduction_db = wanted_db + attack * (reduction_db - wanted_db)
            if wanted_db < _SETTLED_DB and reduction_db < _SETTLED_DB:
                wanted_db = reduction_db = 0.0
            reductions.append(reduction_db)
        self._wanted_db, self._reduction_db = wanted_db, reduction_db
        return reductions


def levels_db(peaks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return peaks in dB, silence as −200."""
    levels: NDArray[np.float64] = 20.0 * np.log10(np.maximum(peaks, _SILENCE))
    return levels


def _stretch_peaks(level: Samples) -> NDArray[np.float64]:
    """Return the maximum of each stretch; halving is many times faster than numpy's maximum over a short axis."""
    peaks: Samples = level
    for _ in range(CONTROL_SAMPLES.bit_length() - 1):
        peaks = np.maximum(peaks[0::2], peaks[1::2])
    return peaks.astype(np.float64)


def smoothing(time_ms: float, sample_rate: int) -> float:
    """Return the coefficient of a one-pole smoother at control rate that covers 63 % of a step in `time_ms`."""
    return 0.0 if time_ms <= 0.0 else math.exp(-CONTROL_SAMPLES * 1000.0 / (sample_rate * time_ms))
