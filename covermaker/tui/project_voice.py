"""Choosing who sings a song, of all the voices that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from covermaker.project.edits import SetValue
from covermaker.tui.choose import choose
from covermaker.tui.project_desk import Desking
from covermaker.tui.voices_model import STATES, Voices

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.tui.voices_model import VoiceRow


class VoiceChoosing(Desking, inherit_bindings=False):
    """A screen of a project on which its voice is chosen."""

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
