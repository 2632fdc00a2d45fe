"""What every lossy encoder reads: the master at the encoder's rate, turned down where its decoder would overshoot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.audio.resample import Resampler
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.audio.buffer import Samples

_BLOCK_FRAMES = 16_384


def sound_for(master: Path, rate: int, gain_db: float) -> Iterator[Samples]:
    """Yield the blocks of a master at `rate`, `gain_db` louder; none of them is empty."""
    info = probe(master)
    gain = np.float32(db_to_gain(gain_db))
    resampler = Resampler(info.sample_rate, rate, info.channels)
    for block in blocks(master, block_frames=_BLOCK_FRAMES):
        out = resampler.push(block)
        if out.shape[1]:
            yield out if gain == 1.0 else out * gain
    tail = resampler.finish()
    if tail.shape[1]:
        yield tail if gain == 1.0 else tail * gain
