"""What the selected effect does to the loop: how far it turns it down over time, levels before and behind it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from rich.segment import Segment

from covermaker.tui.widgets.canvas import rows_of
from covermaker.tui.widgets.drawn import Drawn
from covermaker.tui.words import level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from textual.strip import Strip

    from covermaker.render.previewing import Previewed
    from covermaker.tui.widgets.charset import Glyphs

_LABEL_CELLS = 5
_LEAST_SCALE_DB = 6.0  # a reduction of a tenth of a dB must not look like a wall
_FLOOR_DB = -60.0
_LEAST_SHARE = 0.005
_RAMP = " .:-=+*#"  # where a character set has no eighths of a cell


@dataclass(frozen=True)
class Reading:
    """What was measured of one effect.

    Attributes
    ----------
    before, behind : dict or None
        Points of `covermaker.render.previewing.Previewed`; the same one for an effect that is off.
    history_db : tuple of float or None
        How far it turned down; None for an effect that does no such thing.
    is_effect : bool
        False for a rack without effects.
    """

    before: dict[str, object] | None = None
    behind: dict[str, object] | None = None
    history_db: tuple[float, ...] | None = None
    is_effect: bool = True


def reading_of(made: Previewed | None, index: int) -> Reading:
    """Return what was measured of the effect at a place of the rack."""
    if made is None or not made.points:
        return Reading()
    before = [point for point in made.points if point["index"] < index]
    behind = [point for point in made.points if point["index"] <= index]
    history = next((row["history_db"] for row in made.reductions if row["index"] == index), None)
    return Reading(before[-1], behind[-1], None if history is None else tuple(history))


class Readings(Drawn):
    """Three lines: the reduction over the loop, what goes in, what comes out."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "readings--label",
        "readings--down",
        "readings--bar",
        "readings--rest",
        "readings--value",
    }
    DEFAULT_CSS = """
    Readings { height: 3; padding: 0 2; }
    Readings > .readings--label { color: $text-muted; }
    Readings > .readings--down { color: $warning; }
    Readings > .readings--bar { color: $primary; }
    Readings > .readings--rest { color: $text-muted; }
    Readings > .readings--value { color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._reading = Reading()
        self._words = ""
        self._now: float | None = None

    def show(self, reading: Reading, words: str = "") -> None:
        """Show what was measured; `words` say why nothing was."""
        self._reading, self._words = reading, words
        self.refresh()

    def show_now(self, now_db: float | None) -> None:
        """Show how far it turns down at the playhead."""
        if now_db != self._now:
            self._now = now_db
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line; a higher widget has a higher picture of the reduction."""
        room, reading = self.size.width, self._reading
        picture = max(1, self.size.height - 2)
        if reading.before is None or reading.behind is None:
            return self.line_of([Segment(self._words, self.look("readings--label"))] if y == 0 else [])
        if y < picture:
            return self.line_of(self._reduction_line(y, picture, room))
        which, point = ("in", reading.before) if y == picture else ("out", reading.behind)
        return self.line_of(self._level_line(which, point, room) if y < picture + 2 else [])

    def _reduction_line(self, y: int, rows: int, room: int) -> list[Segment]:
        label = self.look("readings--label")
        history = self._reading.history_db
        head = Segment("down".ljust(_LABEL_CELLS) if y == 0 else " " * _LABEL_CELLS, label)
        if history is None:
            words = "does not turn down by level" if self._is_on else "the effect is off"
            words = words if self._reading.is_effect else "no effect"
            return [head, Segment(words if y == 0 else "", label)]
        most = max(history, default=0.0)
        tail = f" max {most:4.1f} dB" if self._now is None else f" now {self._now:4.1f} dB"
        return [
            head,
            Segment(
                self._picture(history, max(1, room - _LABEL_CELLS - len(tail)), rows)[y],
                self.look("readings--down"),
            ),
            Segment(tail if y == 0 else "", self.look("readings--value")),
        ]

    @property
    def _is_on(self) -> bool:
        return self._reading.before is not self._reading.behind

    def _picture(self, history: Sequence[float], columns: int, rows: int) -> list[str]:
        """Draw the most of each column from below, in eighths of a cell."""
        edges = np.linspace(0, len(history), columns + 1).astype(int)
        most = np.array([max(history[a : max(b, a + 1)], default=0.0) for a, b in pairwise(edges)])
        return pillars(most / max(_LEAST_SCALE_DB, float(most.max(initial=0.0))), rows, self.glyphs)

    def _level_line(self, label: str, point: dict[str, object], room: int) -> list[Segment]:
        lufs, peak = point["lufs"], point["peak_dbfs"]
        assert lufs is None or isinstance(lufs, float)
        assert peak is None or isinstance(peak, float)
        tail = f"{level(lufs, 'LUFS'):>11}  peak {'silence' if peak is None else f'{peak:6.1f} dB'}"
        head = Segment(label.ljust(_LABEL_CELLS), self.look("readings--label"))
        cells = room - _LABEL_CELLS - len(tail) - 1
        if cells < 4:
            return [head, Segment(tail.strip(), self.look("readings--value"))]
        share = 0.0 if lufs is None else min(max(1.0 - lufs / _FLOOR_DB, 0.0), 1.0)
        signs = self.glyphs.bar
        steps = round(share * cells * (len(signs) - 1))
        whole, part = divmod(steps, len(signs) - 1)
        bar = signs[-1] * whole + (signs[part] if part else "")
        return [
            head,
            Segment(bar, self.look("readings--bar")),
            Segment(self.glyphs.rest * (cells - len(bar)), self.look("readings--rest")),
            Segment(f" {tail}", self.look("readings--value")),
        ]


def pillars(shares: NDArray[np.floating[Any]], rows: int, glyphs: Glyphs) -> list[str]:
    """Draw shares of a height, 0 to 1, from below, a column each; what is above nothing is seen."""
    signs = np.array(list(glyphs.pillar if len(glyphs.pillar) > 2 else _RAMP))
    steps = len(signs) - 1
    filled = np.ceil(np.clip(shares, 0.0, 1.0) * rows * steps - 1e-6)
    filled = np.where(shares > _LEAST_SHARE, np.maximum(filled, 1), 0)
    floor = np.arange(rows - 1, -1, -1)[:, None] * steps
    return rows_of(signs[np.clip(filled - floor, 0, steps).astype(np.intp)])
