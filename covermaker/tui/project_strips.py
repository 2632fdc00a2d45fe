"""How the mixer's channels stand on the desk: a row each, or a strip each with an upright fader and its meter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.segment import Segment
from rich.style import Style
from textual.containers import Container, Horizontal, Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from covermaker.tui.project_channels import pan_words
from covermaker.tui.widgets.fader import Fader
from covermaker.tui.widgets.meters import Meters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from covermaker.tui.project_channels import Channel

LEAST_STRIP_CELLS: Final = 12
_MOST_STRIP_CELLS: Final = 16
_METER_CELLS: Final = 3  # and a gap
_NAME_CELLS: Final = 12
_INDENT: Final = "  "  # of what is in a group
# Where "muted" and "solo" stand: in a row behind the pan, in a strip below it.
_ROW_MUTE, _ROW_SOLO, _STRIP_MUTE, _STRIP_SOLO = range(6, 11), range(12, 16), range(1, 6), range(7, 11)


class Flags(Widget):
    """Pan, mute and solo of every channel, in words; a click on mute or solo changes it."""

    DEFAULT_CSS = "Flags { width: 16; height: auto; } Flags.-standing { width: auto; height: 2; }"
    ALLOW_SELECT = False

    class Clicked(Message):
        """Mute or solo of a channel was clicked."""

        def __init__(self, row: int, what: str) -> None:
            super().__init__()
            self.row, self.what = row, what

    def __init__(self, rows: Sequence[Channel], *, strip_cells: int = 0) -> None:
        super().__init__(classes="-standing" if strip_cells else "")
        self.rows = list(rows)
        self._strip = strip_cells

    def get_content_height(self, container: Any, viewport: Any, width: int) -> int:
        """One row a channel."""
        return len(self.rows)

    def get_content_width(self, container: Any, viewport: Any) -> int:
        """One strip a channel."""
        return self._strip * len(self.rows)

    def render_line(self, y: int) -> Strip:
        """Draw a row."""
        plain = self.rich_style
        segments: list[Segment] = []
        if self._strip:
            for row in self.rows:
                piece = self._pan(row, plain) if y == 0 else self._words(row, plain)
                segments += Strip(piece).adjust_cell_length(self._strip, plain)
        elif y < len(self.rows):
            row = self.rows[y]
            pan = f" {self._pan_words(row):<4}"
            segments = [Segment(pan, plain), *self._words(row, plain)]
        return Strip(segments).adjust_cell_length(self.size.width, plain)

    def _pan(self, row: Channel, plain: Style) -> list[Segment]:
        return [Segment(f"  {self._pan_words(row)}", plain)]

    def _pan_words(self, row: Channel) -> str:
        """Return a pan; one that moves is marked as the faders are."""
        if row.kind == "master":
            return ""
        return pan_words(row.pan) + ("~" if "pan" in row.moves else "")

    def _words(self, row: Channel, plain: Style) -> list[Segment]:
        """Return mute and solo: a letter while off, the word while on; a bus has no solo."""
        if row.kind == "master":
            return []
        lit = plain + Style(bold=True, reverse=True)
        off = "  m~ " if "mute" in row.moves else "  m  "
        words = [
            Segment(" ", plain),
            Segment("muted" if row.mute else off, lit if row.mute else plain),
            Segment(" ", plain),
        ]
        if row.kind == "bus":
            return words
        return [
            *words,
            Segment("solo" if row.solo else " s  ", lit if row.solo else plain),
            Segment(" ", plain),
        ]

    def on_click(self, event: events.Click) -> None:
        """Mute or solo."""
        if self._strip:
            row, x = divmod(event.x, self._strip)
            mute, solo = _STRIP_MUTE, _STRIP_SOLO
            if event.y != 1:
                return
        else:
            row, x, mute, solo = event.y, event.x, _ROW_MUTE, _ROW_SOLO
        what = "mute" if x in mute else "solo" if x in solo else ""
        if what and row < len(self.rows):
            self.post_message(self.Clicked(row, what))


class Strips(Container):
    """Upright faders, laid over one widget that draws all meters between them."""

    DEFAULT_CSS = """
    Strips { height: 1fr; layers: below above; }
    Strips > Meters { layer: below; height: 100%; }
    Strips > Fader { layer: above; position: absolute; height: 1; }
    """

    def __init__(self, faders: Sequence[Fader], meters: Meters | None, strip_cells: int) -> None:
        super().__init__(*([meters] if meters is not None else []), *faders)
        self._faders, self._strip = faders, strip_cells

    def on_resize(self, event: events.Resize) -> None:
        """Leave the last line to the numbers of the meters."""
        for index, fader in enumerate(self._faders):
            fader.styles.offset = (self._strip * index, 0)
            fader.styles.width = self._strip - _METER_CELLS
            fader.styles.height = max(3, event.size.height - 1)


def strip_cells(channels: int, width: int) -> int:
    """Return how wide a strip is, so that all of them fit side by side; 0 where they do not."""
    cells = min(width // max(1, channels), _MOST_STRIP_CELLS)
    return cells if cells >= LEAST_STRIP_CELLS else 0


def desk_of(channels: Sequence[Channel], faders: Sequence[Fader], cells: int, *, with_meters: bool) -> Widget:
    """Return channels as strips of so many cells, or as rows where these are 0."""
    flags = Flags(channels, strip_cells=cells)
    if not cells:
        parts: list[Widget] = [Vertical(*faders, classes="faders")]
        if with_meters:
            parts.append(Meters(len(channels)))
        return Horizontal(*parts, flags, classes="rows")
    inset = cells - _METER_CELLS
    meters = Meters(
        len(channels), standing=True, strip_cells=cells, inset_cells=inset, head_rows=1, foot_rows=2
    )
    return Vertical(Strips(faders, meters if with_meters else None, cells), flags, classes="desk")


def fader_of(channel: Channel, *, standing: bool) -> Fader:
    """Return the fader of a channel."""
    return Fader(label=label_of(channel, standing=standing), label_cells=_NAME_CELLS, standing=standing)


def label_of(channel: Channel, *, standing: bool) -> str:
    """Return the name of a channel; in a group it stands a little to the right."""
    return (" " if standing else _INDENT) * channel.depth + channel.name
