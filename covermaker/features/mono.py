"""A vocal as one channel at a network's sample rate, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, probe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def mono_blocks(path: Path, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Yield the mean of the channels at `sample_rate` Hz as float32 (n,) blocks, without delay."""
    import soxr

    source_rate = probe(path).sample_rate
    mono = (block.mean(axis=0, dtype=np.float64).astype(np.float32) for block in blocks(path))
    if source_rate == sample_rate:
        yield from mono
        return
    stream = soxr.ResampleStream(source_rate, sample_rate, 1, dtype="float32", quality="HQ")
    for block in mono:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
