"""What runs below a waveform from left to right: the melody that is sung, a value that moves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from covermaker.tui.widgets.canvas import cells, line, rows_of
from covermaker.units import note_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.tui.widgets.charset import Glyphs

# From times in seconds, in rising order, to heights, 0 to 1; NaN where there is nothing.
Heights: TypeAlias = "Callable[[NDArray[np.float64]], NDArray[np.float64]]"


@dataclass(frozen=True)
class Course:
    """A line to draw: the names of its lower and its upper end, of both where it has one row, and its heights."""

    low: str
    high: str
    both: str
    heights: Heights

    def labels(self, rows: int) -> dict[int, str]:
        """Return what stands at the beginning of which row."""
        if rows > 1:
            return {0: self.high, rows - 1: self.low}
        return {0: self.both}


def melody(seconds: NDArray[np.float64], hz: NDArray[np.float64]) -> Course | None:
    """Return a melody by octaves: its times, rising, and its frequencies; None where nothing is sung.

    The hundredth at each end, a slip of the tracker, is left out of its range.
    """
    times = np.asarray(seconds, np.float64)
    voiced = np.where(np.asarray(hz, np.float64) > 0, hz, np.nan)
    if not np.isfinite(voiced).any():
        return None
    low, high = (float(one) for one in np.nanpercentile(voiced, (1, 99)))
    floor, octaves = (
        math.log2(low) - 1 / 12,
        math.log2(high / low) + 1 / 6,
    )  # a semitone of room on both sides

    def heights(at: NDArray[np.float64]) -> NDArray[np.float64]:
        found = (np.log2(voiced[np.clip(np.searchsorted(times, at), 0, len(times) - 1)]) - floor) / octaves
        step = (at[1] - at[0]) / 2 if len(at) > 1 else 0.0
        found[(at + step < times[0]) | (at - step > times[-1])] = np.nan
        return np.asarray(found, np.float64)

    names = note_name(low), note_name(high)
    return Course(*names, "-".join(names), heights)


def draw(course: Course, view: tuple[float, float], width: int, rows: int, glyphs: Glyphs) -> list[str]:
    """Draw a stretch of a course over so many cells."""
    across, down = glyphs.dots
    edges = np.linspace(*view, width * across + 1)
    heights = course.heights((edges[:-1] + edges[1:]) / 2)
    y = (1.0 - np.clip(heights, 0.0, 1.0)) * (rows * down - 1) + 0.5
    return rows_of(cells(line(rows * down, y), glyphs))
