"""Hearing presets on the open song, on the screen that shows them."""

from __future__ import annotations

from textual import on
from textual.events import ScreenResume

from covermaker.effects.preset_edits import changes_of
from covermaker.effects.presets import load_preset
from covermaker.errors import CovermakerError
from covermaker.jobs.launch import COMMAND
from covermaker.render.previewing import heard_on
from covermaker.tui.listing import Listing
from covermaker.tui.presets_model import stretch_words
from covermaker.tui.presets_shelf import PresetsShelf
from covermaker.tui.presets_sound import Trial
from covermaker.tui.stretch import open_stretch, song_seconds

_SETTLE_SECONDS = 0.3  # the cursor stays so long on a preset before it is heard


class PresetsHearing(PresetsShelf, inherit_bindings=False):
    """The presets with their sound."""

    def __init__(self) -> None:
        super().__init__()
        self.trial: Trial | None = None
        self._loop: tuple[float, float] | None = None

    @on(ScreenResume)
    async def _leave_other_song(self) -> None:
        """Let go of the song that was open, and of the loop, which may be another by now."""
        self._loop = None
        if self.trial is not None and self.app.project != self.trial.folder:
            await self._close_trial()

    def on_screen_suspend(self) -> None:
        """Hear nothing of it elsewhere."""
        if self.trial is not None:
            self.trial.rest()

    def pause(self) -> None:
        """Stop the sound."""
        if self.trial is not None and self.trial.is_on:
            self.trial.stop()

    async def on_unmount(self) -> None:
        """End the processes with the screen."""
        await self._close_trial()

    async def _close_trial(self) -> None:
        trial, self.trial = self.trial, None
        if trial is not None:
            await trial.close()

    def _heard_words(self) -> str:
        trial = self.trial
        if trial is None or trial.loop is None or not trial.words():
            return ""
        return self.app.spelt(f"► {stretch_words(trial.loop)}  {trial.words()}")

    @on(Listing.Moved)
    def _follow(self) -> None:
        """Hear the preset that the cursor goes to, while one is heard."""
        if self.trial is not None and self.trial.is_on:
            self.set_timer(_SETTLE_SECONDS, self._hear_settled)

    def no_hear(self) -> str | None:
        """Say why a preset cannot be heard."""
        if self.app.is_web:
            return "in a browser there is no sound"
        return self.no_preset() or self.no_song()

    def no_switch(self) -> str | None:
        """Say why there is no other side."""
        on_ = self.trial is not None and self.trial.player.playing
        return None if on_ else "nothing is heard: {presets.hear} hears the preset"

    # Hearing

    def action_hear(self) -> None:
        """Hear the preset, or pause."""
        if (
            self.trial is not None
            and self.trial.is_on
            and self.trial.name == getattr(self._entry, "name", "")
        ):
            self.trial.stop()
        else:
            self._hear()

    def _hear_settled(self) -> None:
        """Hear the preset that the cursor has come to, while one is heard."""
        entry = self._entry
        if self.trial is None or not self.trial.is_on or entry is None or entry.name == self.trial.name:
            return
        if self.no_hear():
            self.trial.stop()
        else:
            self._hear()

    def _hear(self) -> None:
        entry, project = self._entry, self.project
        if entry is None or project is None:
            return
        if self.trial is None:
            self.trial = Trial(
                project.root,
                self.app.ears(self._sound_changed),
                command=COMMAND,
                device=self.app.settings.device,
            )
        self.app.silence(self)
        try:
            changes = changes_of(load_preset(entry.kind, entry.name), project, self._track)
        except CovermakerError as error:
            self.app.say(str(error), "failed")
            return
        if entry.kind == "masters":
            without = ", not the match" if project.cover.master.match else ""
            self.app.say(f"A and B are equally loud: heard are the master's effects and its limiter{without}")
        self.trial.hear(entry.name, heard_on(entry.kind), self._stretch(), changes)

    def _sound_changed(self) -> None:
        if self.is_mounted and self.is_current:
            self._show_details()
            self.refresh_bindings()

    def _stretch(self) -> tuple[float, float]:
        """Return what is heard: the loop of another screen, or eight seconds from its playhead, or of the song."""
        if self._loop is not None:
            return self._loop
        self._loop = open_stretch(self.app, self, self._folder)
        return self._loop

    def action_back(self) -> None:
        """Hear an earlier stretch."""
        self._shift(-1)

    def action_forward(self) -> None:
        """Hear a later stretch."""
        self._shift(1)

    def _shift(self, by: int) -> None:
        begin, end = self._stretch()
        length = end - begin
        begin = max(0.0, min(begin + by * length, song_seconds(self.app, self._folder) - length))
        self._loop = (begin, begin + length)
        self.app.say(f"the stretch to hear: {stretch_words(self._loop)}")
        if self.trial is not None and self.trial.is_on:
            self._hear()

    def action_switch(self) -> None:
        """Hear A or B."""
        if self.trial is not None:
            self.trial.switch()
