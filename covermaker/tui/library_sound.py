"""What the library lets a person hear: the last render of a song, or the song itself, and one against the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from covermaker.play.client import Files
from covermaker.tui.listening import Listening
from covermaker.tui.words import length, level

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.render.state import State

LOUDEST_DB: Final = 0.0
QUIETEST_DB: Final = -48.0
STEP_DB: Final = 3.0
_SEEK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What of a song can be heard: its cover, where it was rendered, and the original, where it is there.

    `made` is when the cover was written, in seconds since the epoch.
    """

    folder: Path
    cover: Path | None
    original: Path | None
    made: float = 0.0

    @property
    def first(self) -> Path | None:
        """What is heard first, and drawn."""
        return self.cover or self.original


def heard_of(folder: Path, state: State | None) -> Heard:
    """Return what of a song can be heard; a file without loss before one that is made smaller."""
    if state is None:
        return Heard(folder, None, None)
    lossless = {".wav", ".flac"}
    outputs = sorted(state.outputs, key=lambda output: (output.file.suffix not in lossless, output.file.name))
    best = outputs[0] if outputs else None
    return Heard(folder, best.file if best else None, state.song, best.made if best else 0.0)


class LibrarySound(Listening):
    """The player of the library; see `Listening` for the parameters."""

    heard: Heard | None = None
    gain_db = LOUDEST_DB
    _start_seconds = 0.0

    @property
    def playing(self) -> bool:
        """Whether something is heard."""
        return self.player.playing

    @property
    def seconds(self) -> float:
        """Where it is."""
        return self.player.position.seconds

    @property
    def words(self) -> str:
        """What is heard, and where; nothing before something was played."""
        heard = self.heard
        if heard is None:
            return ""
        side = "cover" if heard.cover is not None and self.player.hearing == "a" else "original"
        quieter = f"  {level(self.gain_db)}" if self.gain_db else ""
        sign = "► " if self.playing else "· "
        return f"{sign}{length(self.seconds)} of {length(self.player.length_seconds)}  {side}{quieter}"

    def play_at(self, heard: Heard, seconds: float) -> None:
        """Play a song from a time on; what plays goes there."""
        if self.heard == heard:
            self.seek(seconds)
            return
        self._start_seconds = seconds
        self.play_or_pause(heard)

    def play_or_pause(self, heard: Heard) -> None:
        """Play a song from its beginning, or the one that was played on, or pause it."""
        if self.heard == heard:
            self._do(self.player.toggle())
            return
        self.heard = heard
        self._do(self._begin(heard))

    async def _begin(self, heard: Heard) -> None:
        assert heard.first is not None
        files = Files(heard.first, heard.original, self.gain_db, self.gain_db)
        await self.player.load(files, start_seconds=self._start_seconds)
        self._start_seconds = 0.0
        await self.player.switch("a")
        await self.player.play()

    def pause(self) -> None:
        """Stop at this position."""
        if self.playing:
            self._do(self.player.pause())

    def switch(self) -> None:
        """Hear the original in place of the cover, or back."""
        self._do(self.player.switch())

    def seek(self, seconds: float) -> None:
        """Go to a time."""
        self._do(self.player.seek(seconds))

    def move(self, turns: int) -> None:
        """Go on, or back, by five seconds each."""
        self.seek(max(0.0, self.seconds + turns * _SEEK_SECONDS))

    def louder(self, steps: int) -> None:
        """Change the level of listening; never above that of the file."""
        self.gain_db = min(max(self.gain_db + steps * STEP_DB, QUIETEST_DB), LOUDEST_DB)
        if self.heard is not None:
            self._do(self.player.set_gains(self.gain_db, self.gain_db))
        self._changed()
