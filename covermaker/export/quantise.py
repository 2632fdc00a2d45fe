"""Float samples to integers, with dither where the word length really drops.

Rounding to 16 bits without dither turns quiet tails into distortion. Triangular dither of 2 LSB peak to peak makes
the error a steady noise that does not depend on the signal (Lipshitz, Wannamaker and Vanderkooy, "Quantization and
dither", JAES 40, 1992). 24 bits lie below every converter's own noise and get none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples


class Dither:
    """Seeded triangular noise; any cut of a signal into blocks gets the same noise.

    Parameters
    ----------
    seed : int
        0 or more. The raw 64-bit stream of PCG64 is used, which numpy promises never to change.
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.PCG64(seed)

    def next(self, channels: int, frames: int) -> NDArray[np.float64]:
        """Return (channels, frames) noise in LSB: triangular, -1..1."""
        raw = np.asarray(self._generator.random_raw(channels * frames), dtype="<u8")
        halves = raw.view("<u4").reshape(frames, channels, 2).astype(np.float64)
        return np.ascontiguousarray((halves[..., 0] - halves[..., 1]).T) / 2.0**32


def quantise(block: Samples, bits: int, dither: Dither | None = None) -> tuple[NDArray[np.int32], int]:
    """Round (channels, n) samples to integers of `bits`.

    Frames that are digital silence on every channel stay digital silence: they get no dither.

    Returns
    -------
    int32 array (channels, n), int
        The integers, and how many samples were beyond full scale and are clipped.
    """
    full = 1 << (bits - 1)
    scaled = np.multiply(block, full, dtype=np.float64)
    clipped = int(np.count_nonzero((scaled >= full - 0.5) | (scaled < -full - 0.5)))
    if dither is not None:
        noise = dither.next(*block.shape)
        scaled += np.where((block != 0.0).any(axis=0), noise, 0.0)
    scaled += 0.5
    np.floor(scaled, out=scaled)
    return np.clip(scaled, -full, full - 1, out=scaled).astype(np.int32), clipped
