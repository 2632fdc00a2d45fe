"""Automation: how a value moves over the song.

A curve is a list of points in time. Before its first point it has the first value, behind its last the last. A step
of a curve that holds is no step for the ear: it takes `STEP_SECONDS`, since a jump of the gain is a click.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Shape: TypeAlias = Literal["linear", "smooth", "hold"]

STEP_SECONDS = 0.010


@dataclass(frozen=True, slots=True)
class Automation:
    """A value's course, as a document tells it.

    Attributes
    ----------
    points : tuple of (float, float)
        Seconds of the song, and the value there; times rise.
    shape : {"linear", "smooth", "hold"}
        Between two points: a straight line, half a cosine, or the value of the earlier one.
    """

    points: tuple[tuple[float, float], ...]
    shape: Shape = "linear"

    def params(self) -> dict[str, object]:
        """Return the canonical form for step keys."""
        return {"points": [list(point) for point in self.points], "shape": self.shape}


@dataclass(frozen=True, slots=True)
class Move:
    """A parameter of a rack that moves: the effect's place in the rack, its parameter or ``"bypass"``, the course."""

    index: int
    parameter: str
    course: Automation


class Curve:
    """An automation on the samples of a song.

    Parameters
    ----------
    course : Automation
    sample_rate : int
        In Hz.
    step_seconds : float
        How long a step of a curve that holds takes; 0 where a value in between would be none.
    """

    def __init__(self, course: Automation, sample_rate: int, *, step_seconds: float = STEP_SECONDS) -> None:
        frames = np.array([seconds * sample_rate for seconds, _ in course.points])
        values = np.array([value for _, value in course.points])
        self._jumps = course.shape == "hold" and step_seconds == 0.0
        if course.shape == "hold" and not self._jumps:
            frames, values = _steps(frames, values, step_seconds * sample_rate)
        self._frames, self._values = frames, values
        self._smooth = course.shape == "smooth"

    @property
    def last(self) -> float:
        """The value behind its last point."""
        return float(self._values[-1])

    def over(self, first: int, count: int) -> NDArray[np.float64]:
        """Return the values of `count` frames from frame `first`."""
        return self.at(np.arange(first, first + count, dtype=np.float64))

    def at(self, frames: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values at these frames."""
        if self._jumps:
            held: NDArray[np.float64] = self._values[
                np.maximum(np.searchsorted(self._frames, frames, "right") - 1, 0)
            ]
            return held
        if not self._smooth:
            straight: NDArray[np.float64] = np.interp(frames, self._frames, self._values)
            return straight
        count = np.arange(len(self._frames), dtype=np.float64)
        place = np.interp(frames, self._frames, count)
        behind = np.minimum(place.astype(np.intp), len(self._values) - 1)
        ahead = np.minimum(behind + 1, len(self._values) - 1)
        share = 0.5 - 0.5 * np.cos(np.pi * (place - behind))
        found: NDArray[np.float64] = self._values[behind] + share * (
            self._values[ahead] - self._values[behind]
        )
        return found


def _steps(
    frames: NDArray[np.float64], values: NDArray[np.float64], ramp: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of a line that holds each value until the next point, and then takes `ramp` to change."""
    corners = [(float(frames[0]), float(values[0]))]
    for at, (frame, value) in enumerate(zip(frames[1:], values[1:], strict=True), start=1):
        corners.append((float(frame), float(values[at - 1])))
        until = float(frame) + ramp
        if at + 1 < len(frames):
            until = min(until, float(frames[at + 1]))
        corners.append((until, float(value)))
    return np.array([frame for frame, _ in corners]), np.array([value for _, value in corners])


def moved_effects(moves: Sequence[Move]) -> dict[int, dict[str, Automation]]:
    """Return what moves of each effect of a rack, by its place."""
    found: dict[int, dict[str, Automation]] = {}
    for move in moves:
        found.setdefault(move.index, {})[move.parameter] = move.course
    return found
