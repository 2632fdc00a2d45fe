"""Several series over one axis: losses, scores, spectra. Told apart by pattern and sign, not by colour alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from rich.segment import Segment

from covermaker.tui.widgets.canvas import between, cells, line, nice_step, rows_of, striped
from covermaker.tui.widgets.drawn import Drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from textual.strip import Strip

_LOOKS = ("curve--series-1", "curve--series-2", "curve--series-3", "curve--series-4")

# Which dots of a line are drawn, over and over: whole, dashes, dots, dash and dot.
_PATTERNS = ((1,), (1, 1, 1, 1, 0, 0), (1, 0, 0), (1, 1, 1, 0, 1, 0))
_LEGEND_SAMPLE_CELLS = 3
_LABEL_CELLS = 6
_ROWS_A_LABEL = 2


@dataclass(frozen=True, slots=True)
class Series:
    """A named series; points that are not finite are left out.

    Parameters
    ----------
    name : str
        For the legend.
    x, y : array (points,)
        `x` rising.
    draw : {"line", "points", "area"}
        Points are drawn as the series' sign: for scores now and then.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    draw: Literal["line", "points", "area"] = "line"


@dataclass(slots=True)
class _Points:
    """A series without its gaps."""

    x: NDArray[np.float64] = field(repr=False)
    y: NDArray[np.float64] = field(repr=False)


