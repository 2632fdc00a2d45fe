"""What the limiter needs to know of a song, one pair of numbers per block of about 0.7 ms.

The true peak is found once, by 8-times oversampling (BS.1770-4 annex 2 asks for 4 at 48 kHz; 8 reads at most
0.2 dB low instead of 0.7). The oversampling filter runs as one matrix product per chunk: each column of the input
matrix is a block with its neighbourhood, the product holds every position between the samples of that block, so the
block's peak is the maximum of a column. That is about 7 times faster than filtering and needs no array of oversampled
sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from covermaker.audio.truepeak import (
    CONTEXT_FRAMES,
    ROW_FRAMES,
    Chunks,
    PeakMeter,
    bs1770_interpolator,
    oversampling,
    sinc_interpolator,
)

if TYPE_CHECKING:
    from covermaker.audio.buffer import Samples

_HALF_TAPS = CONTEXT_FRAMES  # samples on either side of an interpolated position
# Always this many blocks per product, the last ones zero-padded: BLAS takes other kernels for small matrices, and
# the same song must give the same bits however it is read.
_BLOCKS_PER_CHUNK = 512


def block_frames(sample_rate: int) -> int:
    """Return the block length in samples: the power of two nearest to 0.7 ms (32 at 44.1 and 48 kHz)."""
    return int(2 ** max(2, round(float(np.log2(sample_rate * 0.0007)))))


class BlockAnalyser:
    """Collects true peak and energy per block from a stream cut in any way.

    Parameters
    ----------
    channels : int
        A block's peak is the loudest channel's (linked limiting), its energy the sum over channels.
    sample_rate : int
        In Hz.

    Notes
    -----
    Block ``b`` covers positions ``b*frames <= t < (b+1)*frames``, whole samples and those between. The signal counts
    as zero before its start and after its end.
    """

    def __init__(self, *, channels: int, sample_rate: int) -> None:
        self.block = block_frames(sample_rate)
        self.frames = 0
        self._matrix = np.ascontiguousarray(sinc_interpolator(self.block, oversampling(sample_rate)).T)
        self._windows = np.empty((self._matrix.shape[1], _BLOCKS_PER_CHUNK), np.float32)
        self._between = np.empty((self._matrix.shape[0], _BLOCKS_PER_CHUNK), np.float32)
        self._chunks = Chunks(
            channels, frames=self.block * _BLOCKS_PER_CHUNK, overlap=2 * _HALF_TAPS, lead=_HALF_TAPS
        )
        # Growing float32 arrays, 40 MB for an hour: an array is read from them without a copy.
        self._peaks = bytearray()
        self._energies = bytearray()

    def push(self, samples: Samples) -> None:
        """Add the next (channels, n) samples."""
        self.frames += samples.shape[-1]
        for chunk in self._chunks.push(samples):
            self._analyse(chunk)

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (peaks, energies), each one float32 per block; the last block may reach past the end."""
        wanted = -(-self.frames // self.block)
        for chunk in self._chunks.finish(wanted * self.block):
            self._analyse(chunk)
        peaks, energies = (np.frombuffer(kept, np.float32) for kept in (self._peaks, self._energies))
        return peaks[:wanted], energies[:wanted]

    def _analyse(self, chunk: Samples) -> None:
        peaks = np.zeros(_BLOCKS_PER_CHUNK, np.float32)
        energies = np.zeros(_BLOCKS_PER_CHUNK, np.float32)
        for channel in chunk:
            self._windows[...] = sliding_window_view(channel, len(self._windows))[:: self.block].T
            np.matmul(self._matrix, self._windows, out=self._between)
            np.abs(self._between, out=self._between)
            own = self._windows[_HALF_TAPS:-_HALF_TAPS]
            peaks = np.maximum.reduce([peaks, self._between.max(axis=0), np.abs(own).max(axis=0)])
            whole = channel[_HALF_TAPS:-_HALF_TAPS].reshape(_BLOCKS_PER_CHUNK, self.block)
            energies += np.einsum("bi,bi->b", whole, whole)
        self._peaks += peaks.tobytes()
        self._energies += energies.tobytes()


def output_meter(channels: int, sample_rate: int) -> PeakMeter:
    """Return a meter of the highest peak alone: by BS.1770, then by the interpolator of the blocks."""
    ours = sinc_interpolator(ROW_FRAMES, oversampling(sample_rate))
    return PeakMeter(channels, bs1770_interpolator(sample_rate), ours)
