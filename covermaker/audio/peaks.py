"""The outline of a waveform: lowest, highest and mean level per bucket, for drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import BLOCK_FRAMES, blocks, probe

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples


@dataclass(frozen=True, slots=True)
class Outline:
    """One value a bucket of `bucket_frames` frames, over all channels; arrays are float32 (buckets,)."""

    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]
    rms: NDArray[np.float32]
    bucket_frames: int
    sample_rate: int


def outline(path: Path, *, buckets: int = 1000) -> Outline:
    """Draw a file's outline in at most `buckets` buckets of equal length, the last one perhaps shorter.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    """
    info = probe(path)
    width = max(1, -(-info.frames // buckets))
    rows: list[tuple[float, float, float]] = []
    for block in blocks(path, block_frames=width * max(1, BLOCK_FRAMES // width)):
        rows.extend(_row(block[:, at : at + width]) for at in range(0, block.shape[1], width))
    table = np.array(rows, np.float32).reshape(-1, 3)
    lowest, highest, rms = (np.ascontiguousarray(column) for column in table.T)
    return Outline(lowest, highest, rms, width, info.sample_rate)


def _row(piece: Samples) -> tuple[float, float, float]:
    return (
        float(piece.min()),
        float(piece.max()),
        float(np.sqrt(np.mean(np.square(piece, dtype=np.float64)))),
    )
