"""Any file as one channel at the rate a network wants: whole, streamed, or a piece of it.

All three give the same samples, and as many as ``resampled_frames`` says.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.buffer import Audio, fit
from covermaker.audio.files import BLOCK_FRAMES, blocks, probe
from covermaker.audio.resample import Resampler, resampled_frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.audio.buffer import Samples

# Longer than soxr's VHQ filter at any ratio we meet, in frames of the lower rate.
_CONTEXT_FRAMES = 1024


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


def read_mono_at(path: Path, *, sample_rate: int, start: int, frames: int) -> Audio:
    """Read a piece of what `read_mono` would return, without decoding the rest.

    Parameters
    ----------
    path : Path
        Any readable file; WAV and FLAC are sought into.
    sample_rate : int
        Wanted rate in Hz, in which `start` and `frames` count.
    start, frames : int
        First frame, 0 or more, and how many; fewer come back when the file ends earlier.
    """
    info = probe(path)
    total = resampled_frames(info.frames, info.sample_rate, sample_rate)
    frames = max(0, min(frames, total - start))
    if not frames:
        return Audio(np.zeros((1, 0), np.float32), sample_rate)
    # Starting on a common multiple of both sample periods keeps the phase of the whole file's conversion.
    common = gcd(info.sample_rate, sample_rate)
    step_in, step_out = info.sample_rate // common, sample_rate // common
    context = _CONTEXT_FRAMES * max(1, sample_rate // info.sample_rate)
    step = max(0, start - context) // step_out
    first_in, first_out = step * step_in, step * step_out
    wanted_in = -(-(start + frames + context - first_out) * info.sample_rate // sample_rate) + 1
    resampler = Resampler(info.sample_rate, sample_rate, 1)
    parts = [resampler.push(_mean(block)) for block in blocks(path, start=first_in, frames=wanted_in)]
    whole = np.concatenate([*parts, resampler.finish()], axis=1)
    return Audio(fit(whole[:, start - first_out :], frames), sample_rate)


def _mean(block: Samples) -> Samples:
    if block.shape[0] == 1:
        return block
    mean: Samples = block.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
    return mean
