"""The pane of a project's mixer: a fader, a meter and the signs of a channel in a row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from rich.segment import Segment
from rich.style import Style
from textual import on
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.widgets.fader import Fader
from covermaker.tui.widgets.meters import Meters
from covermaker.tui.widgets.scales import DbScale, NumberScale
from covermaker.tui.words import level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual import events

    from covermaker.project.document import Cover
    from covermaker.tui.app import Studio
    from covermaker.tui.widgets.scales import Scale

GAIN = "gain"
_NO_SEND_DB = -96.0
_NAME_CELLS = 12
_PAN_STEP = 0.05


@dataclass(frozen=True)
class Channel:
    """A row of the mixer.

    Attributes
    ----------
    kind : str
        ``"track"``, ``"bus"`` or ``"master"``.
    value : float or None
        The fader's; None for a master without a loudness to reach.
    about : str
        What stands below the rows when it is chosen.
    """

    kind: str
    name: str
    value: float | None
    pan: float = 0.0
    mute: bool = False
    solo: bool = False
    sends: Mapping[str, float] | None = None
    about: str = ""

    @property
    def place(self) -> str:
        """Where the document keeps it."""
        return "master" if self.kind == "master" else f"{self.kind}{'e' * (self.kind == 'bus')}s.{self.name}"


def channels(cover: Cover, solo: Iterable[str] = ()) -> list[Channel]:
    """Return a project's channels; `solo` are the tracks that are soloed for the preview."""
    soloed = set(solo)
    found = [
        Channel(
            "track", track.name, track.gain_db, track.pan, track.mute, track.solo or track.name in soloed,
            track.sends, _about(track.source, track.voice, track.rack, track.sends),
        )
        for track in cover.tracks
    ]  # fmt: skip
    found += [
        Channel("bus", bus.name, bus.gain_db, about=_about("bus", None, bus.rack, {})) for bus in cover.buses
    ]
    master = cover.master
    wanted = None if isinstance(master.loudness_lufs, str) else master.loudness_lufs
    about = f"ceiling {master.true_peak_dbtp:.1f} dBTP" + (f"; {_rack(master.rack)}" if master.rack else "")
    return [*found, Channel("master", "MASTER", wanted, about=about)]


def _about(
    source: str, voice: str | None, rack: Sequence[Mapping[str, Any]], sends: Mapping[str, float]
) -> str:
    parts = [source if voice is None else f"{source} sung by {voice}", _rack(rack)]
    if sends:
        parts.append("sends " + ", ".join(f"{name} {level(db)}" for name, db in sends.items()))
    return "; ".join(parts)


def _rack(rack: Sequence[Mapping[str, Any]]) -> str:
    names = [f"({row['effect']})" if row.get("bypass") else str(row["effect"]) for row in rack]
    return "rack " + ", ".join(names) if names else "no rack"


class Flags(Widget):
    """Pan, mute and solo of every channel; a click on M or S changes it."""

    DEFAULT_CSS = "Flags { width: 10; height: auto; } Flags > .flags--on { text-style: bold reverse; }"
    COMPONENT_CLASSES = {"flags--on"}  # noqa: RUF012
    ALLOW_SELECT = False

    class Clicked(Message):
        """Mute or solo of a row was clicked."""

        def __init__(self, row: int, what: str) -> None:
            super().__init__()
            self.row, self.what = row, what

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Channel] = []

    def get_content_height(self, container: Any, viewport: Any, width: int) -> int:
        """One row a channel."""
        return len(self.rows)

    def render_line(self, y: int) -> Strip:
        """Draw a row."""
        plain = self.rich_style
        if y >= len(self.rows) or self.rows[y].kind != "track":
            return Strip([Segment(" " * self.size.width, plain)])
        row, on = self.rows[y], plain + Style(bold=True, reverse=True)
        return Strip(
            [
                Segment(f" {pan_words(row.pan):<4} ", plain),
                Segment("M" if row.mute else "m", on if row.mute else plain),
                Segment(" ", plain),
                Segment("S" if row.solo else "s", on if row.solo else plain),
            ]
        ).adjust_cell_length(self.size.width, plain)

    def on_click(self, event: events.Click) -> None:
        """Mute or solo."""
        if event.x in (6, 8) and event.y < len(self.rows):
            self.post_message(self.Clicked(event.y, "mute" if event.x == 6 else "solo"))


def pan_words(pan: float) -> str:
    """Write a pan: ``C``, ``L20``, ``R100``."""
    share = round(100 * abs(pan))
    return "C" if not share else f"{'L' if pan < 0 else 'R'}{share}"


