"""True peak after ITU-R BS.1770-5, annex 2, fast enough to run on every render.

The signal is oversampled 4 times (twice from 96 kHz, not at all from 192 kHz) by a 49-tap Hann-windowed sinc, the
filter of libebur128, whose readings this meter repeats to 0.001 dB. libebur128 itself takes eight times as long and
holds Python's lock.

The filter is a matrix product over rows of 32 samples and their neighbourhood, and only few rows need it: a cheap
bound shows that most cannot hold the peak. An interpolated value differs from the straight line between two samples
only by a weighted sum of second differences. With the weights of one position summed up twice (`_bounds`), no value
of a row can exceed ``a * max|x| + b * max|second difference of x|`` over the row's window.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

ROW_FRAMES = 32  # wider wastes products on zeros, narrower starves the processor
CONTEXT_FRAMES = 16  # samples known on either side of a row
_TAPS = 49
_KAISER_BETA = 7.0  # stop band below -70 dB
_CHUNK_ROWS = 1024  # intermediate results stay in the cache
_BATCH_ROWS = 64
_GROUP_FRAMES = 16  # grain of the bounds; divides row and context
_ROUNDING = (
    1e-4  # more than single precision can add to a value between samples, relative to the loudest sample
)


class Chunks:
    """Cuts a stream into chunks of one size that overlap, however the stream itself is cut.

    Parameters
    ----------
    channels : int
        Number of channels.
    frames : int
        Step from chunk to chunk.
    overlap : int
        How much longer than that each chunk is.
    lead : int
        How far before its start the first chunk begins. The stream counts as zero outside.
    """

    def __init__(self, channels: int, *, frames: int, overlap: int, lead: int) -> None:
        self._step, self._overlap = frames, overlap
        self._chunk = np.zeros((channels, frames + overlap), np.float32)
        self._filled = lead
        self._given = 0

    def push(self, samples: Samples) -> Iterator[Samples]:
        """Take (channels, n) samples in and yield what is complete; use each chunk before the next is made."""
        at, end = 0, samples.shape[1]
        while at < end:
            take = min(end - at, self._chunk.shape[1] - self._filled)
            self._chunk[:, self._filled : self._filled + take] = samples[:, at : at + take]
            at += take
            self._filled += take
            if self._filled == self._chunk.shape[1]:
                yield self._chunk
                self._given += self._step
                self._chunk[:, : self._overlap] = self._chunk[:, self._step :]
                self._filled = self._overlap

    def finish(self, frames: int) -> Iterator[Samples]:
        """Yield the chunks that are missing to cover `frames` in all, filled up with zeros."""
        while self._given < frames:
            missing = self._chunk.shape[1] - self._filled
            yield from self.push(np.zeros((len(self._chunk), missing), np.float32))


class PeakMeter:
    """Highest value on or between the samples of (channels, n) blocks, by one or more interpolators.

    The reading is that of the full product, and the same bits for any cut into blocks. The signal is zero outside;
    what rings before its start and after its end counts.

    Parameters
    ----------
    channels : int
        Number of channels.
    interpolators : float32 arrays (ROW_FRAMES + 2 * CONTEXT_FRAMES, values)
        Each column makes one value between the samples of a row out of the row and its context.
    """

    def __init__(self, channels: int, *interpolators: NDArray[np.float32]) -> None:
        self._interpolators = interpolators
        self._bounds = [_bounds(matrix) for matrix in interpolators]
        self._peaks = [0.0] * len(interpolators)
        self._frames = 0
        # The first row lies before the start.
        self._chunks = Chunks(
            channels,
            frames=_CHUNK_ROWS * ROW_FRAMES,
            overlap=2 * CONTEXT_FRAMES,
            lead=ROW_FRAMES + CONTEXT_FRAMES,
        )

    def push(self, block: Samples) -> None:
        """Take the next samples in."""
        self._frames += block.shape[1]
        for chunk in self._chunks.push(block):
            self._look(chunk)

    def finish(self) -> list[float]:
        """Return the peak by each interpolator as an amplitude, 1.0 = full scale."""
        for chunk in self._chunks.finish(self._frames + ROW_FRAMES + CONTEXT_FRAMES):
            self._look(chunk)
        return self._peaks

    def _look(self, chunk: Samples) -> None:
        for channel in chunk:
            size = np.abs(channel)
            bend = np.zeros_like(channel)
            slope = np.diff(channel)
            np.abs(slope[1:] - slope[:-1], out=bend[1:-1])
            highest, level, bending = float(size.max()), _window_maxima(size), _window_maxima(bend)
            windows = sliding_window_view(channel, ROW_FRAMES + 2 * CONTEXT_FRAMES)
            rows = windows[::ROW_FRAMES]
            for index, (matrix, (a, b)) in enumerate(zip(self._interpolators, self._bounds, strict=True)):
                bound = np.float32(a + _ROUNDING) * level + np.float32(b) * bending
                self._peaks[index] = _highest(rows, matrix, bound, max(self._peaks[index], highest))


class TruePeakMeter:
    """Running true peak of (channels, n) blocks; any cut into blocks reads the same.

    Parameters
    ----------
    channels : int
        Number of channels.
    sample_rate : int
        In Hz; decides the oversampling.
    """

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._meter = PeakMeter(channels, bs1770_interpolator(sample_rate))
        self.push = self._meter.push

    def finish(self) -> float:
        """Return the peak as an amplitude, 1.0 = full scale; the signal is taken to be zero from here on."""
        return self._meter.finish()[0]


def bs1770_interpolator(sample_rate: int) -> NDArray[np.float32]:
    """Return the matrix that makes the values between the samples of a row, for `PeakMeter`."""
    factor = 4 if sample_rate < 96_000 else 2 if sample_rate < 192_000 else 1
    offsets = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(offsets / factor) * np.hanning(_TAPS)
    matrix = np.zeros((ROW_FRAMES + 2 * CONTEXT_FRAMES, (factor - 1) * ROW_FRAMES), np.float32)
    for phase in range(1, factor):
        own = taps[phase::factor]  # own[k] weighs the sample k frames before the last one
        for i in range(ROW_FRAMES):
            last = CONTEXT_FRAMES + i + len(own) // 2
            matrix[last - np.arange(len(own)), (phase - 1) * ROW_FRAMES + i] = own
    return matrix


def oversampling(sample_rate: int) -> int:
    """Return the factor that brings the rate to at least 352.8 kHz from 44.1 kHz; low rates keep 8."""
    return 8 if sample_rate < 64_000 else 4 if sample_rate < 128_000 else 2


@lru_cache(maxsize=4)
def sinc_interpolator(block: int, factor: int) -> NDArray[np.float32]:
    """Return the (block + 2 * CONTEXT_FRAMES, block * (factor - 1)) matrix of a Kaiser-windowed sinc interpolator.

    Column ``i*(factor-1) + p - 1`` holds the weights of position ``i + p/factor``, p from 1: between the samples.
    """
    position = (np.arange(block)[:, None] + np.arange(1, factor) / factor).reshape(-1)
    sample = np.arange(-CONTEXT_FRAMES, block + CONTEXT_FRAMES)
    distance = position[None, :] - sample[:, None]
    inside = np.clip(1.0 - (distance / CONTEXT_FRAMES) ** 2, 0.0, None)
    window = np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA) * (inside > 0.0)
    return (np.sinc(distance) * window).astype(np.float32)


def _bounds(matrix: NDArray[np.float32]) -> tuple[float, float]:
    """Return (a, b) of the bound in the module's text.

    The weights of a value are those of a point on the line through two samples, with the same sum and the same first
    moment, plus a rest of sum and moment zero: the rest, summed up twice, weighs second differences.
    """
    weights = matrix.astype(np.float64)
    place = np.arange(len(weights))[:, None]
    column = np.arange(weights.shape[1])
    total, moment = weights.sum(axis=0), (place * weights).sum(axis=0)
    left = np.floor(moment / total).astype(int)
    right_weight = moment - left * total
    left_weight = total - right_weight
    weights[left, column] -= left_weight
    weights[left + 1, column] -= right_weight
    rest = np.cumsum(np.cumsum(weights, axis=0), axis=0)
    a = (np.abs(left_weight) + np.abs(right_weight)).max(initial=0.0)
    return float(a), float(np.abs(rest).sum(axis=0).max(initial=0.0))


def _window_maxima(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the maximum over each row and its context."""
    # Transposed, the maximum runs along whole vectors.
    groups = np.ascontiguousarray(values.reshape(-1, _GROUP_FRAMES).T).max(axis=0)
    step = ROW_FRAMES // _GROUP_FRAMES
    reach = (ROW_FRAMES + 2 * CONTEXT_FRAMES) // _GROUP_FRAMES
    stop = len(groups) - reach + 1
    maxima: NDArray[np.float32] = np.maximum.reduce([groups[i : stop + i : step] for i in range(reach)])
    return maxima


def _highest(
    rows: NDArray[np.float32], matrix: NDArray[np.float32], bound: NDArray[np.float32], peak: float
) -> float:
    """Return `peak`, or the highest value of the rows when that is higher; most promising rows first."""
    able = np.flatnonzero(bound > peak)
    able = able[np.argsort(-bound[able], kind="stable")]
    for start in range(0, len(able), _BATCH_ROWS):
        chosen = able[start : start + _BATCH_ROWS]
        if not matrix.size or bound[chosen[0]] <= peak:
            break
        # Always one size: BLAS takes other kernels for other sizes, whose last bits may differ.
        batch = np.zeros((_BATCH_ROWS, len(matrix)), np.float32)
        batch[: len(chosen)] = rows[chosen]
        between = batch @ matrix
        peak = max(peak, float(between.max()), -float(between.min()))
    return peak
