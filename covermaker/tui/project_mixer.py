"""The pane of a project's mixer: a fader, a meter and the signs of a channel each, in rows or in strips.

What moves over the song stands where it is at the playhead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on
from textual.message import Message
from textual.widgets import Static

from covermaker.tui.faders import Faders
from covermaker.tui.keymap import bindings
from covermaker.tui.project_mixing import GAIN, HAVE, key_of, nothing_of, refused, scale_of, shown_of
from covermaker.tui.project_strips import Flags, desk_of, fader_of, label_of, strip_cells
from covermaker.tui.widgets.fader import Fader
from covermaker.tui.widgets.meters import Meters
from covermaker.tui.widgets.scales import NO_SEND_DB
from covermaker.tui.words import fitted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.tui.project_channels import Channel

_PAN_STEP = 0.05
_FRAME_CELLS = 5  # beside the words of a channel
_PRE_CELLS = 8  # of a name, before a sign that its send is


class Mixer(Faders, inherit_bindings=False):
    """See the module. It shows what it is told and says what is wanted; the screen saves."""

    SCREEN = "project"
    PANE = "mixer"
    TITLE = "Mixer"
    HELP_TEXT = (
        "A channel each: fader, level, pan, mute and solo. {project.track-down} and {project.track-up} choose, so do "
        "the arrows along the channels; the other arrows change by a tenth of a dB, {project.gain-down} and "
        "{project.gain-up} by half a one, {project.type} types a value. {project.sends} turns the faders to the sends "
        "of one bus after the other, {project.pre} takes a send before the fader. {project.rack} opens the channel's "
        "rack, {project.add} adds a track, a group or a bus, {project.group} puts a channel into a group, "
        "{project.remove} takes it away. {project.point} lets the fader move over the song: it sets a point at the "
        "playhead, and from then on so does every change of it; {project.moves} lists what moves, a ~ marks it. "
        "Solo and bypass are for listening only and are not saved. While a loop of the mix plays, you hear every "
        "change at once."
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

    class Chosen(Message):
        """Another channel is chosen, or its fader shows something else."""

    class Asked(Message):
        """Something is to be done with a channel: what the action is called.

        Attributes
        ----------
        row : Channel
            As it is at the playhead.
        key : str
            The value that its fader shows, as the document calls it behind the channel's place.
        """

        def __init__(self, what: str, row: Channel, key: str) -> None:
            super().__init__()
            self.what, self.row, self.key = what, row, key

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[Channel] = []
        self._now: list[Channel] = []
        self._seconds = 0.0
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
        same = [(row.place, row.depth) for row in rows] == [(row.place, row.depth) for row in self.rows]
        chosen = self.rows[self._at].place if self.rows else ""
        before, self.rows, self._meters = self.rows, list(rows), with_meters
        if self.shows != GAIN and self.shows not in self._buses():
            self.shows = GAIN
        if not same:
            places = [row.place for row in rows]
            added = set(places) - {row.place for row in before}
            if chosen and len(added) == 1:
                chosen = added.pop()
            self._at = places.index(chosen) if chosen in places else min(self._at, max(0, len(rows) - 1))
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

    def show_moment(self, seconds: float) -> None:
        """Show what moves as it is at a moment of the song."""
        self._seconds = seconds
        is_built = len(self.faders) == len(self.rows)  # or it is just being built anew
        moves = any(row.moves for row in self.rows)
        if is_built and moves and [row.at(seconds) for row in self.rows] != self._now:
            self._write()

    @property
    def row(self) -> Channel:
        """The chosen channel, as it is at the playhead."""
        return self.rows[self._at].at(self._seconds)

    def _write(self) -> None:
        self._now = [row.at(self._seconds) for row in self.rows]
        for row, fader in zip(self._now, self.query(Fader), strict=True):
            value, key = shown_of(row, self.shows), key_of(row, self.shows)
            fader.scale, fader.disabled = scale_of(row, self.shows), value is None
            fader.nothing = nothing_of(row, self.shows) if value is None else ""
            fader.moves = key in row.moves
            fader.label = self._label(row)
            if value is not None and fader.typed is None and not fader.is_held:
                fader.value = value
            fader.refresh()
        for flags in self.query(Flags):
            flags.rows = self._now
            flags.refresh(layout=True)
        self._write_channel()

    @property
    def key(self) -> str:
        """What the document calls what the chosen fader shows."""
        return key_of(self.rows[self._at], self.shows) if self.rows else ""

    def _label(self, row: Channel) -> str:
        label = label_of(row, standing=self.standing)
        return f"{label[:_PRE_CELLS]:<{_PRE_CELLS}} pre" if self.shows in row.pre_fader else label

    def _write_channel(self) -> None:
        self.border_title = "Mixer" if self.shows == GAIN else f"Mixer: sends to {self.shows}"
        row = self.row if self.rows else None
        # In a narrow window a row has no room for its value: that of the chosen one stands on the border.
        chosen = row if "-tiny" in self.screen.classes else None
        self.border_subtitle = f"{chosen.name}  {self._value_words(chosen)}" if chosen is not None else ""
        for line in self.query("#channel").results(Static):
            line.update(self._about(row) if row else "")

    def _about(self, row: Channel) -> str:
        """Return all about a channel, as much of it as there is room for."""
        parts, rows = row.parts(self._buses()), 3 if "-tall" in self.screen.classes else 2
        text = fitted(parts, self.screen.size.width - _FRAME_CELLS, rows, before=f"{row.name}: ")
        return self.app.spelt(text)

    def _value_words(self, row: Channel) -> str:
        """Say what a row's fader is at."""
        value = shown_of(row, self.shows)
        return nothing_of(row, self.shows) if value is None else scale_of(row, self.shows).text(value)

    def show_value(self, place: str, value: Any) -> None:
        """Show a value that something else moves, until the project is read again."""
        for index, row in enumerate(self.rows):
            key = place.removeprefix(f"{row.place}.")
            if key != place:
                self.rows[index] = row.changed(key, value, self._seconds)
                self._write()

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
        self.post_message(self.Chosen())

    def refusal(self, action_id: str) -> str | None:
        """Say why a channel has no such thing."""
        if not self.rows:
            return "there are no channels: the project cannot be read"
        return refused(action_id, self.rows[self._at], self.shows, self._buses())

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
        pan = round(min(max(self.row.pan + by, -1.0), 1.0), 2)
        if pan != self.row.pan:
            self._want("pan", pan)

    def action_mute(self) -> None:
        """Mute or not."""
        self._want("mute", not self.row.mute)

    def action_solo(self) -> None:
        """Solo or not, in the preview."""
        row = self.rows[self._at]
        self._listen(f"solo.{row.name}", not row.solo, solo=not row.solo)

    def action_bypass(self) -> None:
        """Leave the rack out of the preview, or not."""
        row = self.rows[self._at]
        self._listen(f"bypass.{row.place}", not row.bypass, bypass=not row.bypass)

    def action_rack(self) -> None:
        """Open the rack."""
        self.post_message(self.Opened(self.rows[self._at].owner))

    def action_sends(self) -> None:
        """Turn the faders to the next bus, or back to the gains."""
        turns = [GAIN, *self._buses()]
        self.shows = turns[(turns.index(self.shows) + 1) % len(turns)]
        self._write()
        self.post_message(self.Chosen())
        if self.fader.disabled:
            self._at = 0
        self.focus()

    def action_pre(self) -> None:
        """Take the send before the fader, or behind it."""
        self._ask("pre")

    def action_point(self) -> None:
        """Set a point of the fader's automation at the playhead."""
        self._ask("point")

    def action_moves(self) -> None:
        """List what moves of the channel."""
        self._ask("moves")

    def action_group(self) -> None:
        """Choose the group that it goes to."""
        self._ask("group")

    def action_add(self) -> None:
        """Add a channel."""
        self._ask("add")

    def action_remove(self) -> None:
        """Take the channel away."""
        self._ask("remove")

    def _ask(self, what: str) -> None:
        self.post_message(self.Asked(what, self.row, key_of(self.row, self.shows)))

    def _want(self, key: str, value: Any) -> None:
        row = self.rows[self._at]
        self.rows[self._at] = row.changed(key, value, self._seconds)
        self._write()
        self.post_message(self.Wanted(f"{row.place}.{key}", value))

    def _listen(self, place: str, value: Any, **shown: Any) -> None:
        self.rows[self._at] = replace(self.rows[self._at], **shown)
        self._write()
        self.post_message(self.Wanted(place, value))

    @on(Flags.Clicked)
    def _clicked(self, message: Flags.Clicked) -> None:
        message.stop()
        if self.rows[message.row].kind in HAVE[f"project.{message.what}"]:
            self._at = message.row
            (self.action_mute if message.what == "mute" else self.action_solo)()

    @on(Fader.Changed)
    def _moved(self, message: Fader.Changed) -> None:
        self.moved(message)
        row, value = self.rows[self._at], float(message.value)
        key = key_of(row, self.shows)
        is_gone = self.shows != GAIN and value <= NO_SEND_DB and key not in row.moves
        wanted = None if is_gone else value
        self.rows[self._at] = row.changed(key, wanted, self._seconds)
        self._now[self._at] = self.row
        self.post_message(self.Wanted(f"{row.place}.{key}", wanted, settled=message.settled))
        self._write_channel()
