"""What stands below a waveform: times with the loop over them, and the names of the sections."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.cells import set_cell_size

from covermaker.tui.words import one_line
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.tui.widgets.charset import Glyphs

Look = Literal["ruler", "span", "section"]
Piece = tuple[str, int, Look]  # text, its cells, how it looks

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # s
_TICK_CELLS = 12
_BARS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_LINE_CELLS = 4  # of a bar, or a beat, that has a sign of its own
_NEAR_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of time, in seconds, over a width in cells."""

    start: float
    end: float
    width: int

    def column(self, seconds: float) -> int:
        """Return the cell of a time, which may lie outside; -1 when there is no stretch."""
        if self.end <= self.start:
            return -1
        return math.floor((seconds - self.start) / (self.end - self.start) * self.width)

    def seconds(self, column: int) -> float:
        """Return the time at which a cell begins, within the stretch."""
        share = column / max(1, self.width)
        return min(max(self.start, self.start + share * (self.end - self.start)), self.end)

    def columns(self, span: tuple[float, float] | None) -> tuple[int, int]:
        """Return the first cell of a span and the one after its last, within the width; equal when none is seen."""
        if span is None or self.end <= self.start:
            return 0, 0
        begin = self.column(span[0])
        stop = max(begin + 1, self.column(span[1] - 1e-9) + 1)
        return min(max(0, begin), self.width), min(max(0, stop), self.width)


@dataclass(frozen=True, slots=True)
class Grid:
    """A song's bars and beats, in seconds.

    Attributes
    ----------
    bars : tuple of float
        Where bars begin.
    beats : tuple of float
        All beats.
    is_counted : bool
        The ruler counts bars, and no seconds.
    """

    bars: tuple[float, ...] = ()
    beats: tuple[float, ...] = ()
    is_counted: bool = True

    @property
    def uncounted(self) -> Grid:
        """The same beside seconds."""
        return Grid(self.bars, self.beats, is_counted=False)

    def snapped(self, loop: tuple[float, float], seconds: float) -> tuple[float, float]:
        """Return a loop with its ends on the nearest bars, one bar long at least; where bars are unclear, beats."""
        lines = [at for at in (self.bars or self.beats) if at < seconds]
        if len(lines) < 2:
            return loop
        lines = [*([0.0] if lines[0] > _NEAR_SECONDS else []), *lines, seconds]
        begin, end = (min(range(len(lines)), key=lambda at: abs(lines[at] - time)) for time in loop)
        begin = min(begin, len(lines) - 2)
        return lines[begin], lines[max(end, begin + 1)]


NO_GRID = Grid(is_counted=False)


def ruler(
    axis: Axis, loop: tuple[float, float] | None, *, looping: bool, glyphs: Glyphs, grid: Grid = NO_GRID
) -> list[Piece]:
    """Write times, or the numbers of bars, where they fit, bars and beats between them, and the loop over them."""
    marks = _lines(axis, grid, glyphs)
    begin, stop = axis.columns(loop)
    for at, text in _numbers(axis, grid.bars) if grid.is_counted and grid.bars else _ticks(axis):
        after = at + len(text)
        if after <= axis.width and (after <= begin or at >= stop or begin == stop):
            marks[at:after] = text
    if loop is None or begin == stop:
        return [("".join(marks), axis.width, "ruler")]
    inner = f" loop {clock(loop[1] - loop[0])} " if looping else " loop off "
    room = max(0, stop - begin - 2)
    span = "[" + (inner if len(inner) <= room else "").center(room, glyphs.span) + "]"
    return [
        ("".join(marks[:begin]), begin, "ruler"),
        (span[: stop - begin], stop - begin, "span" if looping else "ruler"),
        ("".join(marks[stop:]), axis.width - stop, "ruler"),
    ]


def sections(axis: Axis, parts: Sequence[tuple[float, str]], glyphs: Glyphs) -> list[Piece]:
    """Write the names of sections where they begin; the one that began before the stretch first."""
    before = [name for at, name in parts if at <= axis.start]
    shown = [(0, before[-1])] if before else []
    shown += [(axis.column(at), name) for at, name in parts if axis.start < at < axis.end]
    pieces: list[Piece] = []
    filled = 0
    stops = [*(at for at, _ in shown), axis.width][1:]  # none, where no section reaches into the stretch
    for (at, name), following in zip(shown, stops, strict=True):
        if at > filled:
            pieces.append((" " * (at - filled), at - filled, "section"))
        cells = max(0, following - at)
        pieces.append((set_cell_size(f"{glyphs.upright}{one_line(name)}", cells), cells, "section"))
        filled = at + cells
    return [*pieces, (" " * (axis.width - filled), axis.width - filled, "section")]


def section_at(
    parts: Sequence[tuple[float, str]], seconds: float, length_seconds: float
) -> tuple[float, float] | None:
    """Return from when to when a section lasts; None before the first one."""
    begins = [begin for begin, _ in parts if begin <= seconds]
    ends = [begin for begin, _ in parts if begin > seconds]
    return (begins[-1], ends[0] if ends else length_seconds) if begins else None


def _lines(axis: Axis, grid: Grid, glyphs: Glyphs) -> list[str]:
    """Return the signs of bars and beats that lie wide enough apart to be told from each other."""
    marks = [" "] * axis.width
    for times, sign in ((grid.beats, glyphs.beat), (grid.bars, glyphs.bar_line)):
        shown = [at for at in times if axis.start <= at < axis.end]
        if len(shown) > 1 and axis.width / (axis.end - axis.start) * (shown[1] - shown[0]) >= _LINE_CELLS:
            for at in shown:
                marks[axis.column(at)] = sign
    return marks


def _numbers(axis: Axis, bars: Sequence[float]) -> list[tuple[int, str]]:
    """Return the numbers of bars, every so many of them that they can be read."""
    if axis.end <= axis.start or not axis.width or len(bars) < 2:
        return []
    bar_cells = axis.width / (axis.end - axis.start) * (bars[-1] - bars[0]) / (len(bars) - 1)
    step = next((step for step in _BARS if step * bar_cells >= _TICK_CELLS / 2), _BARS[-1])
    return [
        (axis.column(at), str(number))
        for number, at in enumerate(bars, start=1)
        if (number - 1) % step == 0 and axis.start <= at < axis.end
    ]


def _ticks(axis: Axis) -> list[tuple[int, str]]:
    if axis.end <= axis.start or not axis.width:
        return []
    wanted = (axis.end - axis.start) * _TICK_CELLS / axis.width
    step = next((step for step in _STEPS if step >= wanted), _STEPS[-1])
    first, last = math.ceil(axis.start / step - 1e-9), math.floor(axis.end / step + 1e-9)
    times = [number * step for number in range(first, last + 1)]
    return [(axis.column(at), _time(at, tenths=step < 1)) for at in times]


def _time(seconds: float, *, tenths: bool) -> str:
    """Write a time on the ruler: ``1:20``, or ``1:20.5`` where tenths are told apart."""
    if not tenths:
        return clock(seconds)
    whole, rest = divmod(round(seconds * 10), 10)
    return f"{clock(whole)}.{rest}"
