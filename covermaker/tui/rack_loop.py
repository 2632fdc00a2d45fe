"""The pane of the loop: what goes into the rack above what comes out, and which of them is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.rack_readings import pillars
from covermaker.tui.rack_sound import DRY, MIX, PEAKS_PER_SECOND
from covermaker.tui.widgets.pyramid import Pyramid
from covermaker.tui.widgets.waveform import Drawing, Waveform
from covermaker.tui.words import length, level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from covermaker.tui.app import Studio
    from covermaker.tui.rack_sound import RackSound

_RANGE_DB = 36.0


class Picture(Waveform, can_focus=False):
    """The levels of one of the two sounds, in dB from below: in a row or two, a wave would be flat."""

    def _draw(self, width: int, height: int) -> Drawing:
        if self._pyramid is None or not width:
            return super()._draw(width, height)
        _, peak = self._pyramid.columns(*self.view, width)
        share = 1.0 + 20.0 * np.log10(np.maximum(peak, 1e-6)) / _RANGE_DB
        return pillars(share, height, self.glyphs), [], np.zeros(width, np.bool_)

    def _wheel(self, event: events.MouseEvent, factor: float, share: float) -> None:
        event.stop()  # both pictures show the whole loop


class LoopPane(Pane, Vertical, can_focus=True, inherit_bindings=False):
    """See the module."""

    app: Studio

    SCREEN = "rack"
    PANE = "loop"
    TITLE = "Loop"
    HELP_TEXT = (
        "A is what goes into the rack, B what comes out; {rack.switch} hears the other one, equally loud while "
        "{rack.match} is on, and {rack.difference} hears what is between them. {rack.earlier} and {rack.later} move "
        "the loop through the song, {rack.loop-in} and {rack.loop-out} set its ends, {rack.loop} turns it off and "
        "on. The pictures are levels, 36 dB high. "
        "A bus hears what is sent to it, the master the mix; the master is heard without its limiter, "
        "and without the match to a reference."
    )
    BINDINGS = bindings("rack", "loop")

    class Sought(Message):
        """A time of the song was asked for."""

        def __init__(self, seconds: float) -> None:
            super().__init__()
            self.seconds = seconds

    class Bounded(Message):
        """Another loop was drawn."""

        def __init__(self, begin: float, end: float) -> None:
            super().__init__()
            self.begin, self.end = begin, end

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._begin = 0.0
        self._heard = ""
        self._shown: object = None

    def compose(self) -> ComposeResult:
        """Build both pictures and the line below."""
        for name, label in (("dry", "A dry"), ("wet", "B rack")):
            with Horizontal(classes="side"):
                yield Static(label, classes="side-label")
                yield Picture(id=name)
        yield Static(id="heard", markup=False)

    def show(self, sound: RackSound | None, nothing: str = "", without: str = "") -> None:
        """Show what there is to hear; `nothing` says why there is none, `without` what is not heard in it."""
        loop = sound.loop if sound is not None else None
        made = sound.made if sound is not None else None
        if sound is not None and made is not self._shown:
            self._shown, self._begin = made, made.start_seconds if made is not None else 0.0
            loudest = max((max(row) for side in (DRY, MIX) for row in sound.rows(side)), default=0.0)
            for name, side in (("#dry", DRY), ("#wet", MIX)):
                self.query_one(name, Picture).show_sound(pyramid(sound.rows(side), loudest))
        self.frame(
            "Loop "
            + (
                f"{length(loop[0])} to {length(loop[1])}{without and f', without {without}'}"
                if loop
                else "off: the whole track, as rendered"
            ),
            f"on {made.instead.partition(',')[0]}"
            if made is not None and made.instead
            else self.app.named("{rack.earlier} {rack.later} Move  {rack.switch} A/B  {rack.match} Match"),
        )
        words = nothing if sound is None or nothing else self._words(sound)
        if words != self._heard:
            self._heard = words
            self.query_one("#heard", Static).update(words)
        self.move(sound)

    def move(self, sound: RackSound | None) -> None:
        """Move the playhead."""
        if sound is not None:
            for picture in self.query(Picture):
                picture.position = sound.seconds - self._begin

    def _words(self, sound: RackSound) -> str:
        made = sound.made
        parts = []
        if sound.player.playing or sound.player.files is not None or not sound.hears_rack:
            side = ("B difference" if sound.difference else "B rack") if sound.hears_rack else "A dry"
            sign = self.app.spelt("► " if sound.player.playing else "· ")
            parts.append(f"{sign}{length(sound.seconds)} hearing {side}")
        if made is None:
            parts.append("being made and measured…" if sound.is_working else "")
        else:
            parts.append(f"A {level(made.in_lufs, 'LUFS')}, B {level(made.out_lufs, 'LUFS')}")
            if sound.matched:
                parts.append("matched")
            parts.append("being made…" if sound.is_working else f"made in {made.took_seconds:.1f} s")
        return self.app.spelt("  ".join(part for part in parts if part))

    @on(Waveform.Sought)
    def _sought(self, message: Waveform.Sought) -> None:
        message.stop()
        self.post_message(self.Sought(message.seconds + self._begin))

    @on(Waveform.Looped)
    def _looped(self, message: Waveform.Looped) -> None:
        message.stop()
        message.waveform.loop, message.waveform.looping = None, False
        if message.loop is not None:
            self.post_message(self.Bounded(*(self._begin + at for at in message.loop)))

    def action_left(self) -> None:
        """Go back a second."""
        self.query_one("#dry", Picture).action_seek(-1.0)

    def action_right(self) -> None:
        """Go on a second."""
        self.query_one("#dry", Picture).action_seek(1.0)


def pyramid(rows: Sequence[Sequence[float]], loudest: float) -> Pyramid | None:
    """Return the peaks of a preview as a picture's; `loudest` fills its height, so that A and B can be compared."""
    if not rows:
        return None
    peaks = np.asarray(rows, np.float32).max(axis=1) / np.float32(max(loudest, 1e-6) * 1.001)
    return Pyramid(-peaks, peaks, 1.0 / PEAKS_PER_SECOND)
