"""What can be read off the samples as they came: clipping, inverted channels, level. One pass, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.errors import AudioInputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from covermaker.audio.buffer import Samples

FULL_SCALE = 32766.5 / 32768  # the last step of 16 bits, and everything beyond
LEAST_RUN = 3  # one or two samples at full scale are a loud peak, three are a flat top
INVERTED_BELOW = -0.8


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a file's samples.

    Parameters
    ----------
    frames : int
        Length.
    peak : float
        Loudest sample, 1.0 = full scale.
    clipped_runs, clipped_samples : int
        Flat tops of three samples and more at full scale, over all channels.
    correlation : float or None
        Of the first two channels, -1..1; None for mono, or when one is silent.
    """

    frames: int
    peak: float
    clipped_runs: int
    clipped_samples: int
    correlation: float | None

    @property
    def inverted(self) -> bool:
        """Whether the channels cancel each other when they are averaged."""
        return self.correlation is not None and self.correlation < INVERTED_BELOW


def read_facts(path: Path, blocks: Iterable[Samples]) -> Facts:
    """Measure a stream of (channels, n) blocks.

    Raises
    ------
    AudioInputError
        When a sample is NaN or infinite.
    """
    frames, peak, clipped_runs, clipped_samples = 0, 0.0, 0, 0
    cross = left = right = 0.0
    carried: list[int] = []  # flat top at the end of the last block, a channel
    for block in blocks:
        if not np.isfinite(block).all():
            raise AudioInputError(f"'{path}' holds NaN or infinite samples", hint="export the file again")
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        frames += block.shape[1]
        if block.shape[0] >= 2:
            first, second = block[0].astype(np.float64), block[1].astype(np.float64)
            cross += float(first @ second)
            left += float(first @ first)
            right += float(second @ second)
        carried = carried or [0] * block.shape[0]
        for channel, samples in enumerate(block):
            lengths, carried[channel] = _flat_tops(samples, carried[channel])
            clipped_runs += int((lengths >= LEAST_RUN).sum())
            clipped_samples += int(lengths[lengths >= LEAST_RUN].sum())
    ended = [length for length in carried if length >= LEAST_RUN]
    scale = (left * right) ** 0.5
    return Facts(
        frames,
        peak,
        clipped_runs + len(ended),
        clipped_samples + sum(ended),
        cross / scale if scale > 1e-9 * max(left, right, 1e-9) else None,
    )


def to_mono(block: Samples, *, inverted: bool) -> Samples:
    """Return the mean of the channels as (1, n); of two that are inverted, half their difference."""
    if block.shape[0] == 1:
        return block
    rows = block.astype(np.float64)
    if inverted:
        rows[1] *= -1.0
        rows = rows[:2]
    mono: Samples = rows.mean(axis=0, keepdims=True).astype(np.float32)
    return mono


def _flat_tops(samples: Samples, carried: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
    """Return the lengths of the runs that ended here, and of the one still open."""
    full = np.abs(samples) >= FULL_SCALE
    edges = np.flatnonzero(np.diff(np.concatenate(([0], full.astype(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    if carried:
        if len(starts) and starts[0] == 0:
            lengths[0] += carried
        else:
            lengths = np.concatenate(([carried], lengths))
    if len(ends) and ends[-1] == len(samples):
        return lengths[:-1], int(lengths[-1])
    return lengths, 0
