"""Float samples to integers, with dither where the word length really drops.

Rounding to 16 bits without dither turns quiet tails into distortion. Triangular dither of 2 LSB peak to peak makes
the error a steady noise that does not depend on the signal (Lipshitz, Wannamaker and Vanderkooy, "Quantization and
dither", JAES 40, 1992). 24 bits lie below every converter's own noise and get none.

Shaped dither moves that noise away from 3 to 5 kHz, where hearing is keenest, up to where it is dull: the error of
past samples is fed back through a short filter (Lipshitz, Vanderkooy and Wannamaker, "Minimally audible noise
shaping", JAES 39, 1991). There is more noise in all, and less of it is heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.export.formats import Dithering

# The error filter of the paper for 44.1 kHz; from 64 kHz on there is room above hearing, and a double zero at 0 Hz
# sends the noise there.
_SHAPE = np.array([2.033, -2.165, 1.959, -1.590, 0.6149])
_SHAPE_HIGH_RATES = np.array([2.0, -1.0])
_HIGH_RATE_HZ = 64_000

# The feedback runs sample after sample. Many stretches of the song run side by side, each from a clean start: that
# leaves a few samples in thousands with less shaping.
_LANE_FRAMES = 4096
_LANES = 64


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


class Quantiser:
    """Rounds a stream to integers; any cut of it into blocks gives the same integers.

    Parameters
    ----------
    bits : int
        Word length of the integers.
    dither : {"tpdf", "shaped", "off"}
        "off" rounds.
    seed : int
        Of the dither.
    channels : int
        Of the blocks.
    sample_rate : int
        In Hz; decides the shape of shaped dither.

    Attributes
    ----------
    clipped : int
        How many samples so far were beyond full scale.
    """

    def __init__(self, bits: int, dither: Dithering, *, seed: int, channels: int, sample_rate: int) -> None:
        self.clipped = 0
        self._bits = bits
        self._dither = None if dither == "off" else Dither(seed)
        self._shape = None
        self._held = np.zeros((channels, 0), np.float32)
        if dither == "shaped":
            self._shape = _SHAPE if sample_rate < _HIGH_RATE_HZ else _SHAPE_HIGH_RATES

    def push(self, block: Samples) -> Iterator[NDArray[np.int32]]:
        """Take (channels, n) samples in and yield the integers that are ready."""
        if self._shape is None:
            integers, beyond = quantise(block, self._bits, self._dither)
            self.clipped += beyond
            yield integers
            return
        held = np.concatenate([self._held, block], axis=1)
        whole = _LANES * _LANE_FRAMES
        for at in range(0, held.shape[1] - whole + 1, whole):
            yield self._shaped(held[:, at : at + whole])
        self._held = held[:, held.shape[1] // whole * whole :].copy()

    def finish(self) -> Iterator[NDArray[np.int32]]:
        """Yield what is still held."""
        if self._held.shape[1]:
            yield self._shaped(self._held)
            self._held = self._held[:, :0]

    def _shaped(self, block: Samples) -> NDArray[np.int32]:
        """Quantise with error feedback, lane beside lane."""
        assert self._dither is not None
        assert self._shape is not None
        channels, frames = block.shape
        full = 1 << (self._bits - 1)
        silent = ~(block != 0.0).any(axis=0)
        lanes = -(-frames // _LANE_FRAMES)

        def cut(rows: NDArray[np.float64]) -> NDArray[np.float64]:
            """Return (frames of a lane, channels of all lanes), contiguous where the loop runs."""
            padded = np.zeros((len(rows), lanes * _LANE_FRAMES))
            padded[:, :frames] = rows
            return np.ascontiguousarray(padded.reshape(len(rows) * lanes, _LANE_FRAMES).T)

        scaled = np.multiply(block, full, dtype=np.float64)
        self.clipped += int(np.count_nonzero((scaled >= full - 0.5) | (scaled < -full - 0.5)))
        wanted, noise = cut(scaled), cut(self._dither.next(channels, frames))
        heard = np.tile(cut((~silent)[None].astype(np.float64)), (1, channels))
        errors = np.zeros((len(self._shape), wanted.shape[1]))  # the latest first
        made = np.empty_like(wanted)
        low, high = -float(full), float(full - 1)
        for row in range(_LANE_FRAMES):
            aim = wanted[row] - self._shape @ errors
            rounded = np.floor(aim + noise[row] + 0.5)
            np.clip(rounded, low, high, out=rounded)
            rounded *= heard[row]
            errors[1:] = errors[:-1]
            # What is clipped is lost, not made up for: the feedback would never recover. Silence forgets.
            errors[0] = np.clip(rounded - aim, -2.0, 2.0) * heard[row]
            made[row] = rounded
        flat = made.T.reshape(channels, lanes * _LANE_FRAMES)[:, :frames]
        return flat.astype(np.int32)


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
