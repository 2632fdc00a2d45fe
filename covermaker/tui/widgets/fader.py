"""A fader for a value: keys, wheel, drag, typing, and back to its default with a double click.

It moves by itself and says `Changed`; whoever keeps the value may set it back. Lying it is one line, label, way and
value; standing it is a column with marks, for a mixer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.message import Message
from textual.reactive import reactive

from covermaker.errors import UsageError
from covermaker.tui.widgets.drawn import Drawn
from covermaker.tui.widgets.scales import DbScale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.strip import Strip

    from covermaker.effects.spec import Value
    from covermaker.tui.widgets.scales import Scale

_VALUE_CELLS = 11
_LEAST_WAY = 6
_STANDING_CELLS = 9


class Fader(Drawn):
    """See the module.

    Parameters
    ----------
    scale : Scale, optional
        A mixer's gain when left out.
    label : str
        Written before the way, or above it.
    value : Value, optional
        The scale's default when left out.
    was : Value, optional
        The value it is compared with, as a preset's: another one is marked with ``*``.
    moves : bool
        The value moves over time: marked with ``~``.
    nothing : str
        What stands in place of a value where there is none; then there is no knob either.
    label_cells : int
        Room for the label, so that a column of faders lines up.
    standing : bool
        Upright.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "fader--label",
        "fader--track",
        "fader--groove",
        "fader--knob",
        "fader--value",
        "fader--typed",
        "fader--changed",
    }
    can_focus = True

    DEFAULT_CSS = """
    Fader { height: 1; }
    Fader.-standing { width: 9; height: 1fr; min-height: 3; }
    Fader > .fader--label { color: $foreground; }
    Fader:focus > .fader--label { color: $foreground; text-style: bold; }
    Fader > .fader--track { color: $primary; }
    Fader > .fader--groove { color: $text-muted; }
    Fader > .fader--knob { color: $primary; text-style: bold; }
    Fader:focus > .fader--knob { color: $accent; }
    Fader > .fader--value { color: $foreground; }
    Fader > .fader--typed { color: $background; background: $accent; }
    Fader > .fader--changed { color: $warning; text-style: bold; }
    Fader:disabled > .fader--track, Fader:disabled > .fader--knob { color: $text-muted; }
    """

    value: reactive[Value] = reactive(0.0)
    was: reactive[Value | None] = reactive(None)
    moves: reactive[bool] = reactive(False)
    typed: reactive[str | None] = reactive(None)
    nothing: reactive[str] = reactive("")

    class Changed(Message):
        """The person changed the value; `settled` is False while it is being dragged."""

        def __init__(self, fader: Fader, value: Value, *, settled: bool = True) -> None:
            super().__init__()
            self.fader, self.value, self.settled = fader, value, settled

        @property
        def control(self) -> Fader:
            """The widget, for ``@on`` selectors."""
            return self.fader

    class Refused(Message):
        """What was typed does not fit; `words` say why and what would."""

        def __init__(self, fader: Fader, words: str) -> None:
            super().__init__()
            self.fader, self.words = fader, words

        @property
        def control(self) -> Fader:
            """The widget, for ``@on`` selectors."""
            return self.fader

    def __init__(
        self,
        scale: Scale | None = None,
        label: str = "",
        *,
        value: Value | None = None,
        was: Value | None = None,
        label_cells: int | None = None,
        standing: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.scale: Scale = DbScale() if scale is None else scale
        self.label, self.standing = label, standing
        self._label_cells = len(label) if label_cells is None else label_cells
        self._dragging = False
        self.set_class(standing, "-standing")
        self.set_reactive(Fader.value, self.scale.default if value is None else value)
        self.set_reactive(Fader.was, was)

    # -- actions; bound by the table of keys ---------------------------------------------------------------

    def action_step(self, steps: int) -> None:
        """Move by coarse steps: half a dB, a semitone, a hundredth of the range."""
        self._change(self.scale.step(self.value, steps))

    def action_fine(self, steps: int) -> None:
        """Move by fine steps, a fifth of a coarse one."""
        self._change(self.scale.step(self.value, steps, fine=True))

    def action_default(self) -> None:
        """Go back to the default."""
        self._change(self.scale.default)

    def action_was(self) -> None:
        """Go back to the value that it is compared with."""
        if self.was is not None:
            self._change(self.was)

    def action_type(self) -> None:
        """Type a value; enter takes it, escape leaves it."""
        self.typed = ""
        self.screen.refresh_bindings()

    def _change(self, value: Value, *, settled: bool = True) -> None:
        if value != self.value or (settled and self._dragging):
            self.value = value
            self.post_message(self.Changed(self, value, settled=settled))

    @property
    def is_held(self) -> bool:
        """Whether the mouse holds its knob."""
        return self._dragging

    @property
    def footer(self) -> Sequence[tuple[str, str]]:
        """What the keys do while a value is typed."""
        return (("enter", "Take"), ("esc", "Leave it")) if self.typed is not None else ()

    # -- typing --------------------------------------------------------------------------------------------

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """While typing, every key is for the value."""
        return self.typed is not None

    def on_key(self, event: events.Key) -> None:
        """Take in what is typed."""
        if self.typed is None:
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            self._take()
        elif event.key == "escape":
            self._stop_typing()
        elif event.key == "backspace":
            self.typed = self.typed[:-1]
        elif event.is_printable and event.character and len(self.typed) < _VALUE_CELLS - 1:
            self.typed += event.character

    def on_blur(self) -> None:
        """Leave typing with the focus."""
        if self.typed is not None:
            self._stop_typing()

    def _take(self) -> None:
        text = self.typed or ""
        try:
            value = self.scale.parse(text) if text.strip() else self.value
        except UsageError as error:
            self.post_message(self.Refused(self, str(error)))
            return
        self._stop_typing()
        self._change(value)

    def _stop_typing(self) -> None:
        self.typed = None
        self.screen.refresh_bindings()

    # -- the mouse -----------------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the knob where the way was clicked."""
        if event.button == 1 and self._place(event) is not None:
            self._dragging = True
            self.capture_mouse()
            self._drag(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the knob."""
        if self._dragging:
            self._drag(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the knob."""
        if self._dragging:
            self.release_mouse()
            self._change(self.value)
            self._dragging = False

    def on_click(self, event: events.Click) -> None:
        """Go back to the default on a double click."""
        if event.chain == 2:
            self.action_default()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """One step up; with ctrl a fine one."""
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """One step down; with ctrl a fine one."""
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, steps: int) -> None:
        event.stop()
        self._change(self.scale.step(self.value, steps, fine=event.ctrl))

    def _drag(self, event: events.MouseEvent) -> None:
        place = self._place(event)
        if place is not None:
            self._change(self.scale.at(place), settled=False)

    def _place(self, event: events.MouseEvent) -> float | None:
        """Return where on the way the pointer is, 0 to 1; None beside it, unless the knob is held."""
        x, y = event.x - self.gutter.left, event.y - self.gutter.top
        if self.standing:
            first, cells = 1, self.size.height - 2
            place = (cells - 1 - (y - first)) / max(1, cells - 1)
        else:
            first, cells = self._way()
            place = (x - first) / max(1, cells - 1)
        inside = cells > 0 and -0.5 <= place <= 1.5
        return min(max(place, 0.0), 1.0) if inside or self._dragging else None

    # -- drawing -------------------------------------------------------------------------------------------

    def _way(self) -> tuple[int, int]:
        """Return the first cell of the way and how many it has; none where there is no room."""
        before = 2 + self._label_cells + (1 if self._label_cells else 0)
        cells = self.size.width - before - _VALUE_CELLS - 3
        return (before, cells) if cells >= _LEAST_WAY else (before, 0)

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        segments = self._standing_line(y) if self.standing else self._lying_line() if y == 0 else []
        return self.line_of(segments)

    def _lying_line(self) -> list[Segment]:
        before, cells = self._way()
        cursor = ">" if self.has_focus else " "
        label = f"{cursor} {self.label[: self._label_cells].ljust(self._label_cells)}".ljust(before)
        segments = [Segment(label, self.look("fader--label"))]
        if cells:
            at = round(self.scale.fraction(self.value) * (cells - 1))
            glyphs = self.glyphs
            segments += (
                [Segment(glyphs.groove * cells, self.look("fader--groove"))]
                if self.nothing
                else [
                    Segment(glyphs.track * at, self.look("fader--track")),
                    Segment(glyphs.knob, self.look("fader--knob")),
                    Segment(glyphs.groove * (cells - 1 - at), self.look("fader--groove")),
                ]
            )
        return [*segments, *self._written(_VALUE_CELLS)]

    def _written(self, cells: int) -> list[Segment]:
        if self.typed is not None:
            return [
                Segment(" " * max(0, cells - len(self.typed)), self.look("fader--value")),
                Segment(f"{self.typed}_", self.look("fader--typed")),
            ]
        changed = "*" if self.was is not None and self.was != self.value else " "
        value = (self.nothing or self.scale.text(self.value)).rjust(cells)
        marks = f"{changed}~" if self.moves else f" {changed}"
        if len(value) + len(marks) > self.size.width:  # a narrow upright one
            marks = marks.strip()
        return [
            Segment(value, self.look("fader--value")),
            Segment(marks, self.look("fader--changed")),
        ]

    def _standing_line(self, y: int) -> list[Segment]:
        height = self.size.height
        if y == 0:
            cursor = ">" if self.has_focus else " "
            return [Segment(f"{cursor}{self.label}"[: self.size.width], self.look("fader--label"))]
        if y == height - 1:
            return self._written(_STANDING_CELLS - 2)
        cells = height - 2
        rows = {
            round((1 - self.scale.fraction(mark)) * (cells - 1)): mark for mark in reversed(self.scale.marks)
        }
        at = round((1 - self.scale.fraction(self.value)) * (cells - 1))
        row = y - 1
        mark = "" if row not in rows else f"{rows[row]:+.0f}" if rows[row] else "0"
        if self.nothing:
            sign, look = self.glyphs.post, "fader--groove"
        elif row == at:
            sign, look = self.glyphs.knob, "fader--knob"
        else:
            sign, look = self.glyphs.post, "fader--track" if row > at else "fader--groove"
        return [Segment(f"{mark:>3} ", self.look("fader--groove")), Segment(sign, self.look(look))]