class Curve(Drawn):
    """See the module; up to four series, further ones use the patterns again."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*_LOOKS, "curve--axis", "curve--note"}

    DEFAULT_CSS = """
    Curve { height: 1fr; min-height: 3; }
    Curve > .curve--series-1 { color: $primary; }
    Curve > .curve--series-2 { color: $accent; }
    Curve > .curve--series-3 { color: $warning; }
    Curve > .curve--series-4 { color: $secondary; }
    Curve > .curve--axis { color: $text-muted; }
    Curve > .curve--note { color: $foreground; }
    """

    def __init__(
        self,
        *,
        log_x: bool = False,
        log_y: bool = False,
        y_range: tuple[float, float] | None = None,
        empty: str = "nothing to draw yet",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.log_x, self.log_y, self._y_range, self._empty = log_x, log_y, y_range, empty
        self._series: tuple[Series, ...] = ()
        self._points: list[_Points] = []
        self._notes: tuple[str, ...] = ()
        self._picture: tuple[list[str], NDArray[np.intp]] | None = None
        self._drawn_size = (0, 0)

    def show_series(self, series: Sequence[Series], *, notes: Sequence[str] = ()) -> None:
        """Show series, the first one on top; notes are lines under the legend."""
        self._series, self._notes = tuple(series), tuple(notes)
        self._points = [self._finite(one) for one in self._series]
        self.redraw()

    def action_log_y(self) -> None:
        """Turn the logarithmic axis on or off; bound by the table of keys."""
        self.log_y = not self.log_y
        self._points = [self._finite(one) for one in self._series]
        self.redraw()

    def redraw(self) -> None:
        """Draw again."""
        self._picture = None
        self.refresh()

    # -- from values to dots -------------------------------------------------------------------------------

    def _finite(self, series: Series) -> _Points:
        x, y = np.asarray(series.x, np.float64), np.asarray(series.y, np.float64)
        good = np.isfinite(x) & np.isfinite(y) & ((x > 0) | (not self.log_x)) & ((y > 0) | (not self.log_y))
        x, y = x[good], y[good]
        return _Points(np.log10(x) if self.log_x else x, np.log10(y) if self.log_y else y)

    def _range(self, axis: Literal["x", "y"]) -> tuple[float, float] | None:
        """Return the ends of an axis, on its own (linear or log) scale."""
        if axis == "y" and self._y_range is not None:
            return self._y_range
        values = [getattr(points, axis) for points in self._points if len(points.x)]
        if not values:
            return None
        low, high = min(one.min() for one in values), max(one.max() for one in values)
        room = (high - low) * 0.04 if axis == "y" else 0.0
        if high <= low:
            room = abs(low) * 0.1 or 1.0
        return float(low - room), float(high + room)

    def _draw(self, width: int, height: int) -> tuple[list[str], NDArray[np.intp]]:
        """Return rows of characters and, a cell, the number of the series that it belongs to."""
        x_range, y_range = self._range("x"), self._range("y")
        looks = np.zeros((height, width), np.intp)
        drawn = np.full((height, width), " ")
        if x_range is None or y_range is None or width < 1 or height < 1:
            return rows_of(drawn), looks
        across, down = self.glyphs.dots
        dots = np.zeros((height * down, width * across), np.bool_)
        for index in self._order():
            own = self._dots(index, dots.shape, x_range, y_range)
            hit = own.reshape(height, down, width, across).any(axis=(1, 3))
            if self.charset == "ascii" and len(self._series) > 1:
                drawn[hit] = self._mark(index)
            else:
                if self._above_area(index):  # A line over an area has its cells for itself.
                    dots &= ~np.repeat(np.repeat(hit, down, axis=0), across, axis=1)
                dots |= own
            looks[hit] = index % len(_LOOKS)
        if dots.any():
            drawn = cells(dots, self.glyphs)
        for index, series in enumerate(self._series):
            if series.draw == "points":
                self._put_points(index, drawn, looks, x_range, y_range)
        return rows_of(drawn), looks

    def _order(self) -> list[int]:
        """Return the series from the lowest to the topmost: areas first, the first of its kind last."""
        return sorted(
            range(len(self._series)), key=lambda index: (self._series[index].draw != "area", -index)
        )

    def _above_area(self, index: int) -> bool:
        return self._series[index].draw == "line" and any(one.draw == "area" for one in self._series)

    def _pattern(self, index: int) -> NDArray[np.bool_]:
        """Return which dots of a line are drawn: each line of a picture has a pattern of its own."""
        lines = [number for number, one in enumerate(self._series) if one.draw == "line"]
        return np.array(_PATTERNS[lines.index(index) % len(_PATTERNS)], np.bool_)

    def _dots(
        self, index: int, shape: tuple[int, ...], x_range: tuple[float, float], y_range: tuple[float, float]
    ) -> NDArray[np.bool_]:
        points, draw = self._points[index], self._series[index].draw
        height, count = shape
        if not len(points.x) or draw == "points":
            return np.zeros(shape, np.bool_)
        column = (points.x - x_range[0]) / (x_range[1] - x_range[0]) * (count - 1)
        row = (y_range[1] - points.y) / (y_range[1] - y_range[0]) * (height - 1) + 0.5
        row = np.clip(row, 0.0, height - 0.01)
        places = np.clip(np.round(column), 0, count - 1).astype(np.intp)
        low, high = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(low, places, row)
        np.maximum.at(high, places, row)
        has = np.isfinite(low)
        middle = np.full(count, np.nan)
        inner = np.arange(math.ceil(max(0.0, column[0] - 0.5)), min(count, math.floor(column[-1] + 0.5) + 1))
        middle[inner] = np.interp(inner, column, row)
        middle[has] = (low[has] + high[has]) / 2
        if draw == "area":
            filled = between(height, middle, np.where(np.isnan(middle), np.nan, height))
            # Every other dot: a line over it is told apart without colour, too.
            filled &= (np.arange(height)[:, None] + np.arange(count)) % 2 == 0
            return filled
        picture = line(height, middle) | between(
            height, np.where(has, low, np.nan), np.where(has, high, np.nan)
        )
        pattern = self._pattern(index)
        picture &= pattern[np.arange(count) % len(pattern)]
        return picture

    def _put_points(
        self,
        index: int,
        drawn: NDArray[np.str_],
        looks: NDArray[np.intp],
        x_range: tuple[float, float],
        y_range: tuple[float, float],
    ) -> None:
        points, (height, width) = self._points[index], drawn.shape
        x = np.round((points.x - x_range[0]) / (x_range[1] - x_range[0]) * (width - 1)).astype(np.intp)
        y = np.round((y_range[1] - points.y) / (y_range[1] - y_range[0]) * (height - 1)).astype(np.intp)
        drawn[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] = self._mark(index)
        looks[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] = index % len(_LOOKS)

    def _mark(self, index: int) -> str:
        if self._series[index].draw == "area":
            return self.glyphs.rest
        return self.glyphs.marks[index % len(self.glyphs.marks)]

    # -- lines ---------------------------------------------------------------------------------------------

    def _legend_cells(self) -> int:
        """How wide the legend is; none where it would take more than a third."""
        texts = [len(text) + _LEGEND_SAMPLE_CELLS + 1 for text in self._names()]
        wide = max([*texts, *map(len, self._notes)], default=0) + 2
        return wide if wide <= self.size.width // 3 else 0

    def _names(self) -> list[str]:
        names = []
        for series, points in zip(self._series, self._points, strict=True):
            last = "" if not len(points.y) else _figure(10.0 ** points.y[-1] if self.log_y else points.y[-1])
            names.append(f"{series.name} {last}".rstrip())
        return names

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width, height = self.size
        legend = self._legend_cells()
        before = _LABEL_CELLS + 1
        plot_width, plot_height = max(1, width - before - legend), max(1, height - 1)
        if not any(len(points.x) for points in self._points):
            text = self._empty if y == height // 2 else ""
            return self.line_of([Segment(text.center(width)[:width], self.look("curve--axis"))])
        if self._picture is None or self._drawn_size != (plot_width, plot_height):
            self._drawn_size = (plot_width, plot_height)
            self._picture = self._draw(*self._drawn_size)
        if y >= plot_height:
            return self.line_of(self._x_axis(before, plot_width))
        rows, looks = self._picture
        label = self._y_labels(plot_height).get(y, "").rjust(_LABEL_CELLS)[:_LABEL_CELLS]
        sign = self.glyphs.tick if label.strip() else self.glyphs.upright
        drawn = striped(rows[y], looks[y], [self.look(name) for name in _LOOKS])
        axis = Segment(f"{label}{sign}", self.look("curve--axis"))
        return self.line_of([axis, *drawn, *(self._legend(y) if legend else [])])

    def _y_labels(self, height: int) -> dict[int, str]:
        """Return what is written beside which row: round values, or on a logarithmic axis every other row's."""
        scale = self._range("y")
        if scale is None or height < 1:
            return {}
        low, high = scale
        if self.log_y:
            rows = range(0, height, _ROWS_A_LABEL)
            return {row: _figure(10.0 ** (high - (high - low) * row / max(1, height - 1))) for row in rows}
        step = nice_step(high - low, max(2, 2 * height // 3))
        values = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
        return {
            round((high - value) / (high - low) * (height - 1)): _figure(float(value), step)
            for value in values
        }

    def _x_label(self, value: float) -> str:
        return f"{value:,.0f}".replace(",", " ") if abs(value) >= 10 else _figure(value)

    def _x_axis(self, before: int, width: int) -> list[Segment]:
        axis = [self.glyphs.level] * width
        scale = self._range("x")
        if scale is not None:
            for value in self._x_ticks(scale, width):
                text = self._x_label(10.0**value if self.log_x else value)
                at = (
                    round((value - scale[0]) / max(scale[1] - scale[0], 1e-12) * (width - 1)) - len(text) // 2
                )
                at = min(max(at, 0), max(0, width - len(text)))
                if all(sign == self.glyphs.level for sign in axis[max(0, at - 1) : at + len(text) + 1]):
                    axis[at : at + len(text)] = text
        head = f"{self.glyphs.corner}".rjust(before)
        return [Segment(head + "".join(axis)[:width], self.look("curve--axis"))]

    def _x_ticks(self, scale: tuple[float, float], width: int) -> list[float]:
        """Return where to write numbers, the ends first."""
        step = nice_step(scale[1] - scale[0], max(1, width // 12))
        inner = np.arange(math.ceil(scale[0] / step), math.floor(scale[1] / step) + 1) * step
        return [scale[1], scale[0], *inner.tolist()]

    def _legend(self, y: int) -> list[Segment]:
        names = self._names()
        if y < len(names):
            look = self.look(_LOOKS[y % len(_LOOKS)])
            return [Segment(f"  {self._sample(y)} ", look), Segment(names[y], self.look("curve--note"))]
        note = y - len(names) - 1
        text = self._notes[note] if 0 <= note < len(self._notes) else ""
        return [Segment(f"  {text}", self.look("curve--note"))]

    def _sample(self, index: int) -> str:
        """Draw a piece of a series as it looks in the picture."""
        draw = self._series[index].draw
        if draw == "points" or self.charset == "ascii":
            return self._mark(index).center(_LEGEND_SAMPLE_CELLS)
        across, down = self.glyphs.dots
        dots = np.zeros((down, _LEGEND_SAMPLE_CELLS * across), np.bool_)
        if draw == "area":
            dots[:] = (np.arange(down)[:, None] + np.arange(dots.shape[1])) % 2 == 0
        else:
            pattern = self._pattern(index)
            dots[down // 2] = pattern[np.arange(dots.shape[1]) % len(pattern)]
        return rows_of(cells(dots, self.glyphs))[0]


def _figure(value: float, step: float | None = None) -> str:
    """Write a number in at most six cells, to three figures, or as exactly as `step` asks for."""
    if value == 0:
        return "0"
    if abs(value) >= 99_999 or abs(value) < 0.001:
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    if step is not None:
        return f"{value:.{min(3, max(0, -math.floor(math.log10(step) + 1e-9)))}f}"
    return f"{value:.{min(3, max(0, 2 - math.floor(math.log10(abs(value)))))}f}"