class Mixer(Pane, VerticalScroll, can_focus=False, inherit_bindings=False):
    """See the module. It shows what it is told and says what is wanted; the screen saves."""

    app: Studio

    SCREEN = "project"
    PANE = "mixer"
    TITLE = "Mixer"
    HELP_TEXT = (
        "A row a channel: fader, level behind it, pan, mute (M) and solo (S). {project.track-down} and "
        "{project.track-up} choose, {project.gain-down} and {project.gain-up} change by half a dB, {project.type} "
        "types a value. {project.sends} turns the faders to the sends of one bus after the other. Solo is for "
        "listening only and is not saved. While a loop of the mix plays, you hear every change at once."
    )
    BINDINGS = bindings("project", "mixer")

    class Wanted(Message):
        """A value is wanted.

        Attributes
        ----------
        place : str
            Of the document; ``solo.NAME`` is none.
        value : object
            None takes the key away.
        settled : bool
            False while a fader is dragged.
        """

        def __init__(self, place: str, value: Any, *, settled: bool = True) -> None:
            super().__init__()
            self.place, self.value, self.settled = place, value, settled

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[Channel] = []
        self.shows = GAIN
        self._at = 0

    # What is shown

    async def show(self, rows: Sequence[Channel], fps_meters: bool = True) -> None:
        """Show channels."""
        same = [row.name for row in rows] == [row.name for row in self.rows]
        self.rows = list(rows)
        if self.shows != GAIN and self.shows not in {row.name for row in rows if row.kind == "bus"}:
            self.shows = GAIN
        if not same:
            self._at = min(self._at, max(0, len(rows) - 1))
            await self._build(fps_meters)
        self._write()

    async def _build(self, with_meters: bool) -> None:
        had_focus = self.has_focus_within
        await self.remove_children()
        faders = [Fader(_scale(row, GAIN), row.name, label_cells=_NAME_CELLS) for row in self.rows]
        names = [row.name for row in self.rows]
        flags = Flags()
        flags.rows = self.rows
        parts: list[Widget] = [Vertical(*faders, classes="faders")]
        if with_meters:
            parts.append(Meters(names))
        await self.mount(Horizontal(*parts, flags, classes="rows"), Static(id="channel", markup=False))
        if had_focus:
            self.focus()

    def _write(self) -> None:
        for row, fader in zip(self.rows, self.query(Fader), strict=True):
            value, shows = self._value(row), self.shows if row.kind == "track" else GAIN
            fader.scale, fader.disabled = _scale(row, shows), value is None
            shown = row.value if value is None else value
            if shown is not None and fader.typed is None:
                fader.value = shown
            fader.refresh()
        for flags in self.query(Flags):
            flags.rows = self.rows
            flags.refresh(layout=True)
        self._write_channel()

    def _write_channel(self) -> None:
        self.border_title = "Mixer" if self.shows == GAIN else f"Mixer: sends to {self.shows}"
        for line in self.query("#channel").results(Static):
            row = self.rows[self._at] if self.rows else None
            line.update(f"{row.name}: {row.about}" if row else "")

    def _value(self, row: Channel) -> float | None:
        """Return what a row's fader shows; None where there is nothing to show."""
        if self.shows == GAIN:
            return row.value
        return None if row.kind != "track" else (row.sends or {}).get(self.shows, _NO_SEND_DB)

    def feed(self, peaks: Mapping[str, Sequence[float]]) -> None:
        """Take levels: the highest absolute samples by channel, left and right; 0 where nothing is said."""
        for meters in self.query(Meters):
            meters.feed([peaks.get(row.name, (0.0, 0.0)) for row in self.rows])

    # Choosing

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the chosen fader the focus."""
        faders = [fader for fader in self.query(Fader) if not fader.disabled]
        if faders:
            chosen = list(self.query(Fader))[self._at]
            (faders[0] if chosen.disabled else chosen).focus(scroll_visible)
        return self

    def on_descendant_focus(self) -> None:
        """Take over which fader was chosen, by mouse too."""
        for index, fader in enumerate(self.query(Fader)):
            if fader.has_focus:
                self._at = index
        self._write_channel()

    def refusal(self, action_id: str) -> str | None:
        """Say why a channel has no such thing."""
        if not self.rows:
            return "there are no channels: the project cannot be read"
        row = self.rows[self._at]
        if (
            action_id in {"project.mute", "project.solo", "project.pan-left", "project.pan-right"}
            and row.kind != "track"
        ):
            return f"{row.name} has none: tracks have pan, mute and solo"
        if action_id == "project.sends" and not any(row.kind == "bus" for row in self.rows):
            return "the project has no bus to send to"
        return None

    def action_track_down(self) -> None:
        """Choose the next channel."""
        self._go(1)

    def action_track_up(self) -> None:
        """Choose the channel before."""
        self._go(-1)

    def _go(self, by: int) -> None:
        faders = list(self.query(Fader))
        free = [index for index, fader in enumerate(faders) if not fader.disabled]
        beyond = [index for index in free if (index - self._at) * by > 0]
        if beyond:
            self._at = beyond[0] if by > 0 else beyond[-1]
            faders[self._at].focus()

    # Changing

    def _fader(self) -> Fader:
        return list(self.query(Fader))[self._at]

    def action_gain_up(self) -> None:
        """Make it half a dB louder."""
        self._fader().action_step(1)

    def action_gain_down(self) -> None:
        """Make it half a dB quieter."""
        self._fader().action_step(-1)

    def action_fine_up(self) -> None:
        """Make it a tenth of a dB louder."""
        self._fader().action_fine(1)

    def action_fine_down(self) -> None:
        """Make it a tenth of a dB quieter."""
        self._fader().action_fine(-1)

    def action_unity(self) -> None:
        """Go back to the default."""
        self._fader().action_default()

    def action_type(self) -> None:
        """Type a value."""
        self._fader().action_type()

    def action_pan_left(self) -> None:
        """Pan a twentieth to the left."""
        self._pan(-_PAN_STEP)

    def action_pan_right(self) -> None:
        """Pan a twentieth to the right."""
        self._pan(_PAN_STEP)

    def _pan(self, by: float) -> None:
        row = self.rows[self._at]
        pan = round(min(max(row.pan + by, -1.0), 1.0), 2)
        if pan != row.pan:
            self._want(f"{row.place}.pan", pan, pan=pan)

    def action_mute(self) -> None:
        """Mute or not."""
        row = self.rows[self._at]
        self._want(f"{row.place}.mute", not row.mute, mute=not row.mute)

    def action_solo(self) -> None:
        """Solo or not, in the preview."""
        row = self.rows[self._at]
        self._want(f"solo.{row.name}", not row.solo, solo=not row.solo)

    def action_sends(self) -> None:
        """Turn the faders to the next bus, or back to the gains."""
        turns = [GAIN, *(row.name for row in self.rows if row.kind == "bus")]
        self.shows = turns[(turns.index(self.shows) + 1) % len(turns)]
        self._write()
        if self._fader().disabled:
            self._at = 0
        self.focus()

    def _want(self, place: str, value: Any, **shown: Any) -> None:
        self.rows[self._at] = replace(self.rows[self._at], **shown)
        self._write()
        self.post_message(self.Wanted(place, value))

    @on(Flags.Clicked)
    def _clicked(self, message: Flags.Clicked) -> None:
        message.stop()
        if self.rows[message.row].kind == "track":
            self._at = message.row
            (self.action_mute if message.what == "mute" else self.action_solo)()

    @on(Fader.Changed)
    def _moved(self, message: Fader.Changed) -> None:
        message.stop()
        self._at = list(self.query(Fader)).index(message.fader)
        row, value = self.rows[self._at], float(message.value)
        if self.shows != GAIN:
            sends = {**(row.sends or {}), self.shows: value}
            self.rows[self._at] = replace(row, sends=sends)
            wanted = None if value <= _NO_SEND_DB else value
            self.post_message(self.Wanted(f"{row.place}.sends.{self.shows}", wanted, settled=message.settled))
            return
        self.rows[self._at] = replace(row, value=value)
        key = "loudness_lufs" if row.kind == "master" else "gain_db"
        self.post_message(self.Wanted(f"{row.place}.{key}", value, settled=message.settled))

    @on(Fader.Refused)
    def _refused(self, message: Fader.Refused) -> None:
        message.stop()
        self.app.say(message.words, "stale")


def _scale(row: Channel, shows: str) -> Scale:
    if shows == GAIN and row.kind == "master":
        return NumberScale("LUFS", -40.0, -5.0, default=-14.0)
    return DbScale() if shows == GAIN else SendScale()


class SendScale(DbScale):
    """A send's level; its lower end is no send at all."""

    def text(self, value: Any) -> str:
        """Write a level."""
        return "off" if float(value) <= _NO_SEND_DB else super().text(value)
