"""The pane of a project's mixer: a fader, a meter and the signs of a channel each, in rows or in strips."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on
from textual.message import Message
from textual.widgets import Static

from covermaker.tui.faders import Faders
from covermaker.tui.keymap import bindings
from covermaker.tui.project_strips import Flags, desk_of, fader_of, strip_cells
from covermaker.tui.widgets.fader import Fader
from covermaker.tui.widgets.meters import Meters
from covermaker.tui.widgets.scales import DbScale, NumberScale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.tui.project_channels import Channel
    from covermaker.tui.widgets.scales import Scale

GAIN = "gain"
_NO_SEND_DB = -96.0
_PAN_STEP = 0.05
_FOR_TRACKS = frozenset({"project.mute", "project.solo", "project.pan-left", "project.pan-right"})


class Mixer(Faders, inherit_bindings=False):
    """See the module. It shows what it is told and says what is wanted; the screen saves."""

    SCREEN = "project"
    PANE = "mixer"
    TITLE = "Mixer"
    HELP_TEXT = (
        "A channel each: fader, level, pan, mute and solo. {project.track-down} and {project.track-up} choose, so do "
        "the arrows along the channels; the other arrows change by a tenth of a dB, {project.gain-down} and "
        "{project.gain-up} by half a one, {project.type} types a value. {project.sends} turns the faders to the sends "
        "of one bus after the other. {project.rack} opens the channel's rack. Solo and bypass are for listening only "
        "and are not saved. While a loop of the mix plays, you hear every change at once."
    )
    BINDINGS = bindings("project", "mixer")

    class Wanted(Message):
        """A value is wanted.

        Attributes
        ----------
        place : str
            Of the document; ``solo.NAME`` and ``bypass.PLACE`` are none.
        value : object
            None takes the key away.
        settled : bool
            False while a fader is dragged.
        """

        def __init__(self, place: str, value: Any, *, settled: bool = True) -> None:
            super().__init__()
            self.place, self.value, self.settled = place, value, settled

    class Opened(Message):
        """A channel's rack is to be opened: that of a track, a bus or ``master``."""

        def __init__(self, owner: str) -> None:
            super().__init__()
            self.owner = owner

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[Channel] = []
        self.shows = GAIN
        self._cells = 0
        self._meters = True

    # What is shown

    @property
    def standing(self) -> bool:
        """Whether the faders stand."""
        return self._cells > 0

    async def show(self, rows: Sequence[Channel], with_meters: bool = True) -> None:
        """Show channels."""
        same = [row.name for row in rows] == [row.name for row in self.rows]
        self.rows, self._meters = list(rows), with_meters
        if self.shows != GAIN and self.shows not in self._buses():
            self.shows = GAIN
        if not same:
            self._at = min(self._at, max(0, len(rows) - 1))
        await self.fit(anew=not same)

    async def fit(self, *, anew: bool = False) -> None:
        """Stand the faders up where there is room for a strip each, or lay them down."""
        classes = self.screen.classes
        room = "-tall" in classes and bool({"-wide", "-huge"} & classes)
        cells = strip_cells(len(self.rows), self.screen.size.width - 4) if room else 0
        if anew or cells != self._cells:
            self._cells = cells
            await self._build()
        self._write()

    async def _build(self) -> None:
        had_focus = self.has_focus_within
        self.set_class(self.standing, "-standing")
        await self.remove_children()
        faders = [fader_of(row, standing=self.standing) for row in self.rows]
        desk = desk_of(self.rows, faders, self._cells, with_meters=self._meters)
        await self.mount(desk, Static(id="channel", markup=False))
        if had_focus:
            self.focus()

    def _buses(self) -> list[str]:
        return [row.name for row in self.rows if row.kind == "bus"]

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
        row = self.rows[self._at] if self.rows else None
        # In a narrow window a row has no room for its value: that of the chosen one stands on the border.
        chosen = row if "-tiny" in self.screen.classes else None
        self.border_subtitle = f"{chosen.name}  {self._value_words(chosen)}" if chosen is not None else ""
        for line in self.query("#channel").results(Static):
            line.update(f"{row.name}: {row.about(self._buses())}" if row else "")

    def _value(self, row: Channel) -> float | None:
        """Return what a row's fader shows; None where there is nothing to show."""
        if self.shows == GAIN:
            return row.value
        return None if row.kind != "track" else (row.sends or {}).get(self.shows, _NO_SEND_DB)

    def _value_words(self, row: Channel) -> str:
        """Say what a row's fader is at."""
        value, shows = self._value(row), self.shows if row.kind == "track" else GAIN
        return "has none" if value is None else _scale(row, shows).text(value)

    def feed(self, peaks: Mapping[str, Sequence[float]]) -> None:
        """Take levels: the highest absolute samples by channel, left and right; 0 where nothing is said."""
        for meters in self.query(Meters):
            meters.feed([peaks.get(row.name, (0.0, 0.0)) for row in self.rows])

    @property
    def is_at_rest(self) -> bool:
        """Whether no meter shows a level."""
        return all(meters.is_at_rest for meters in self.query(Meters))

    # Choosing

    def chose(self) -> None:
        """Tell of the chosen channel."""
        self._write_channel()

    def refusal(self, action_id: str) -> str | None:
        """Say why a channel has no such thing."""
        if not self.rows:
            return "there are no channels: the project cannot be read"
        row = self.rows[self._at]
        if action_id in _FOR_TRACKS and row.kind != "track":
            return f"{row.name} has none: tracks have pan, mute and solo"
        if action_id == "project.sends" and not self._buses():
            return "the project has no bus to send to"
        if action_id == "project.bypass" and row.kind == "master":
            return "a preview is the mix before the master: there is nothing to bypass"
        if action_id == "project.bypass" and not row.effects:
            return f"{row.name} has no rack"
        return None

    def action_track_down(self) -> None:
        """Choose the next channel."""
        self._go(1)

    def action_track_up(self) -> None:
        """Choose the channel before."""
        self._go(-1)

    def action_arrow_down(self) -> None:
        """Go down the rows, or pull the upright fader a little."""
        if self.standing:
            self.action_fine_down()
        else:
            self._go(1)

    def action_arrow_up(self) -> None:
        """Go up the rows, or push the upright fader a little."""
        if self.standing:
            self.action_fine_up()
        else:
            self._go(-1)

    def action_arrow_left(self) -> None:
        """Go to the strip on the left, or pull the lying fader a little."""
        if self.standing:
            self._go(-1)
        else:
            self.action_fine_down()

    def action_arrow_right(self) -> None:
        """Go to the strip on the right, or push the lying fader a little."""
        if self.standing:
            self._go(1)
        else:
            self.action_fine_up()

    def _go(self, by: int) -> None:
        faders = self.faders
        free = [index for index, fader in enumerate(faders) if not fader.disabled]
        beyond = [index for index in free if (index - self._at) * by > 0]
        if beyond:
            self._at = beyond[0] if by > 0 else beyond[-1]
            self.screen.set_focus(faders[self._at])

    # Changing

    def action_gain_up(self) -> None:
        """Make it half a dB louder."""
        self.fader.action_step(1)

    def action_gain_down(self) -> None:
        """Make it half a dB quieter."""
        self.fader.action_step(-1)

    def action_fine_up(self) -> None:
        """Make it a tenth of a dB louder."""
        self.fader.action_fine(1)

    def action_fine_down(self) -> None:
        """Make it a tenth of a dB quieter."""
        self.fader.action_fine(-1)

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

    def action_bypass(self) -> None:
        """Leave the rack out of the preview, or not."""
        row = self.rows[self._at]
        self._want(f"bypass.{row.place}", not row.bypass, bypass=not row.bypass)

    def action_rack(self) -> None:
        """Open the rack."""
        self.post_message(self.Opened(self.rows[self._at].owner))

    def action_sends(self) -> None:
        """Turn the faders to the next bus, or back to the gains."""
        turns = [GAIN, *self._buses()]
        self.shows = turns[(turns.index(self.shows) + 1) % len(turns)]
        self._write()
        if self.fader.disabled:
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
        self.moved(message)
        row, value = self.rows[self._at], float(message.value)
        if self.shows != GAIN:
            sends = {**(row.sends or {}), self.shows: value}
            self.rows[self._at] = replace(row, sends=sends)
            wanted = None if value <= _NO_SEND_DB else value
            self._write_channel()
            self.post_message(self.Wanted(f"{row.place}.sends.{self.shows}", wanted, settled=message.settled))
            return
        self.rows[self._at] = replace(row, value=value)
        key = "loudness_lufs" if row.kind == "master" else "gain_db"
        self.post_message(self.Wanted(f"{row.place}.{key}", value, settled=message.settled))
        self._write_channel()


def _scale(row: Channel, shows: str) -> Scale:
    if shows == GAIN and row.kind == "master":
        return NumberScale("LUFS", -40.0, -5.0, default=-14.0)
    return DbScale() if shows == GAIN else SendScale()


class SendScale(DbScale):
    """A send's level; its lower end is no send at all, which it goes back to."""

    def __init__(self) -> None:
        super().__init__(default=_NO_SEND_DB)

    def text(self, value: Any) -> str:
        """Write a level."""
        return "off" if float(value) <= _NO_SEND_DB else super().text(value)
