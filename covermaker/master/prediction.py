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

from covermaker.audio.loudness import MOMENTARY_HOPS, gated_lufs
from covermaker.master.limiter import CHUNK_BLOCKS

if TYPE_CHECKING:
    from covermaker.master.limiter import GainCurve


@dataclass(frozen=True, slots=True)
class LoudnessModel:
    """Predicts the integrated loudness behind a `GainCurve`.

    Parameters
    ----------
    windows : float64 array (windows,)
        Energies of the 400 ms windows, one every 100 ms.
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
        hops = len(self.windows) + MOMENTARY_HOPS - 1
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
        window = np.ones(MOMENTARY_HOPS)
        before = np.convolve(plain[:-1], window, "valid")
        after = np.convolve(limited[:-1], window, "valid")
        share = np.divide(after, before, out=np.ones_like(after), where=before > 0.0)
        return gated_lufs(self.windows * share * drive**2)
