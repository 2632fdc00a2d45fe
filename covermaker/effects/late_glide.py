"""Moves for effects whose own sound comes late."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from covermaker.effects.glide import Glide

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LateGlide:
    """A `Glide` that sets out when the sound that was meant comes out again.

    Parameters
    ----------
    value : float
        Where it starts.
    late : int
        By how many samples the sound is late.
    """

    def __init__(self, value: float, late: int) -> None:
        self._glide, self._late = Glide(value), late
        self._now = 0
        self._waiting: deque[tuple[int, float]] = deque()

    def to(self, value: float) -> None:
        """Set out for `value`, `late` samples from now."""
        self._waiting.append((self._now + self._late, value))

    def take(self, count: int) -> float | NDArray[np.float64]:
        """Return the next `count` values: one number when they are all the same."""
        stop = self._now + count
        if not self._waiting or self._waiting[0][0] >= stop:
            self._now = stop
            return self._glide.take(count)
        taken = np.empty(count)
        at = 0
        while at < count:
            while self._waiting and self._waiting[0][0] <= self._now:
                self._glide.to(self._waiting.popleft()[1])
            until = min(stop, self._waiting[0][0]) if self._waiting else stop
            length = until - self._now
            taken[at : at + length] = self._glide.take(length)
            at += length
            self._now = until
        return taken
