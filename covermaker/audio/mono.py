"""Any file as one channel at the rate a network wants: whole or streamed.

Both give the same samples, and as many as ``resampled_frames`` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.buffer import Audio
from covermaker.audio.files import BLOCK_FRAMES, blocks, probe
from covermaker.audio.resample import Resampler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.audio.buffer import Samples


def mono_blocks(path: Path, sample_rate: int, *, block_frames: int = BLOCK_FRAMES) -> Iterator[Samples]:
    """Yield (1, n) resampled blocks of the mean of a file's channels; n varies, memory does not grow.

    Parameters
    ----------
    path : Path
        Any readable file.
    sample_rate : int
        Wanted rate in Hz.
    block_frames : int
        Frames read at a time, at the file's own rate.
    """
    resampler = Resampler(probe(path).sample_rate, sample_rate, 1)
    for block in blocks(path, block_frames=block_frames):
        out = resampler.push(_mean(block))
        if out.shape[1]:
            yield out
    tail = resampler.finish()
    if tail.shape[1]:
        yield tail


def read_mono(path: Path, *, sample_rate: int = 16_000) -> Audio:
    """Read a whole file as one channel at `sample_rate`; ``round(frames * rate / file's rate)`` frames."""
    parts = list(mono_blocks(path, sample_rate))
    return Audio(np.concatenate(parts, axis=1) if parts else np.zeros((1, 0), np.float32), sample_rate)


def _mean(block: Samples) -> Samples:
    if block.shape[0] == 1:
        return block
    mean: Samples = block.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
    return mean
