"""Level meters of all channels in one widget, which repaints only the cells that changed.

Peaks go in, a peak programme meter comes out: it rises at once and falls 20 dB in 1.7 s (IEC 60268-10, type I), holds
the highest peak for 2 s, and says CLIP until it is told to forget.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from covermaker.tui.widgets.drawn import Drawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray
    from rich.style import Style
    from textual import events

FALL_DB_PER_SECOND = 20.0 / 1.7
HOLD_SECONDS = 2.0
SILENCE_DB = -120.0

# The scale: -60 to 0 dB, more room where it matters (after IEC 60268-18).
_SCALE_DB = (-60.0, -48.0, -36.0, -24.0, -12.0, -6.0, 0.0)
_SCALE = (0.0, 0.08, 0.18, 0.35, 0.62, 0.81, 1.0)
_LOUD_DB, _HOT_DB = -18.0, -6.0
_NUMBER_CELLS = 6

_LOOKS = ("meters--low", "meters--loud", "meters--hot")


@dataclass(slots=True)
class _Bar:
    """What of one channel is on the screen: lit steps, the cell of the held peak, the number."""

    lit: int = 0
    hold: int = -1
    number: str = ""


class Meters(Drawn):
    """See the module.

    Parameters
    ----------
    count : int
        How many tracks.
    standing : bool
        One column a side and track, from below; lying, a row a track with the louder side.
    strip_cells, inset_cells : int
        Standing: width of a track's strip, and where in it the two columns stand.
    head_rows, foot_rows : int
        Standing: rows left empty above the bars, and below them, where the last one has the numbers. With strips of
        12, an inset of 9, a head of 1 and a foot of 2, standing faders can be laid over the meters.
    clock : callable
        Seconds; a test gives its own.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *_LOOKS,
        "meters--rest",
        "meters--hold",
        "meters--plain",
        "meters--clip",
    }

    DEFAULT_CSS = """
    Meters { height: auto; }
    Meters.-standing { height: 1fr; min-height: 3; }
    Meters > .meters--low { color: $success-darken-1; }
    Meters > .meters--loud { color: $success; }
    Meters > .meters--hot { color: $warning; }
    Meters > .meters--rest { color: $surface-lighten-2; }
    Meters > .meters--hold { color: $foreground; text-style: bold; }
    Meters > .meters--plain { color: $text-muted; }
    Meters > .meters--clip { color: $background; background: $error; text-style: bold; }
    """

    class Cleared(Message):
        """The clip words were clicked away."""

        def __init__(self, meters: Meters) -> None:
            super().__init__()
            self.meters = meters

        @property
        def control(self) -> Meters:
            """The widget, for ``@on`` selectors."""
            return self.meters

    def __init__(
        self,
        count: int,
        *,
        standing: bool = False,
        strip_cells: int = 4,
        inset_cells: int = 0,
        head_rows: int = 0,
        foot_rows: int = 1,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._count, self._standing = count, standing
        self._strip, self._inset, self._clock = strip_cells, inset_cells, clock
        self._head, self._foot = head_rows, foot_rows
        self._level = np.full((count, 2), SILENCE_DB)
        self._held = np.full((count, 2), SILENCE_DB)
        self._held_at = np.full((count, 2), -math.inf)
        self._clipped = np.zeros(count, np.bool_)
        self._fed_at = clock()
        self._bars = [_Bar() for _ in range(count * (2 if standing else 1))]
        self.set_class(standing, "-standing")

    # -- levels --------------------------------------------------------------------------------------------

    def feed(self, peaks: ArrayLike) -> None:
        """Take the highest absolute samples since the last call, (tracks, 2) or (tracks,), 1.0 being full scale."""
        now = self._clock()
        linear = np.asarray(peaks, np.float64)
        linear = np.repeat(linear[:, None], 2, axis=1) if linear.ndim == 1 else linear
        with np.errstate(divide="ignore"):
            fresh = np.maximum(20.0 * np.log10(linear), SILENCE_DB)
        self._level = np.maximum(fresh, self._level - FALL_DB_PER_SECOND * (now - self._fed_at))
        self._level = np.maximum(self._level, SILENCE_DB)
        self._fed_at = now
        newer = (fresh >= self._held) | (now - self._held_at > HOLD_SECONDS)
        self._held = np.where(
            newer, np.maximum(fresh, np.where(fresh >= self._held, fresh, self._level)), self._held
        )
        self._held_at = np.where(newer & (self._held > SILENCE_DB), now, self._held_at)
        self._clipped |= (linear >= 1.0).any(axis=1)
        self._update()

    @property
    def is_at_rest(self) -> bool:
        """Whether every level and held peak has fallen below the scale."""
        return bool((np.maximum(self._level, self._held) <= _SCALE_DB[0]).all())

    def clear(self) -> None:
        """Forget clips and held peaks."""
        self._clipped[:] = False
        self._held[:] = self._level
        self._update()

    def action_clear(self) -> None:
        """Forget clips and held peaks; bound by the table of keys."""
        self.clear()

    def on_click(self, event: events.Click) -> None:
        """Forget clips."""
        self.clear()
        self.post_message(self.Cleared(self))

    # -- what changed --------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Work out every bar again and repaint."""
        self._work_out()
        self.refresh()

    def on_resize(self) -> None:
        """Draw in the new size."""
        self.redraw()

    def get_content_height(self, container: Any, viewport: Any, width: int) -> int:
        """One row a track."""
        return self._count

    def _update(self) -> None:
        if not self.is_attached or not self.size:
            return
        before = [(bar.lit, bar.hold, bar.number) for bar in self._bars]
        self._work_out()
        regions = [
            region
            for index, (bar, old) in enumerate(zip(self._bars, before, strict=True))
            for region in self._changed(index, bar, old)
        ]
        if regions:
            self.refresh(*regions)

    def _work_out(self) -> None:
        """Translate levels to cells."""
        cells, steps = self._cells(), self._steps()
        levels = self._level if self._standing else self._level.max(axis=1, keepdims=True)
        held = self._held if self._standing else self._held.max(axis=1, keepdims=True)
        lit = np.floor(_place(levels) * cells * steps + 0.5).astype(int).reshape(-1).tolist()
        hold = (np.ceil(_place(held) * cells).astype(int) - 1).reshape(-1).tolist()
        numbers = self._held.max(axis=1).tolist()
        sides = 2 if self._standing else 1
        for index, bar in enumerate(self._bars):
            track = index // sides
            bar.lit, bar.hold = lit[index], hold[index]
            bar.number = "CLIP" if self._clipped[track] else _written(numbers[track])

    def _changed(self, index: int, bar: _Bar, old: tuple[int, int, str]) -> list[Region]:
        """Return the cells of a bar that are not what they were."""
        steps, cells = self._steps(), self._cells()
        touched: list[int] = []
        if bar.lit != old[0]:
            touched += [min(bar.lit, old[0]) // steps, (max(bar.lit, old[0]) - 1) // steps]
        if bar.hold != old[1]:
            touched += [bar.hold, old[1]]
        touched = [min(max(cell, 0), cells - 1) for cell in touched if cell >= 0]
        regions: list[Region] = []
        if touched:
            low, high = min(touched), max(touched)
            regions.append(self._region(index, low, high - low + 1))
        if bar.number != old[2]:
            regions.append(self._number_region(index))
        return [region for region in regions if region.area]

    def _region(self, index: int, first: int, count: int) -> Region:
        if self._standing:
            x = index // 2 * self._strip + self._inset + index % 2
            return Region(x, self._head + self._cells() - first - count, 1, count)
        return Region(first, index, count, 1)

    def _number_region(self, index: int) -> Region:
        if self._standing:
            return Region(index // 2 * self._strip, self.size.height - 1, self._strip, 1)
        return Region(self.size.width - _NUMBER_CELLS, index, _NUMBER_CELLS, 1)

    def _cells(self) -> int:
        """How many cells a bar has."""
        if self._standing:
            return max(1, self.size.height - self._head - self._foot)
        return max(1, self.size.width - _NUMBER_CELLS - 1)

    def _steps(self) -> int:
        return len(self.glyphs.pillar if self._standing else self.glyphs.bar) - 1

    # -- drawing -------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        if self._standing:
            segments = self._standing_line(y)
        elif y < self._count:
            segments = self._lying_line(y)
        else:
            segments = []
        return self.line_of(segments)

    def _look_of(self, cell: int, cells: int) -> Style:
        """Return the style of a cell by the level at its upper end."""
        db = float(np.interp((cell + 1) / cells, _SCALE, _SCALE_DB))
        return self.look(_LOOKS[0 if db <= _LOUD_DB else 1 if db <= _HOT_DB else 2])

    def _lying_line(self, y: int) -> list[Segment]:
        bar, cells, glyphs = self._bars[y], self._cells(), self.glyphs
        full, part = divmod(bar.lit, self._steps())
        signs = (glyphs.bar[-1] * full + (glyphs.bar[part] if part else "")).ljust(cells)[:cells]
        segments = []
        ends = [round(float(np.interp(db, _SCALE_DB, _SCALE)) * cells) for db in (_LOUD_DB, _HOT_DB)]
        lit = full + (part > 0)
        for begin, end, look in zip((0, *ends), (*ends, cells), _LOOKS, strict=True):
            segments.append(Segment(signs[begin : min(end, lit)], self.look(look)))
        rest = glyphs.rest * (cells - lit)
        hold = bar.hold - lit
        if 0 <= hold < len(rest):
            segments += [
                Segment(rest[:hold], self.look("meters--rest")),
                Segment(glyphs.hold, self.look("meters--hold")),
                Segment(rest[hold + 1 :], self.look("meters--rest")),
            ]
        else:
            segments.append(Segment(rest, self.look("meters--rest")))
        return [*segments, *self._number(bar.number, _NUMBER_CELLS + 1)]

    def _standing_line(self, y: int) -> list[Segment]:
        height, glyphs, steps, cells = self.size.height, self.glyphs, self._steps(), self._cells()
        segments: list[Segment] = []
        blank = self.look("meters--plain")
        for track in range(self._count):
            if y == height - 1 and self._foot:
                segments += self._number(self._bars[2 * track].number, self._strip)
                continue
            cell = cells - 1 - (y - self._head)
            if not 0 <= cell < cells:
                segments.append(Segment(" " * self._strip, blank))
                continue
            segments.append(Segment(" " * self._inset, blank))
            for bar in self._bars[2 * track : 2 * track + 2]:
                part = min(max(bar.lit - cell * steps, 0), steps)
                if part:
                    segments.append(Segment(glyphs.pillar[part], self._look_of(cell, cells)))
                elif cell == bar.hold:
                    segments.append(Segment(glyphs.level, self.look("meters--hold")))
                else:
                    segments.append(Segment(glyphs.rest, self.look("meters--rest")))
            segments.append(Segment(" " * (self._strip - self._inset - 2), blank))
        return segments

    def _number(self, number: str, cells: int) -> list[Segment]:
        if number != "CLIP":
            return [Segment(number.rjust(cells)[-cells:], self.look("meters--plain"))]
        return [
            Segment(" " * (cells - 4), self.look("meters--plain")),
            Segment(number[: max(0, cells)], self.look("meters--clip")),
        ]


def _place(db: NDArray[np.float64]) -> NDArray[np.float64]:
    place: NDArray[np.float64] = np.interp(db, _SCALE_DB, _SCALE)
    return place


def _written(db: float) -> str:
    """Write a level in at most six cells; nothing below the scale."""
    return "" if db <= _SCALE_DB[0] else f"{db:.1f}"
