"""Choosing who sings a song, of all the voices that there are, and setting how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from covermaker.project.edits import Conflict, ResetValue, SetValue
from covermaker.project.splice import has_comment
from covermaker.tui.choose import choose
from covermaker.tui.project_desk import Desking
from covermaker.tui.singing import SingingScreen
from covermaker.tui.singing_model import Singer, settings, singer_of, singing_of
from covermaker.tui.voices_model import STATES, Voices

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from covermaker.errors import CovermakerError
    from covermaker.project.load import Project
    from covermaker.project.operations import Edit
    from covermaker.project.saving import Applied
    from covermaker.tui.voices_model import VoiceRow


class VoiceChoosing(Desking, inherit_bindings=False):
    """A screen of a project on which its voice is chosen, and told how to sing."""

    def __init__(self) -> None:
        super().__init__()
        self._singing: SingingScreen | None = None
        self._singer: Singer | None = None

    def action_voice(self) -> None:
        """Offer the voices."""
        if self.folder is not None:
            self._find_voices(self.folder)

    @work(thread=True, exclusive=True, group="project-voices", exit_on_error=False)
    def _find_voices(self, folder: Path) -> None:
        self.app.call_from_thread(self._offer_voices, folder, Voices().look(folder))

    def _offer_voices(self, folder: Path, rows: list[VoiceRow]) -> None:
        # Of two with one name the first is the one that the project finds.
        by_name = {row.name: row for row in reversed(rows) if row.card is not None and not row.problem}
        offered = [
            (name, f"{by_name[name].place}, {STATES[by_name[name].state][1]}") for name in sorted(by_name)
        ]

        def chosen(name: str) -> None:
            if self.folder == folder:
                self.edits.put(SetValue("voice.name", name))

        choose(self.app, "who sings", offered, chosen)

    # How it sings

    def action_singing(self) -> None:
        """Show and change how the voice sings."""
        project = self.edits.project
        if project is None:
            return
        trained = project.cover.voice.train is not None
        name = "the voice that is trained" if trained else project.cover.voice.name
        dialog = SingingScreen(name, self._put_singing, self._turn)
        dialog.take(singing_of(project.cover, None))
        self._singing, self._singer = dialog, None
        self.app.push_screen(dialog, lambda _: self._forget_singing())
        self._find_singer(project)

    def _put_singing(self, edit: Edit, place: str | None) -> None:
        gesture = self.gesture_of(place) if place else None
        self.edits.put(self._keeping_comment(edit), gesture=gesture, sings=True)

    def _keeping_comment(self, edit: Edit) -> Edit:
        """Return an edit that writes a default down where taking its line out would take a person's comment along."""
        project = self.edits.project
        if not isinstance(edit, ResetValue) or project is None:
            return edit
        path = tuple(edit.path.split("."))
        if not has_comment(project.document.text, path):
            return edit
        default = next(one.default for one in settings() if one.place == edit.path)
        return edit if default in (None, {}) else SetValue(edit.path, default)

    def _turn(self, forth: bool) -> None:
        if forth and self.redo_words():
            self.redo()
        elif not forth and self.undo_words():
            self.undo()

    def _forget_singing(self) -> None:
        self._singing = None

    @work(thread=True, exclusive=True, group="project-singer", exit_on_error=False)
    def _find_singer(self, project: Project) -> None:
        self.app.call_from_thread(self._found_singer, singer_of(project.cover, project.root))

    def _found_singer(self, singer: Singer | None) -> None:
        self._singer = singer
        self.show_singing()

    def show_singing(self) -> None:
        """Show in the dialog how the voice is told to sing now."""
        if self._singing is not None and self.edits.project is not None:
            self._singing.take(singing_of(self.edits.project.cover, self._singer))

    def show_saved(self, done: Applied) -> None:
        """Show what was saved; a value that was typed in the dialog has arrived."""
        super().show_saved(done)
        if self._singing is not None:
            self._singing.saved()

    def _not_saved(self, error: CovermakerError, root: Path, anyway: Callable[[], None]) -> None:
        """Say what was refused: in the dialog, where it was asked for there."""
        dialog = self._singing
        if dialog is None or isinstance(error, Conflict) or root != self.folder:
            super()._not_saved(error, root, anyway)
            return
        self.was_refused()
        self.show_singing()
        dialog.refused(str(error))
