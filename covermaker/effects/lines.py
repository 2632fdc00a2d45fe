"""Delay lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples


class Line:
    """Gives a stream back `delay_samples` later, as (channels, n) blocks of any size."""

    def __init__(self, delay_samples: int, channels: int) -> None:
        self._held: Samples = np.zeros((channels, delay_samples), dtype=np.float32)

    def process(self, block: Samples) -> Samples:
        """Return the next block of the delayed stream."""
        delay_samples = self._held.shape[1]
        if delay_samples == 0:
            return block
        joined = np.concatenate([self._held, block], axis=1)
        frames = block.shape[1]
        self._held = joined[:, frames:].copy()
        return joined[:, :frames]


class Loop:
    """A ring of float64 samples that is read `delay_samples` behind where it is written."""

    def __init__(self, delay_samples: int, channels: int) -> None:
        self.delay_samples = delay_samples
        self._ring: NDArray[np.float64] = np.zeros((channels, delay_samples))
        self._at = 0

    def reach(self, frames: int) -> int:
        """Return how many of `frames` can be read and written in one go."""
        return min(frames, self.delay_samples - self._at)

    def read(self, frames: int) -> NDArray[np.float64]:
        """Return the next `frames` delayed samples, at most `reach`."""
        return self._ring[:, self._at : self._at + frames]

    def write(self, block: NDArray[np.float64]) -> None:
        """Put `block` in the place of the samples just read, and move on."""
        frames = block.shape[1]
        self._ring[:, self._at : self._at + frames] = block
        self._at = (self._at + frames) % self.delay_samples
