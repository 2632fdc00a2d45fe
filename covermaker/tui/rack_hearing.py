"""What is heard on the Rack screen: a loop before and behind the rack, its levels, the loop's ends."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from textual import on
from textual.css.query import NoMatches

from covermaker.tui.rack_loop import LoopPane
from covermaker.tui.rack_model import LOOP_SECONDS, loudest, moved
from covermaker.tui.screens.opened import OpenedScreen

if TYPE_CHECKING:
    from covermaker.play.messages import Side
    from covermaker.render.previewing import Previewed
    from covermaker.tui.project_model import Pictures
    from covermaker.tui.rack_sound import RackSound

_STEP_SECONDS = 5.0
_SHORTEST_SECONDS = 0.5


class RackHearing(OpenedScreen, inherit_bindings=False):
    """A screen with a `LoopPane` that plays a rack."""

    sound: RackSound | None

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Previewed | None, str] = (None, "")
        self._last_loop: tuple[float, float] | None = None
        self._seen: tuple[bool, str | None] = (False, None)

    @property
    def _song_seconds(self) -> float:
        drawn = self.pictures
        known = (
            []
            if drawn is None
            else [one for one in (drawn.song, drawn.vocal, drawn.converted) if one is not None]
        )
        return max((one.seconds for one in known), default=0.0)

    def take_pictures(self, pictures: Pictures | None) -> None:
        """Take the sounds; where there is no loop yet, the loudest stretch of the vocal becomes one."""
        if pictures is not None and self.sound is not None:
            heard = pictures.converted or pictures.vocal or pictures.song
            if self.sound.loop is None and self._last_loop is None and heard is not None:
                self.sound.loop = self._last_loop = loudest(heard)
            self.sound.take(pictures.sounds)
        self._sound_changed()

    def _sound_changed(self) -> None:
        """Show what is heard, and what was measured when that is new."""
        sound = self.sound
        if sound is None or not self.is_mounted or not self.is_current:
            return
        with suppress(NoMatches):  # the panes go before the screen does
            nothing = self._nothing()
            self.query_one(LoopPane).show(sound, nothing, self._without())
            if (sound.made, nothing) != self._shown:
                self._shown = sound.made, nothing
                self.show_measured()
            self.show_now()
        state = (sound.player.playing, sound.no_play())
        if state != self._seen:
            self._seen = state
            self.refresh_bindings()

    def _nothing(self) -> str:
        """Say why nothing can be heard and measured; "" when it can."""
        if self.sound is None:
            return ""
        return self.app.named(self.sound.problem or self.sound.no_play() or "")

    def show_measured(self) -> None:
        """Show what was measured."""

    def show_now(self) -> None:
        """Show what happens at the playhead."""

    def _without(self) -> str:
        """Say what of a master is not in the loop that is heard."""
        owner, project = self.sound.owner if self.sound is not None else None, self.edits.project
        if owner is None or project is None or owner.what != "master":
            return ""
        return "limiter and match" if project.cover.master.match else "limiter"

    def no_sound(self) -> str | None:
        """Say why nothing can be heard."""
        if self.app.is_web:
            return "in a browser there is no sound; what is measured is shown"
        return self.sound.no_play() if self.sound is not None else "there is no sound"

    def no_loop(self) -> str | None:
        """Say why there is no place in the song."""
        if self._song_seconds:
            return None
        return self.problem or self.no_sound_why or "there is no sound yet: {rack.render} renders it"

    def _set_loop(self, loop: tuple[float, float] | None) -> None:
        if self.sound is not None:
            self._last_loop = loop or self._last_loop
            self.sound.set_loop(loop)
            self._sound_changed()

    @on(LoopPane.Sought)
    def _sought(self, message: LoopPane.Sought) -> None:
        if self.sound is not None:
            self.sound.seek(message.seconds)
            self.query_one(LoopPane).move(self.sound)

    @on(LoopPane.Bounded)
    def _bounded(self, message: LoopPane.Bounded) -> None:
        self._bound(message.begin, message.end)

    def action_play(self) -> None:
        """Play or pause."""
        sound = self.sound
        if sound is None:
            return
        if not sound.player.playing:
            self.app.silence(self)
            if sound.loop is not None and not sound.loop[0] <= sound.seconds < sound.loop[1]:
                sound.seek(sound.loop[0])
        sound.play_or_pause()

    def no_switch(self) -> str | None:
        """Say why there is nothing to compare."""
        why = self.no_sound()
        return why if why or self.sound is None else self.sound.no_switch()

    def side_words(self, side: Side) -> str:
        """Say what a side is: the player's A is what comes out, which people read as B."""
        if side == "b":
            return "A (what goes into the rack)"
        difference = self.sound is not None and self.sound.difference
        return "B (what the rack adds and takes away)" if difference else "B (what comes out of the rack)"

    def action_difference(self) -> None:
        """Hear the difference, or the rack."""
        if self.sound is not None:
            self.sound.set_difference(not self.sound.difference)
            self.app.say(
                "B is what the rack adds and takes away"
                if self.sound.difference
                else "B is what comes out of the rack"
            )

    def action_earlier(self) -> None:
        """Move the loop back."""
        self._move(-_STEP_SECONDS)

    def action_later(self) -> None:
        """Move the loop on."""
        self._move(_STEP_SECONDS)

    def _move(self, by: float) -> None:
        sound = self.sound
        if sound is None:
            return
        if sound.loop is not None:
            self._set_loop(moved(sound.loop, by, self._song_seconds))
        else:
            sound.seek(min(max(0.0, sound.seconds + by), self._song_seconds))
            self._sound_changed()

    def action_loop_in(self) -> None:
        """Begin the loop at the playhead."""
        sound = self.sound
        if sound is not None:
            at, before = sound.seconds, sound.loop or self._last_loop
            end = before[1] if before and before[1] > at else at + LOOP_SECONDS
            self._bound(at, end)

    def action_loop_out(self) -> None:
        """End the loop at the playhead."""
        sound = self.sound
        if sound is not None:
            at, before = sound.seconds, sound.loop or self._last_loop
            self._bound(before[0] if before and before[0] < at else at - LOOP_SECONDS, at)

    def _bound(self, begin: float, end: float) -> None:
        begin, end = max(0.0, begin), min(end, self._song_seconds)
        if end - begin < _SHORTEST_SECONDS:
            self.app.say(f"a loop is at least {_SHORTEST_SECONDS:g} s long", "stale")
            return
        self._set_loop((round(begin, 3), round(end, 3)))

    def action_loop(self) -> None:
        """Turn the loop off or on."""
        if self.sound is not None:
            self._set_loop(None if self.sound.loop is not None else self._last_loop)
