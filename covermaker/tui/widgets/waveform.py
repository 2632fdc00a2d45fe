"""A song's waveform with its melody, a value that moves, its sections, its bars, a loop and a playhead.

The picture is made anew only when the sound, the stretch or the size changes (about a millisecond); the playhead
repaints the cells that it crosses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from covermaker.tui.widgets.canvas import between, cells, pillars, rows_of, striped
from covermaker.tui.widgets.courses import draw, melody
from covermaker.tui.widgets.drawn import Drawn
from covermaker.tui.widgets.ruler import NO_GRID, Axis, ruler, section_at, sections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from textual import events

    from covermaker.tui.widgets.courses import Course
    from covermaker.tui.widgets.pyramid import Pyramid
    from covermaker.tui.widgets.ruler import Grid, Piece

Loop = tuple[float, float]
# Rows of the wave; rows of courses, each with what it begins with and how it looks; columns that clip.
Drawing: TypeAlias = "tuple[list[str], list[tuple[str, str, int]], NDArray[np.bool_]]"

_LOOKS = (
    "waveform--wave",
    "waveform--played",
    "waveform--loop",
    "waveform--clipped",
    "waveform--playhead",
    "waveform--pitch",
    "waveform--moves",
)
_WAVE, _PLAYED, _LOOP, _CLIPPED, _PLAYHEAD, _PITCH, _MOVES = range(len(_LOOKS))

_SHORTEST_VIEW_SECONDS = 0.05
_ZOOM = 2.0
_SEEK_SECONDS = 5.0


class Waveform(Drawn):
    """See the module. The application moves `position`; clicks and keys only ask for it.

    Parameters
    ----------
    pyramid : Pyramid, optional
        The sound's peaks.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *_LOOKS,
        "waveform--ruler",
        "waveform--span",
        "waveform--section",
    }
    can_focus = True

    DEFAULT_CSS = """
    Waveform { height: 1fr; min-height: 1; }
    Waveform > .waveform--wave { color: $primary; }
    Waveform > .waveform--played { color: $primary-darken-2; }
    Waveform > .waveform--loop { color: $accent; background: $accent-muted; }
    Waveform > .waveform--clipped { color: $error; text-style: bold; }
    Waveform > .waveform--playhead { color: $foreground; background: $primary-muted; text-style: bold; }
    Waveform > .waveform--pitch { color: $secondary; }
    Waveform > .waveform--moves { color: $warning; }
    Waveform > .waveform--ruler { color: $text-muted; }
    Waveform > .waveform--span { color: $accent; text-style: bold; }
    Waveform > .waveform--section { color: $text-muted; }
    """

    position: var[float] = var(0.0)
    loop: var[Loop | None] = var(None)
    looping: var[bool] = var(False)
    follow: var[bool] = var(True)

    class Sought(Message):
        """A time was asked for."""

        def __init__(self, waveform: Waveform, seconds: float) -> None:
            super().__init__()
            self.waveform, self.seconds = waveform, seconds

        @property
        def control(self) -> Waveform:
            """The widget, for ``@on`` selectors."""
            return self.waveform

    class Looped(Message):
        """The loop was moved, or turned on or off; `loop` is None when it is off."""

        def __init__(self, waveform: Waveform, loop: Loop | None) -> None:
            super().__init__()
            self.waveform, self.loop = waveform, loop

        @property
        def control(self) -> Waveform:
            """The widget, for ``@on`` selectors."""
            return self.waveform

    def __init__(
        self, pyramid: Pyramid | None = None, *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._pyramid = pyramid
        self._sections: tuple[tuple[float, str], ...] = ()
        self._pitch: Course | None = None
        self._moves: Course | None = None
        self._grid = NO_GRID
        self._by_bars = False
        self._view: Loop = (0.0, pyramid.seconds if pyramid else 0.0)
        self._picture: Drawing | None = None
        self._drawn_size = (0, 0)
        self._drag_from: int | None = None
        self._dragging = False

    # -- what is shown -------------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return self._pyramid.seconds if self._pyramid else 0.0

    @property
    def view(self) -> Loop:
        """The stretch that is shown, in seconds."""
        return self._view

    def show_sound(self, pyramid: Pyramid | None, *, keep_view: bool = False) -> None:
        """Show another sound; `keep_view` leaves the stretch, as when A and B are compared."""
        self._pyramid = pyramid
        if not keep_view:
            self._view = (0.0, self.seconds)
        self.redraw()

    def show_pitch(self, seconds: NDArray[np.float64], hz: NDArray[np.float64]) -> None:
        """Show a melody: its times, rising, and its frequencies; 0 or NaN where nothing is sung."""
        self._pitch = melody(seconds, hz)
        self.redraw()

    def show_moves(self, moves: Course | None) -> None:
        """Show a value that moves over the song, below the melody."""
        if moves is not None or self._moves is not None:
            self._moves = moves
            self.redraw()

    def show_grid(self, grid: Grid, *, by_bars: bool) -> None:
        """Show bars and beats on the ruler; `by_bars` counts them in place of seconds, and loops snap to them."""
        self._grid, self._by_bars = grid, by_bars
        self.redraw()

    def show_sections(self, sections: Sequence[tuple[float, str]]) -> None:
        """Show where parts of the song begin: seconds and a name, in order."""
        self._sections = tuple(sections)
        self.redraw()

    def show_view(self, start: float, end: float) -> None:
        """Show a stretch, moved and cut into the sound."""
        length = min(max(end - start, _SHORTEST_VIEW_SECONDS), self.seconds)
        start = min(max(0.0, start), self.seconds - length)
        if (start, start + length) != self._view:
            self._view = (start, start + length)
            self.redraw()

    def redraw(self) -> None:
        """Draw the picture again."""
        self._picture = None
        self.refresh()

    # -- actions; bound by the table of keys ---------------------------------------------------------------

    def action_zoom(self, factor: float = _ZOOM) -> None:
        """Show less (above 1) or more (below 1) around the playhead."""
        start, end = self._view
        self._zoom(factor, self.position if start <= self.position <= end else (start + end) / 2)

    def action_pan(self, share: float) -> None:
        """Move the view by a share of what is shown."""
        by = share * (self._view[1] - self._view[0])
        self.follow = False
        self.show_view(self._view[0] + by, self._view[1] + by)

    def action_seek(self, seconds: float = _SEEK_SECONDS) -> None:
        """Ask to move the playhead by so much."""
        self.post_message(self.Sought(self, min(max(0.0, self.position + seconds), self.seconds)))

    def action_loop_in(self) -> None:
        """Begin the loop at the playhead; it ends where it did, or with the sound."""
        end = self.loop[1] if self.loop and self.loop[1] > self.position else self.seconds
        self._set_loop(self.position, end)

    def action_loop_out(self) -> None:
        """End the loop at the playhead; it begins where it did, or with the sound."""
        begin = self.loop[0] if self.loop and self.loop[0] < self.position else 0.0
        self._set_loop(begin, self.position)

    def action_loop_toggle(self) -> None:
        """Repeat the loop or not; without one, the section or view at hand becomes it."""
        if self.loop is None:
            self._set_loop(*(section_at(self._sections, self.position, self.seconds) or self._view))
            return
        self.looping = not self.looping
        self.post_message(self.Looped(self, self.loop if self.looping else None))

    def action_follow(self) -> None:
        """Keep the playhead in view, or not."""
        self.follow = not self.follow

    def _zoom(self, factor: float, around: float) -> None:
        start, end = self._view
        self.show_view(around - (around - start) / factor, around + (end - around) / factor)

    def _set_loop(self, begin: float, end: float) -> None:
        if self._by_bars:
            begin, end = self._grid.snapped((begin, end), self.seconds)
        if end - begin < _SHORTEST_VIEW_SECONDS:
            return
        self.loop, self.looping = (begin, end), True
        self.post_message(self.Looped(self, self.loop))

    # -- the mouse -----------------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a click or a drag."""
        if event.button == 1:
            self._drag_from, self._dragging = event.x - self.gutter.left, False
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Draw the loop."""
        if self._drag_from is None:
            return
        x = event.x - self.gutter.left
        if self._dragging or abs(x - self._drag_from) > 1:
            self._dragging = True
            low, high = sorted((self._drag_from, x))
            self.loop, self.looping = (self._axis.seconds(low), self._axis.seconds(high + 1)), True

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End a click (a time) or a drag (a loop)."""
        begun, self._drag_from = self._drag_from, None
        if begun is None:
            return
        self.release_mouse()
        if self._dragging and self.loop is not None:
            self._set_loop(*self.loop)
        else:
            self.post_message(self.Sought(self, self._axis.seconds(begun)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show more; with shift, later."""
        self._wheel(event, 1 / _ZOOM, 0.1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show less; with shift, earlier."""
        self._wheel(event, _ZOOM, -0.1)

    def _wheel(self, event: events.MouseEvent, factor: float, share: float) -> None:
        event.stop()
        if event.shift:
            self.action_pan(share)
        else:
            self._zoom(factor, self._axis.seconds(event.x - self.gutter.left))

    # -- repainting ----------------------------------------------------------------------------------------

    def watch_position(self, before: float, now: float) -> None:
        """Repaint the cells that the playhead crossed; turn the page when it leaves the view."""
        start, end = self._view
        shown = end - start
        if self.follow and shown < self.seconds and not start <= now < end:
            self.show_view(now - 0.05 * shown, now + 0.95 * shown)
            return
        columns = [min(max(self._axis.column(at), -1), self.size.width) for at in (before, now)]
        if columns[0] != columns[1]:
            low, high = max(0, min(columns)), min(self.size.width - 1, max(columns))
            self.refresh(Region(low, 0, high - low + 1, self.size.height))

    def watch_loop(self) -> None:
        """Repaint."""
        self.refresh()

    def watch_looping(self) -> None:
        """Repaint."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width, height = self.size
        if self._picture is None or self._drawn_size != (width, height):
            self._picture, self._drawn_size = self._draw(width, height), (width, height)
        wave, courses, clipped = self._picture
        if y < len(wave):
            return self._wave_line(wave[y], clipped)
        if y < len(wave) + len(courses):
            return self._course_line(*courses[y - len(wave)])
        if y == len(wave) + len(courses):
            grid = self._grid if self._by_bars else self._grid.uncounted
            return self._strip(
                ruler(self._axis, self.loop, looping=self.looping, glyphs=self.glyphs, grid=grid)
            )
        return self._strip(sections(self._axis, self._sections, self.glyphs))

    def _rows(self, height: int) -> tuple[int, int, int]:
        """Share the height out: rows of the wave, the melody, what moves; the rest is the ruler and the sections."""
        below = (height >= 3) + (height >= 5 and bool(self._sections))
        most = 0 if height < 6 else 1 if height < 10 else 2 if height < 16 else 3
        sung = most if self._pitch is not None else 0
        moving = min(most, 2) if self._moves is not None else 0
        if height < 8 and moving:
            sung = 0  # no room for both
        return height - below - sung - moving, sung, moving

    def _draw(self, width: int, height: int) -> Drawing:
        wave_rows, sung_rows, moving_rows = self._rows(height)
        if self._pyramid is None or not width:
            nothing = [(" " * width, "", _PITCH)] * (sung_rows + moving_rows)
            return [" " * width] * wave_rows, nothing, np.zeros(width, np.bool_)
        across = self.glyphs.dots[0]
        low, high = self._pyramid.columns(*self._view, width * across)
        peak = np.maximum(np.abs(low), np.abs(high)).reshape(width, across).max(axis=1)
        if self.charset == "block":
            wave = rows_of(pillars(wave_rows, peak, self.glyphs))
        else:
            dots = wave_rows * self.glyphs.dots[1]
            middle, reach = (dots - 1) / 2, dots / 2 - 0.25
            top = np.clip(middle - high * reach + 0.5, 0, dots - 1)
            foot = np.clip(middle - low * reach + 0.5, 0, dots - 1)
            if dots % 2 == 0:  # Silence is one thin line: with an even number of dots, above the middle.
                top, foot = np.minimum(top, foot), np.maximum(top, np.minimum(foot, dots - 1))
            wave = rows_of(cells(between(dots, top, foot), self.glyphs, solid=True))
        courses = [
            *self._draw_course(self._pitch, width, sung_rows, _PITCH),
            *self._draw_course(self._moves, width, moving_rows, _MOVES),
        ]
        return wave, courses, peak >= 1.0

    def _draw_course(
        self, course: Course | None, width: int, rows: int, look: int
    ) -> list[tuple[str, str, int]]:
        """Return the rows of a course, what stands at the beginning of each, and how it looks."""
        if course is None or not rows:
            return []
        labels = course.labels(rows)
        drawn = draw(course, self._view, width, rows, self.glyphs)
        return [(row, labels.get(at, ""), look) for at, row in enumerate(drawn)]

    def _looks_at(self, columns: int) -> NDArray[np.intp]:
        looks = np.full(columns, _WAVE, np.intp)
        played = self._axis.column(self.position)
        looks[: max(0, min(played, columns))] = _PLAYED
        if self.loop and self.looping:
            begin, stop = self._axis.columns(self.loop)
            looks[begin:stop] = _LOOP
        return looks

    def _wave_line(self, row: str, clipped: NDArray[np.bool_]) -> Strip:
        looks = self._looks_at(len(row))
        looks[clipped] = _CLIPPED
        return self._with_playhead(row, looks)

    def _with_playhead(self, row: str, looks: NDArray[np.intp]) -> Strip:
        at = self._axis.column(self.position)
        if 0 <= at < len(row) and self._pyramid is not None:
            row = row[:at] + self.glyphs.upright + row[at + 1 :]
            looks[at] = _PLAYHEAD
        return striped(row, looks, [self.look(name) for name in _LOOKS])

    def _course_line(self, row: str, label: str, look: int) -> Strip:
        strip = self._with_playhead(row, np.full(len(row), look, np.intp))
        if not label or len(row) < 4 * len(label):
            return strip
        label = f"{label} "
        return Strip.join(
            [Strip([Segment(label, self.look("waveform--ruler"))]), strip.crop(len(label), len(row))]
        )

    def _strip(self, pieces: Sequence[Piece]) -> Strip:
        return Strip(
            [Segment(text, self.look(f"waveform--{look}")) for text, _, look in pieces], self.size.width
        )

    @property
    def _axis(self) -> Axis:
        return Axis(*self._view, self.size.width)
