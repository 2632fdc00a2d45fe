"""Delay lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Sample = TypeVar("Sample", bound=np.floating[Any])


class Line:
    """Gives a stream back `delay_samples` later, as (channels, n) blocks of any size, float32 or float64."""

    def __init__(self, delay_samples: int, channels: int) -> None:
        self._held: NDArray[Any] = np.zeros((channels, delay_samples), dtype=np.float32)

    def process(self, block: NDArray[Sample]) -> NDArray[Sample]:
        """Return the next block of the delayed stream."""
        delay_samples = self._held.shape[1]
        if delay_samples == 0:
            return block
        joined: NDArray[Sample] = np.concatenate([self._held, block], axis=1)
        frames = block.shape[1]
        self._held = joined[:, frames:].copy()
        return joined[:, :frames]


class TapLoop:
    """A ring of float64 samples, read a while behind where it is written; the while may change.

    A new delay is reached by fading from the old place of reading to the new one, never by reading faster, which would
    bend the pitch. One that is asked for during a fade waits for its end.

    Parameters
    ----------
    delay_samples : int
        How far behind it is read.
    channels : int
        1 or 2.
    longest_samples : int
        The longest delay that will be asked for.
    fade_samples : int
        How long a fade takes.
    """

    # So that pieces end where the chunks of a filter behind the ring do: see `SectionStream`.
    GRID_SAMPLES = 8192

    def __init__(self, delay_samples: int, channels: int, *, longest_samples: int, fade_samples: int) -> None:
        self.delay_samples = self._goal = delay_samples
        self._next = delay_samples  # where a fade goes
        size = -(-max(longest_samples, delay_samples) // self.GRID_SAMPLES) * self.GRID_SAMPLES
        self._ring: NDArray[np.float64] = np.zeros((channels, size))
        self._at = 0
        rise = np.arange(1, fade_samples + 1) / fade_samples
        self._fade = 0.5 - 0.5 * np.cos(np.pi * rise)
        self._faded = fade_samples

    def delay_by(self, delay_samples: int) -> None:
        """Take another delay."""
        self._goal = delay_samples

    def reach(self, frames: int) -> int:
        """Return how many of `frames` can be read and written in one go."""
        size = self._ring.shape[1]
        if self._next == self.delay_samples and self._goal != self.delay_samples:
            self._next, self._faded = self._goal, 0
        fading = self._next != self.delay_samples
        for delay in (self.delay_samples, self._next):
            frames = min(frames, delay, size - (self._at - delay) % size)
        if fading:
            frames = min(frames, len(self._fade) - self._faded)
        frames = min(frames, size - self._at)
        border = (self._at + frames) // self.GRID_SAMPLES * self.GRID_SAMPLES
        return border - self._at if border > self._at else frames

    def read(self, frames: int) -> NDArray[np.float64]:
        """Return the next `frames` delayed samples, at most `reach`; they hold until `write`."""
        read = self._tap(self.delay_samples, frames)
        if self._next != self.delay_samples:
            read = (
                read + (self._tap(self._next, frames) - read) * self._fade[self._faded : self._faded + frames]
            )
        return read

    def write(self, block: NDArray[np.float64]) -> None:
        """Put `block` behind what was written, and move on."""
        frames = block.shape[1]
        self._ring[:, self._at : self._at + frames] = block
        self._at = (self._at + frames) % self._ring.shape[1]
        if self._next != self.delay_samples:
            self._faded += frames
            if self._faded == len(self._fade):
                self.delay_samples = self._next

    def _tap(self, delay: int, frames: int) -> NDArray[np.float64]:
        start = (self._at - delay) % self._ring.shape[1]
        return self._ring[:, start : start + frames]
