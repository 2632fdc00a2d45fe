"""Hearing songs from the list: the last render or the original, with its wave where there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.containers import Container

from covermaker.errors import CovermakerError
from covermaker.render.hearable import hearable_of
from covermaker.tui import project_model
from covermaker.tui.library_sound import LibrarySound
from covermaker.tui.screens.shelving import ShelvingScreen
from covermaker.tui.songlist import Details
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from textual.timer import Timer

    from covermaker.render.hearable import Hearable
    from covermaker.tui.library_wave import SongWave
    from covermaker.tui.widgets.pyramid import Pyramid
    from covermaker.tui.widgets.waveform import Waveform

# The cursor rests so long on a song before its wave is drawn: that reads the whole file.
_REST_SECONDS = 0.4


class AuditioningScreen(ShelvingScreen, inherit_bindings=False):
    """A list of songs that can be heard."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._sound: LibrarySound | None = None
        self._rest: Timer | None = None
        self._wave: SongWave | None = None
        self._wanted: Hearable | None = None
        self._drawn: Hearable | None = None
        self._is_drawing = False
        self._was_playing = False

    @property
    def sound(self) -> LibrarySound:
        """The player; there is no audio process before something is played."""
        if self._sound is None:
            log = self.root / ".covermaker" / "audio.log"
            self._sound = LibrarySound(log, self.app.ears(self._sound_changed))
        return self._sound

    def heard(self) -> Hearable:
        """Return what of the song under the cursor can be heard."""
        folder = self.selected or self.root
        return hearable_of(folder, self.shelf.states.get(folder))

    async def on_unmount(self) -> None:
        """End the audio process with the screen."""
        if self._sound is not None:
            await self._sound.close()

    # Showing

    def show_hearing(self) -> None:
        """Say what is heard of the song under the cursor, and have its wave drawn when the cursor rests."""
        self._write_hearing()
        heard = self.heard()
        if heard != self._wanted:
            self._wanted = heard
            if self._rest is not None:
                self._rest.stop()
            self._rest = self.set_timer(_REST_SECONDS, self._want_wave)

    def _write_hearing(self) -> None:
        box, heard = self.query_one("#hearing", Container), self.heard()
        words = self.app.spelt(self._heard_words())
        song = self.shelf.songs.get(heard.folder)
        title = one_line(song.title) if song is not None else ""
        # Said once: at the wave, or, where there is no room for it, at the details.
        self.query_one(Details).frame(title or "Details", "" if box.display else words)
        of = "" if heard.first is None else ", last render" if heard.cover else ", original"
        key = "" if heard.first is None else self.app.named("{library.play} plays it")
        for attribute, text in (("border_title", title + of), ("border_subtitle", words or key)):
            plain = text.replace("[", "\\[")
            if getattr(box, attribute) != plain:
                setattr(box, attribute, plain)

    def _heard_words(self) -> str:
        """Say what is heard, and of another song than the one under the cursor, which."""
        heard = self.sound.heard
        if heard is None or heard.folder == self.selected:
            return self.sound.words
        song = self.shelf.songs.get(heard.folder)
        return (
            f"{one_line(song.title)}  {self.sound.words}" if song is not None and self.sound.playing else ""
        )

    def _sound_changed(self) -> None:
        if not self.is_current or not self.query("#hearing"):  # gone already, while the studio closes
            return
        self._write_hearing()
        self._place_playhead()
        if self.sound.playing != self._was_playing:
            self._was_playing = self.sound.playing
            self.refresh_bindings()

    def _place_playhead(self) -> None:
        heard = self.sound.heard
        if self._wave is not None:
            here = heard is not None and heard.folder == self.selected
            self._wave.position = self.sound.seconds if here else 0.0

    # The wave

    def _want_wave(self) -> None:
        heard = self._wanted
        if (
            self._is_drawing
            or heard is None
            or heard == self._drawn
            or not self.query_one("#hearing").display
        ):
            return
        if heard.first is None:
            self._drawn = heard
            if self._wave is not None:
                self._wave.show_sound(None)
            return
        self._is_drawing = True
        self._draw(heard, heard.first)

    @work(thread=True, group="library-wave", exit_on_error=False)
    def _draw(self, heard: Hearable, file: Path) -> None:
        """Read a file's peaks; one file at a time, however fast the cursor goes."""
        try:
            peaks = project_model.peaks_of(file)
        except CovermakerError:
            peaks = None
        self.call_later(self._was_drawn, heard, peaks)

    async def _was_drawn(self, heard: Hearable, peaks: Pyramid | None) -> None:
        self._is_drawing = False
        if not self.is_mounted or heard != self._wanted:
            self._want_wave()
            return
        if self._wave is None:
            from covermaker.tui.library_wave import SongWave

            self._wave = SongWave(id="song-wave")
            await self.query_one("#hearing").mount(self._wave)
        self._drawn = heard
        self._wave.show_sound(peaks)
        self._place_playhead()

    def on_waveform_sought(self, message: Waveform.Sought) -> None:
        """Play from where the wave was clicked."""
        self.app.silence(self)
        self.sound.play_at(self.heard(), message.seconds)

    # Actions

    def action_play(self) -> None:
        """Play the song, or pause."""
        self.app.silence(self)
        self.sound.play_or_pause(self.heard())

    def pause(self) -> None:
        """Stop playing: another screen begins to."""
        if self._sound is not None:
            self._sound.pause()

    def action_switch(self) -> None:
        """Hear the original in place of the cover, or back."""
        self.sound.switch()

    def action_rewind(self) -> None:
        """Go back five seconds."""
        self.sound.move(-1)

    def action_forward(self) -> None:
        """Go on by five seconds."""
        self.sound.move(1)

    def action_quieter(self) -> None:
        """Listen at a lower level."""
        self.sound.louder(-1)
        self._say_level()

    def action_louder(self) -> None:
        """Listen at a higher level."""
        self.sound.louder(1)
        self._say_level()

    def _say_level(self) -> None:
        level_db = self.sound.gain_db
        self.app.say(f"listening at {level_db:g} dB" if level_db else "listening at the level of the file")
