"""What the library lets a person hear: the last render of a song, or the song itself, and one against the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.play.client import Files
from covermaker.tui.listening import Listening
from covermaker.tui.words import length, level

if TYPE_CHECKING:
    from covermaker.render.hearable import Hearable

LOUDEST_DB: Final = 0.0
QUIETEST_DB: Final = -48.0
STEP_DB: Final = 3.0
_SEEK_SECONDS: Final = 5.0


class LibrarySound(Listening):
    """The player of the library; see `Listening` for the parameters."""

    heard: Hearable | None = None
    gain_db = LOUDEST_DB

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

    def play_at(self, heard: Hearable, seconds: float) -> None:
        """Play a song from a time on; what plays goes there."""
        if self.heard == heard:
            self.seek(seconds)
        else:
            self._play(heard, seconds)

    def play_or_pause(self, heard: Hearable) -> None:
        """Play a song from its beginning, or the one that was played on, or pause it."""
        if self.heard == heard:
            self._toggle()
        else:
            self._play(heard, 0.0)

    def _play(self, heard: Hearable, seconds: float) -> None:
        if heard.first is None:
            return
        self.heard = heard
        self._want(heard.first)
        self._do(self._load(Files(heard.first, heard.original, self.gain_db, self.gain_db), seconds))

    async def _load(self, files: Files, seconds: float) -> None:
        await self._load_files(files, start_seconds=seconds)
        await self.player.switch("a")

    def _lose(self) -> None:
        super()._lose()
        self.heard = None

    def _died(self) -> None:
        """Go on where it was at the next play: that starts another process."""
        super()._lose()

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
