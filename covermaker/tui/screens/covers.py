"""Hearing the covers of a queue: what was made of the selected song, and the song itself to hold it against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.tui.library_sound import LibrarySound
from covermaker.tui.screens.base import StudioScreen

if TYPE_CHECKING:
    from covermaker.render.hearable import Hearable


class CoversScreen(StudioScreen, inherit_bindings=False):
    """A screen on which covers are played."""

    _sound: LibrarySound | None = None

    def heard(self) -> Hearable | None:
        """Return what can be heard of the selected song."""
        raise NotImplementedError

    def sound_changed(self) -> None:
        """Show what is heard now."""

    @property
    def sound_words(self) -> str:
        """What of the selected song is heard, and where; "" where nothing is."""
        sound, heard = self._sound, self.heard()
        if sound is None or sound.heard is None or heard is None or sound.heard.folder != heard.folder:
            return ""
        return self.app.spelt(sound.words)

    async def on_unmount(self) -> None:
        """End the audio process with the screen."""
        if self._sound is not None:
            await self._sound.close()

    def no_play(self) -> str | None:
        """Say why nothing can be heard."""
        if self.app.is_web:
            return "in a browser there is no sound"
        return None if self.heard() is not None else "there is no cover of it yet"

    def no_switch(self) -> str | None:
        """Say why there is nothing to hold a cover against."""
        if self._sound is None or self._sound.heard is None:
            return "nothing is played: {batch.play} plays the cover"
        return None if self._sound.heard.original is not None else "its song is not there to hold it against"

    def action_play(self) -> None:
        """Play the cover, or pause."""
        heard = self.heard()
        if heard is None:
            return
        if self._sound is None:
            log = heard.folder / ".covermaker" / "audio.log"
            self._sound = LibrarySound(log, self.app.ears(self._heard_another))
        self.app.silence(self)
        self._sound.play_or_pause(heard)

    def _heard_another(self) -> None:
        if self.is_mounted and self.is_current:
            self.sound_changed()

    def action_switch(self) -> None:
        """Hear the song in place of the cover, or back."""
        if self._sound is not None:
            self._sound.switch()

    def pause(self) -> None:
        """Stop playing: another screen begins to."""
        if self._sound is not None:
            self._sound.pause()
