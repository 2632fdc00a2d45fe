"""Voices thrown away on the Voices screen, and brought back: the trash lies in the library of voices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on, work
from textual.message import Message

from covermaker.errors import CovermakerError
from covermaker.project.library import Trash
from covermaker.tui.voices_jobs import Change
from covermaker.tui.voices_models import ModelVoices
from covermaker.tui.words import one_line
from covermaker.voices.library import user_library

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.project.library import Trashed


class RemovingVoices(ModelVoices, inherit_bindings=False):
    """See the module."""

    @dataclass
    class Moved(Message):
        """A voice went into the trash, or came back, or neither."""

        folder: Path
        gone: Trashed | None
        is_new: bool
        problem: str = ""

    def __init__(self) -> None:
        super().__init__()
        self._gone: dict[Path, Trashed | None] = {}  # what lies in the trash by where it was

    def no_remove(self) -> str | None:
        """Say why a voice cannot be thrown away."""
        whole = self.whole
        if whole is None or not whole.row.is_ours:
            return "a shipped voice stays"
        if whole.row.place != "library":
            return "it is the open project's own: remove its folder by hand"
        if whole.watched.status == "running" or self.busy("train"):
            return "it is in training: {voices.stop} stops it"
        if self.busy("take-in", "scan", "import-voice", "export-voice", "audition", "promote"):
            return "something is at work in its folder: {voices.cancel} cancels"
        return None

    def action_remove(self) -> None:
        """Move the voice into the trash."""
        if self.whole is not None:
            self.pause()
            self._throw_away(self.whole.row.folder)

    @work(thread=True, group="voices-remove", exit_on_error=False)
    def _throw_away(self, folder: Path, is_new: bool = True) -> None:
        from covermaker.takes.lock import changing
        from covermaker.training.lock import kept_out

        try:
            with changing(folder), kept_out(folder):
                gone = Trash(user_library()).remove(folder, title=folder.name)
            self.post_message(self.Moved(folder, gone, is_new))
        except CovermakerError as error:
            self.post_message(self.Moved(folder, None, is_new, str(error)))

    @work(thread=True, group="voices-remove", exit_on_error=False)
    def _bring_back(self, folder: Path, gone: Trashed) -> None:
        try:
            Trash(user_library()).restore(gone)
            self.post_message(self.Moved(folder, None, False))
        except CovermakerError as error:
            self.post_message(self.Moved(folder, None, False, str(error)))

    @on(Moved)
    def _moved_voice(self, message: Moved) -> None:
        folder, gone = message.folder, message.gone
        name = one_line(folder.name)
        if not message.is_new:
            self._gone[folder] = gone or self._gone.get(folder)
            self.turned(is_done=not message.problem)
        if message.problem:
            self.app.say(message.problem, "failed")
        elif gone is None:
            self._wants = folder
            self.app.say(f"{name} is back")
        else:
            songs = [one_line(song.title) for song in self.app.songs if song.voice == folder.name]
            needed = f"; needed by {', '.join(songs[:3])}" if songs else ""
            self.app.say(f"{name} is in the trash{needed}", "stale" if songs else "quiet")
        if gone is not None and message.is_new:
            self._gone[folder] = gone
            self.remember(
                Change(
                    f"removed {name}",
                    lambda: self._restore(folder),
                    lambda: self._throw_away(folder, False),
                )
            )
        self.look()

    def _restore(self, folder: Path) -> None:
        gone = self._gone.get(folder)
        if gone is not None:
            self._bring_back(folder, gone)
