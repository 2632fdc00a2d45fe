"""What the Project screen lets a person hear: the vocal or the mix, A against B, live where a loop is on.

The mix of a loop is made by the preview process and replaces what plays without a gap; without a loop, or with one that
is too long for it, the last render plays.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.play import messages
from covermaker.play.client import Files
from covermaker.render.previewing import LONGEST_SECONDS, MIX, PEAKS_PER_SECOND, SHORTEST_SECONDS, Wish
from covermaker.tui import project_model
from covermaker.tui.listening import Matching
from covermaker.tui.previewer import Preview

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.render.previewing import Previewed
    from covermaker.render.sounds import Sounds
    from covermaker.tui.listening import Ears

VOCAL: Final = "vocal"
LOOKING: Final = "looking for its sound"


class Sound(Matching):
    """The player and the preview of one project.

    Parameters
    ----------
    folder : Path
        The project.
    ears : Ears
        Who listens.
    command : sequence of str
        Starts the preview process.
    """

    what = VOCAL
    loop: tuple[float, float] | None = None
    made: Previewed | None = None
    peak: Sequence[float] = (0.0, 0.0)
    _missing: tuple[str, ...] = ()  # plug-ins, in words

    def __init__(self, folder: Path, ears: Ears, *, command: Sequence[str]) -> None:
        super().__init__(folder / ".covermaker" / "audio.log", ears)
        self._preview = Preview(folder, self._made, self._refused, command=command)
        self._sounds: Sounds | None = None
        self._no_sounds = LOOKING
        self._solo: tuple[str, ...] = ()
        self._unsaved: dict[str, Any] = {}
        self._loaded: Files | None = None
        self._newest = 0
        self._start_seconds: float | None = None

    # What is heard

    @property
    def is_live(self) -> bool:
        """Whether the mix of a loop is heard as it would be rendered now."""
        if self.what != MIX or self.loop is None:
            return False
        return SHORTEST_SECONDS <= self.loop[1] - self.loop[0] <= LONGEST_SECONDS

    @property
    def is_working(self) -> bool:
        """Whether a preview is being made."""
        return self._preview.is_busy

    @property
    def seconds(self) -> float:
        """Where the playhead is."""
        return self.player.position.seconds if self._start_seconds is None else self._start_seconds

    @property
    def words(self) -> str:
        """What A is now."""
        if self.what == VOCAL:
            return "vocal, converted"
        if not self.is_live:
            return "mix, as rendered"
        return (
            "mix of the loop, being made" if self.made is None or self.is_working else "mix of the loop, live"
        )

    def no_play(self) -> str | None:
        """Say why there is nothing to hear."""
        if self._sounds is None:
            return self._no_sounds
        files = (self._sounds.converted, self._sounds.vocal)
        if self.what == MIX:
            files = (self._sounds.song if self.is_live else self._sounds.master, self._sounds.song)
        return None if all(files) else "it is not rendered yet: {project.render} renders it"

    def take(self, sounds: Sounds) -> None:
        """Take the files of a project that was rendered or changed."""
        self._sounds = sounds
        self.refresh()

    def take_none(self, why: str) -> None:
        """Take it that no files can be found."""
        self._no_sounds = why
        self._changed()

    def set_what(self, what: str) -> None:
        """Hear the vocal or the mix."""
        self.what = what
        self.refresh()

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        """Repeat a stretch, or not."""
        if loop == self.loop:
            return
        self.loop, self.made = loop, None
        if self._loaded is not None and not self.is_live:
            self._do(self.player.set_loop(loop))
        self.refresh()

    def set_matched(self, matched: bool) -> None:
        """Make A and B equally loud, or leave them."""
        self.matched = matched
        self.refresh(remake=False)

    def mixed(self, solo: Sequence[str], unsaved: Mapping[str, Any]) -> None:
        """Take what the mixer says; `unsaved` are values that are not on the disk yet."""
        self._solo, self._unsaved = tuple(solo), dict(unsaved)
        self.refresh()

    def play_or_pause(self) -> None:
        """Play from the position, or stop there."""
        if self.is_on:
            self.pause()
            return
        self._wants_play = True
        self.refresh(start=True)

    def seek(self, seconds: float) -> None:
        """Go to a time; before anything was played, begin there."""
        if self._loaded is None:
            self._start_seconds = seconds
        else:
            self._do(self.player.seek(seconds))

    def switch(self) -> None:
        """Hear the other one."""
        self.refresh(start=True, remake=self.made is None)
        self._do(self.player.switch())

    def refresh(self, *, start: bool = False, remake: bool = True) -> None:
        """Load what should be heard now, if anything was wanted to be heard yet."""
        if (self._loaded is None and not start) or self._sounds is None or self.no_play():
            self._changed()
            return
        if self.is_live and remake:
            self._newest = self._preview.ask(self._wish())
        if not self.is_live or self.made is not None:
            self._do(self._load())
        self._changed()

    def _wish(self) -> Wish:
        assert self.loop is not None
        return Wish(0, self.loop[0], self.loop[1] - self.loop[0], MIX, self._unsaved, self._solo)

    async def _load(self) -> None:
        sounds = self._sounds
        assert sounds is not None
        files = await self._files(sounds)
        if files is None:
            return
        if files != self._loaded or self.player.loop != self.loop:
            self._loaded = files
            start, self._start_seconds = self._start_seconds, None
            await self._load_files(files, start_seconds=start, loop=self.loop)
        else:
            await self._begin()

    async def _files(self, sounds: Sounds) -> Files | None:
        if self.is_live:
            made = self.made
            if made is None or sounds.song is None:
                return None
            gains = (made.gain_db, made.against_gain_db) if self.matched else (0.0, 0.0)
            return Files(Path(made.file), sounds.song, *gains, at_seconds_a=made.start_seconds)
        a, b = (sounds.converted, sounds.vocal) if self.what == VOCAL else (sounds.master, sounds.song)
        if a is None or b is None:
            return None
        gains = await asyncio.to_thread(project_model.matching, a, b) if self.matched else (0.0, 0.0)
        return Files(a, b, *gains)

    # Levels

    def strip_peaks(self) -> Mapping[str, Sequence[float]] | None:
        """Return the levels of the channels at the position; None where no preview tells them."""
        made, now = self.made, self.player.position
        if made is None or not self.is_live or now.hearing != "a":
            return None
        hop = int((now.seconds - made.start_seconds) * PEAKS_PER_SECOND)
        return {name: rows[hop] for name, rows in made.peaks.items() if 0 <= hop < len(rows)}

    # What is told

    def _say_missing(self, made: Previewed) -> None:
        """Say which plug-ins are not heard, each once, for as long as that stays so."""
        for note in made.notes:
            if note not in self._missing:
                self._say(note, "stale")
        self._missing = tuple(made.notes)

    def _made(self, made: Previewed) -> None:
        self._say_missing(made)
        if made.id < self._newest and self.made is not None:
            self._changed()
            return
        self.made = made
        self.refresh(start=True, remake=False)

    def _is_overtaken(self, number: int | None) -> bool:
        """Whether a newer wish is still to be answered."""
        return number is not None and number < self._newest

    def _refused(self, number: int | None, words: str) -> None:
        if self._is_overtaken(number):
            return
        self._wants_play = False
        self._say(f"preview: {words}", "failed")
        self._changed()

    def _lose(self) -> None:
        super()._lose()
        self._loaded = None

    def _told(self, message: messages.Message) -> None:
        if isinstance(message, messages.Position):
            self.peak = message.peak
        self._changed()

    async def close(self) -> None:
        """End both processes."""
        await self._preview.close()
        await super().close()
