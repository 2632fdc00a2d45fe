"""How loud a song will be behind the limiter, from its blocks alone.

Integrated loudness (BS.1770-4, gated as EBU R 128 does) is a mean over 400 ms windows every 100 ms. Their energies
are measured once on the song; behind the limiter each is scaled by the mean squared gain over its window, weighted
by the signal's own energy. This leaves out only that the K filter smears the gain by a few milliseconds; the
error is some hundredths of a LU and nearly the same for neighbouring drives, so the caller corrects it by the
first real measurement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from covermaker.master.limiter import CHUNK_BLOCKS

if TYPE_CHECKING:
    from covermaker.audio.buffer import Samples
    from covermaker.master.limiter import GainCurve

_WINDOW_HOPS = 4
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_OFFSET_LUFS = -0.691  # BS.1770-4, equation 2


class StreamMeter:
    """Integrated loudness of a stream, and the energy of each of its 400 ms windows.

    Parameters
    ----------
    channels : int
        A single channel counts once, as in BS.1770.
    sample_rate : int
        In Hz.
    windows : bool
        Whether `window_energies` are wanted; they cost about a third more time.
    """

    def __init__(self, *, channels: int, sample_rate: int, windows: bool = False) -> None:
        import pyebur128

        self.hop = (sample_rate + 5) // 10  # as libebur128 rounds its 100 ms
        self._library = pyebur128
        self._state = pyebur128.R128State(channels, sample_rate, pyebur128.MeasurementMode.MODE_I)
        self._windows = windows
        self._frames = 0
        self._energies: list[float] = []

    def push(self, samples: Samples) -> None:
        """Add the next (channels, n) samples."""
        interleaved = np.ascontiguousarray(samples.T)
        at, total = 0, len(interleaved)
        while at < total:
            step = min(total - at, self.hop - self._frames % self.hop) if self._windows else total
            self._state.add_frames(interleaved[at : at + step].reshape(-1), step)
            at += step
            self._frames += step
            if self._windows and self._frames % self.hop == 0:
                self._energies.append(_energy(self._library.get_loudness_momentary(self._state)))

    def integrated_lufs(self) -> float:
        """Return the gated loudness; ``-inf`` for silence and for less than 0.4 s."""
        return float(self._library.get_loudness_global(self._state))

    def window_energies(self) -> NDArray[np.float64]:
        """Return the K-weighted energies of the complete 400 ms windows, one per 100 ms."""
        return np.array(self._energies[_WINDOW_HOPS - 1 :])


@dataclass(frozen=True, slots=True)
class LoudnessModel:
    """Predicts the integrated loudness behind a `GainCurve`.

    Parameters
    ----------
    windows : float64 array (windows,)
        From `StreamMeter.window_energies`.
    energies : float32 array (blocks,)
        Sum of squares of each block.
    hop : int
        Samples between windows.
    """

    windows: NDArray[np.float64]
    energies: NDArray[np.float32]
    hop: int

    def predict(self, curve: GainCurve, *, drive: float, ceiling: float) -> float:
        """Return LUFS for a linear `drive` into a linear `ceiling`; ``-inf`` when nothing passes the gate."""
        if not len(self.windows):
            return -math.inf
        hops = len(self.windows) + _WINDOW_HOPS - 1
        plain, limited = np.zeros(hops + 1), np.zeros(hops + 1)
        for index, nodes in enumerate(curve.nodes(drive=drive, ceiling=ceiling)):
            start = index * CHUNK_BLOCKS
            energies = self.energies[start : start + CHUNK_BLOCKS].astype(np.float64)
            # Blocks after the last complete 100 ms share one bin more, which no window holds.
            bins = np.minimum((start + np.arange(len(energies))) * curve.block // self.hop, hops)
            plain += np.bincount(bins, weights=energies, minlength=hops + 1)
            if nodes is not None:
                energies *= (0.5 * (nodes[:-1] + nodes[1:])) ** 2
            limited += np.bincount(bins, weights=energies, minlength=hops + 1)
        window = np.ones(_WINDOW_HOPS)
        before = np.convolve(plain[:-1], window, "valid")
        after = np.convolve(limited[:-1], window, "valid")
        share = np.divide(after, before, out=np.ones_like(after), where=before > 0.0)
        return _gated_lufs(self.windows * share * drive**2)


def _gated_lufs(windows: NDArray[np.float64]) -> float:
    """Return the integrated loudness of 400 ms energies (EBU Tech 3341, section 2: two gates)."""
    loud = windows[windows >= _energy(_ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return -math.inf
    relative_gate = loud.mean() * 10.0 ** (_RELATIVE_GATE_LU / 10.0)
    return float(_OFFSET_LUFS + 10.0 * np.log10(loud[loud >= relative_gate].mean()))


def _energy(lufs: float) -> float:
    return 10.0 ** ((lufs - _OFFSET_LUFS) / 10.0) if lufs > -math.inf else 0.0
