"""Arrays to rows of characters: dots in cells, areas between two curves, lines through points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.segment import Segment
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from rich.style import Style

    from covermaker.tui.widgets.charset import Glyphs


def cells(dots: NDArray[np.bool_], glyphs: Glyphs, *, solid: bool = False) -> NDArray[np.str_]:
    """Draw (rows * dot rows, columns * dot columns) dots as (rows, columns) characters."""
    across, down = glyphs.dots
    height, width = dots.shape[0] // down, dots.shape[1] // across
    grid = (
        dots.reshape(height, down, width, across).transpose(0, 2, 1, 3).reshape(height, width, down * across)
    )
    table = glyphs.solid if solid else glyphs.curve
    drawn: NDArray[np.str_] = table[grid @ (1 << np.arange(down * across))]
    return drawn


def between(height: int, low: NDArray[Any], high: NDArray[Any]) -> NDArray[np.bool_]:
    """Fill each column of a picture from `low` to `high`, both included, rows counted from the top; NaN is empty."""
    rows = np.arange(height)[:, None]
    with np.errstate(invalid="ignore"):
        filled: NDArray[np.bool_] = (rows >= np.floor(low)) & (rows <= np.floor(high))
    return filled


def line(height: int, y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Draw a line through one value a column, rows counted from the top as floats; NaN breaks it.

    Steep pieces are drawn without holes: each column reaches half way to its neighbours.
    """
    middles = (y[:-1] + y[1:]) / 2
    before = np.concatenate([y[:1], middles])
    after = np.concatenate([middles, y[-1:]])
    before, after = np.where(np.isnan(before), y, before), np.where(np.isnan(after), y, after)
    low = np.minimum(np.minimum(before, after), y)
    high = np.maximum(np.maximum(before, after), y)
    # A half-way point that lies in the same row as the column's own dot needs none of its own.
    low = np.where(np.floor(low) < np.floor(y), np.floor(low + 0.5), low)
    high = np.where(np.floor(high) > np.floor(y), np.floor(high - 0.5), high)
    return between(height, np.minimum(low, y), np.maximum(high, y))


def pillars(rows: int, heights: NDArray[np.floating[Any]], glyphs: Glyphs) -> NDArray[np.str_]:
    """Draw heights, 0 to 1, from the bottom up, in eighths of a cell; what is there at all is seen."""
    signs = np.array(list(glyphs.pillar))
    steps = len(signs) - 1
    filled = np.clip(np.ceil(heights * rows * steps), 1, rows * steps)
    floor = np.arange(rows - 1, -1, -1)[:, None] * steps
    return np.asarray(signs[np.clip(filled - floor, 0, steps).astype(np.intp)])


def rows_of(drawn: NDArray[np.str_]) -> list[str]:
    """Join (rows, columns) characters to one string a row."""
    width = drawn.shape[1]
    text = np.ascontiguousarray(drawn).tobytes().decode("utf-32-le")
    return [text[at : at + width] for at in range(0, len(text), width)] if width else [""] * drawn.shape[0]


def striped(row: str, looks: NDArray[np.intp], styles: Sequence[Style]) -> Strip:
    """Make a line of a row of one-cell characters; `looks` has the number of a style for each."""
    breaks = np.flatnonzero(np.diff(looks)) + 1
    begins = [0, *breaks.tolist()]
    ends = [*breaks.tolist(), len(row)]
    return Strip(
        [
            Segment(row[begin:end], styles[looks[begin]])
            for begin, end in zip(begins, ends, strict=True)
            if end > begin
        ],
        len(row),
    )


def nice_step(span: float, most: int) -> float:
    """Return the smallest of 1, 2, 5, 10 … (times a power of ten) that cuts `span` into at most `most` pieces."""
    if span <= 0 or most < 1:
        return 1.0
    exponent = np.floor(np.log10(span / most))
    for factor in (1.0, 2.0, 5.0, 10.0):
        step = float(factor * 10.0**exponent)
        if span / step <= most + 1e-9:
            return step
    return float(10.0 ** (exponent + 1))
