"""Numbers that move without a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.effects.spec import MOVE_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Glide:
    """A number that goes to its next value in a straight line; while nothing moves it is a plain number.

    Parameters
    ----------
    value : float
        Where it starts.
    steps : int
        How many steps each way takes; a step is a sample, or whatever the user of it counts in.
    """

    def __init__(self, value: float, steps: int = MOVE_SAMPLES) -> None:
        self.goal = value
        self._start = value
        self._steps = self._taken = steps

    def to(self, value: float) -> None:
        """Set out for `value` from where it is now."""
        if value != self.goal:
            part = self._taken / self._steps
            self._start = self._start + (self.goal - self._start) * part if part < 1.0 else self.goal
            self.goal, self._taken = value, 0

    def take(self, count: int) -> float | NDArray[np.float64]:
        """Return the next `count` values: one number when they are all the same."""
        if self._taken >= self._steps:
            return self.goal
        places = np.arange(self._taken + 1, self._taken + count + 1)
        self._taken = min(self._steps, self._taken + count)
        line = self._start + (self.goal - self._start) * (places / self._steps)
        line[places >= self._steps] = self.goal
        return line
