"""What the Rack screen lets a person hear and see: a loop of one channel, before its rack and behind it.

The player's side A is what comes out of the rack, since that is heard first; people read it as B, and what goes in as
A. Without a loop, a track is heard as it was rendered last.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.play.client import Files
from covermaker.render.previewing import (
    DRY,
    LONGEST_SECONDS,
    MIX,
    PEAKS_PER_SECOND,
    SHORTEST_SECONDS,
    Wish,
    rack_of,
    stand_in,
)
from covermaker.tui import project_model
from covermaker.tui.project_sound import Sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.effects.owners import Owner
    from covermaker.render.previewing import Previewed
    from covermaker.render.sounds import Sounds


class RackSound(Sound):
    """The player and the preview of one project's racks; see `Sound` for the parameters."""

    what = ""
    owner: Owner | None = None
    difference = False
    problem = ""

    # What is heard

    @property
    def hears_rack(self) -> bool:
        """Whether what comes out of the rack is heard, or what goes in."""
        return self.player.hearing == "a"

    @property
    def is_live(self) -> bool:
        """Whether a loop is heard as it would be rendered now."""
        return self.loop is not None and SHORTEST_SECONDS <= self.loop[1] - self.loop[0] <= LONGEST_SECONDS

    def choose(self, owner: Owner, changes: dict[str, object]) -> None:
        """Hear another rack."""
        self.owner, self.what = owner, rack_of(owner.place)
        self.made, self.problem, self._unsaved = None, "", changes
        self.refresh()

    def changed(self, changes: dict[str, object]) -> None:
        """Take what is not on the disk yet, and hear it."""
        self.mixed((), changes)

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        """Repeat a stretch from its beginning, or not."""
        if loop is not None and not loop[0] <= self.seconds < loop[1]:
            self._start_seconds = loop[0]
        super().set_loop(loop)

    def set_difference(self, difference: bool) -> None:
        """Hear what the rack adds and takes away, or what comes out of it."""
        self.difference = difference
        self.refresh()

    def no_play(self) -> str | None:
        """Say why there is nothing to hear."""
        if self._sounds is None or self.owner is None:
            return self._no_sounds
        if self._dry(self._sounds) is None:
            return f"{self.owner.name} has no sound yet: {{rack.render}} renders the song"
        if self.loop is not None and not self.is_live:
            return f"a loop is {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} s long: " + (
                "{rack.loop-in} and {rack.loop-out} set its ends"
            )
        if not self.is_live and self._rendered(self._sounds) is None:
            return "it is not rendered like this: {rack.loop} hears a loop of it"
        return None

    def no_switch(self) -> str | None:
        """Say why there is nothing to compare."""
        has_sides = self.is_live or (self.owner is not None and self.owner.track is not None)
        return None if has_sides else "only a loop is heard before the rack, too: {rack.loop} turns it on"

    def _dry(self, sounds: Sounds) -> Path | None:
        assert self.owner is not None
        return stand_in(self.owner.track, sounds)[0] if self.owner.track is not None else sounds.song

    def _rendered(self, sounds: Sounds) -> Path | None:
        """Return what came out of the rack at the last render."""
        assert self.owner is not None
        if self.owner.track is not None:
            found = sounds.tracks.get(self.owner.name)
            return found.racked if found else None
        return sounds.master if self.owner.place == "master" else None

    def refresh(self, *, start: bool = False, remake: bool = True) -> None:
        """Have the loop made and measured anew; load it when somebody listens."""
        if self._sounds is not None and self.no_play() is None:
            if self.is_live and remake:
                self._newest = self._preview.ask(self._wish())
            listens = self._loaded is not None or self._wants_play
            if listens and (not self.is_live or self.made is not None):
                self._do(self._load())
        self._changed()

    def _wish(self) -> Wish:
        assert self.loop is not None
        begin, end = self.loop
        return Wish(0, begin, end - begin, self.what, self._unsaved, difference=self.difference)

    async def _files(self, sounds: Sounds) -> Files | None:
        if self.is_live:
            made = self.made
            if made is None:
                return None
            gains = (made.gain_db, made.against_gain_db) if self.matched else (0.0, 0.0)
            return Files(
                Path(made.file),
                Path(made.against),
                *gains,
                at_seconds_a=made.start_seconds,
                at_seconds_b=made.against_start_seconds,
            )
        racked, dry = self._rendered(sounds), self._dry(sounds)
        if racked is None or dry is None or self.owner is None or self.owner.track is None:
            return Files(racked) if racked is not None else None
        gains = await asyncio.to_thread(project_model.matching, racked, dry) if self.matched else (0.0, 0.0)
        return Files(racked, dry, *gains)

    # What is told

    def rows(self, side: str) -> list[list[float]]:
        """Return the peaks of what goes in (`DRY`) or comes out (`MIX`), `PEAKS_PER_SECOND`."""
        assert side in (DRY, MIX)
        return self.made.peaks.get(side, []) if self.made is not None else []

    def reduction_now(self, history: Sequence[float]) -> float | None:
        """Return how far an effect turns down at the playhead; None while nothing plays."""
        made = self.made
        if made is None or not self.player.playing:
            return None
        at = int((self.seconds - made.start_seconds) / made.reduction_seconds)
        return history[at] if 0 <= at < len(history) else None

    def _made(self, made: Previewed) -> None:
        if made.what != self.what or self.loop is None or abs(made.start_seconds - self.loop[0]) > 1e-3:
            return  # of another rack, or another loop; the answer that is wanted is under way
        self._say_missing(made)
        # An answer that a newer wish has overtaken is heard all the same: a fader that is held moves the sound with it.
        self.problem, self.made = "", made
        self.refresh(remake=False)

    def _refused(self, number: int | None, words: str) -> None:
        if self._is_overtaken(number):
            return
        wanted, self._wants_play = self._wants_play, False
        self.problem, self.made = words, None
        if wanted or self.player.playing:
            self._say(words, "failed")
        self._changed()


__all__ = ["DRY", "MIX", "PEAKS_PER_SECOND", "RackSound"]
