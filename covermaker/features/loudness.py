"""How loud a vocal is, frame by frame: mean square over a Hann window centred on the feature clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import BLOCK_FRAMES, blocks, probe
from covermaker.features.clock import FRAME_RATE, frame_count
from covermaker.progress import silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.progress import Progress

FLOOR_DB = -100.0
WINDOW_SECONDS = 0.046  # two periods of the lowest sung note, short enough for consonants


def frame_loudness_db(
    vocal: Path, *, window_seconds: float = WINDOW_SECONDS, progress: Progress = silent
) -> NDArray[np.float32]:
    """Measure the level of a file in dB re full scale at every clock frame, reading it block by block.

    Channels are averaged first. At both ends the window counts only what lies inside the file, so a steady
    tone keeps its level from the first frame to the last. A full-scale sine reads -3.01 dB.

    Parameters
    ----------
    vocal : Path
        Any file that `audio.files` reads.
    window_seconds : float
        Whole width of the Hann window.
    progress : Progress
        Told the finished fraction.

    Returns
    -------
    float32 array (frame_count,)
        dB, never below -100.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    """
    info = probe(vocal)
    return _measured(blocks(vocal), info.frames, info.sample_rate, window_seconds, progress)


def samples_loudness_db(
    samples: NDArray[np.float32], sample_rate: int, *, window_seconds: float = WINDOW_SECONDS
) -> NDArray[np.float32]:
    """Measure the level of mono samples (n,) as `frame_loudness_db` measures that of a file, to the bit."""
    cuts = range(0, len(samples), BLOCK_FRAMES)
    parts = (samples[np.newaxis, start : start + BLOCK_FRAMES] for start in cuts)
    return _measured(parts, len(samples), sample_rate, window_seconds, silent)


def _measured(
    parts: Iterator[Samples], frames: int, sample_rate: int, window_seconds: float, progress: Progress
) -> NDArray[np.float32]:
    count = frame_count(frames, sample_rate)
    half = max(1, round(window_seconds * sample_rate / 2))
    window = np.hanning(2 * half + 3)[1:-1]  # without its two zeros: 2 * half + 1 samples, centred
    # Frame centres in samples, rounded: rates that 100 does not divide are off by half a sample at most.
    centres = (2 * np.arange(count) * sample_rate + FRAME_RATE) // (2 * FRAME_RATE)

    result = np.empty(count, dtype=np.float32)
    squares = np.zeros(half)  # starts `half` samples before the first one
    start, done = -half, 0
    for block in parts:
        mono = block.mean(axis=0, dtype=np.float64)
        squares = np.concatenate((squares, mono * mono))
        ready = int(np.searchsorted(centres, start + len(squares) - half))
        if ready > done:
            result[done:ready] = _levels(squares, centres[done:ready] - half - start, window)
            done = ready
            first_needed = int(centres[done]) - half if done < count else start
            squares, start = squares[first_needed - start :], first_needed
            progress(done / count)
    if done < count:
        end = int(centres[-1]) + half + 1
        squares = np.concatenate((squares, np.zeros(max(0, end - start - len(squares)))))
        result[done:] = _levels(squares, centres[done:] - half - start, window)
    _undo_edges(result, centres, frames, window)
    progress(1.0)
    return np.maximum(result, np.float32(FLOOR_DB))


def _levels(
    squares: NDArray[np.float64], starts: NDArray[np.int64], window: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return dB of the weighted mean of `squares` from each start on."""
    picked = np.lib.stride_tricks.sliding_window_view(squares, len(window))[starts]
    mean = picked @ (window / window.sum())
    return np.asarray(10.0 * np.log10(np.maximum(mean, 10.0 ** (FLOOR_DB / 10.0))))


def _undo_edges(
    levels_db: NDArray[np.float32], centres: NDArray[np.int64], frames: int, window: NDArray[np.float64]
) -> None:
    """Raise, in place, the frames whose window hangs over an end by the share of it that lay outside."""
    half = len(window) // 2
    cumulative = np.concatenate(([0.0], np.cumsum(window / window.sum())))
    hangs_over = np.flatnonzero((centres < half) | (centres + half >= frames))
    first = np.maximum(0, half - centres[hangs_over])
    last = np.minimum(len(window), frames - centres[hangs_over] + half)
    inside = cumulative[np.maximum(last, first)] - cumulative[first]
    audible = (levels_db[hangs_over] > FLOOR_DB) & (inside > 0)
    chosen = hangs_over[audible]
    levels_db[chosen] -= (10.0 * np.log10(inside[audible])).astype(np.float32)
