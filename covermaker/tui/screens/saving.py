"""A screen that changes a project's document: each edit is saved behind what is shown, told in words, undone."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from covermaker.project.edits import Conflict
from covermaker.tui.ask import Ask
from covermaker.tui.project_edits import EditQueue
from covermaker.tui.screens.base import StudioScreen
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from covermaker.errors import CovermakerError
    from covermaker.project.saving import Applied

_LAST_SECONDS = 2.0
_GESTURE_SECONDS = 2.0
_RISING_SECONDS = 1.0


class SavingScreen(StudioScreen, inherit_bindings=False):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.edits = EditQueue(self._saved, self._not_saved)
        self._gesture = ("", 0.0, 0)
        self._refused: list[str] = []
        self._conflicts: list[tuple[Conflict, Path, Callable[[], None]]] = []  # not answered yet
        self._is_asking = False

    # What a screen does of its own

    def was_saved(self, done: Applied) -> None:
        """Take over what was saved."""

    def was_refused(self) -> None:
        """Show the document as it is on the disk, without what could not be saved."""

    def read_again(self) -> None:
        """Read the document anew."""

    # What all do

    def gesture_of(self, place: str) -> str:
        """Return a name for changes of one place that follow each other closely: they are undone together."""
        now = time.monotonic()
        before, when, number = self._gesture
        if before != place or now - when > _GESTURE_SECONDS:
            number += 1
        self._gesture = (place, now, number)
        return f"{place} {id(self)} {number}"

    def _is_open(self, root: Path) -> bool:
        return self.edits.project is not None and self.edits.project.root == root

    def _of(self, root: Path) -> str:
        """Name a project that is not the open one any more."""
        return "" if self._is_open(root) else f"{one_line(root.name)}: "

    def _saved(self, done: Applied) -> None:
        root = done.project.root
        merged = f"; also changed on disk: {'; '.join(done.merged)}" if done.merged else ""
        self.app.say(self._of(root) + done.words + merged)
        self.app.tell_saved(done.project, self)
        if self._is_open(root):
            self.was_saved(done)

    def _not_saved(self, error: CovermakerError, root: Path, anyway: Callable[[], None]) -> None:
        words = f"{self._of(root)}{error}"
        self.app.say(words, "failed")
        if self._is_open(root):
            self.was_refused()
        if isinstance(error, Conflict):
            self._conflicts.append((error, root, anyway))
            self._ask_next()
        else:
            self._refused.append(words)

    async def on_screen_resume(self) -> None:
        """Ask what came up while another screen, or a dialog, was in front."""
        self._ask_next()

    def _ask_next(self) -> None:
        """Ask about a conflict: on the screen whose edit it was, one after the other."""
        if not self._conflicts or self._is_asking or not self.is_active:
            return
        self._is_asking = True
        error, root, anyway = self._conflicts[0]

        def answered(yes: bool | None) -> None:
            self._is_asking = False
            del self._conflicts[0]
            if yes:
                anyway()
            elif self._is_open(root):
                self.read_again()
            self.call_later(self._ask_next)

        question = (
            f"{self._of(root)}{error.theirs} (on disk, meanwhile)\n\nDo it all the same: {error.yours}?"
        )
        self.app.push_screen(Ask(question, yes="Do it", no="Leave it"), answered)

    # Leaving

    async def finish(self) -> list[str]:
        """Wait until the edits are saved."""
        until = time.monotonic() + _RISING_SECONDS
        while self._is_rising() and time.monotonic() < until:
            await asyncio.sleep(0)
        self._refused.clear()
        await self.edits.finish()
        return [*self._refused, *(str(error) for error, _, _ in self._conflicts)]

    def _is_rising(self) -> bool:
        """Whether what the last keys asked for is still on its way to here, from the queue of a widget to the next."""
        nodes = self.walk_children(with_self=True)
        return any(node.message_queue_size or node._pending_message for node in nodes)

    def save_now(self, seconds: float) -> None:
        """Save what waits."""
        self.edits.save_now(seconds)

    async def on_unmount(self) -> None:
        """Lose nothing, however the screen comes to its end."""
        self.save_now(_LAST_SECONDS)

    def undo_words(self) -> str:
        """Return what undo takes back."""
        return self.edits.undo_words if self.edits.project is not None else ""

    def redo_words(self) -> str:
        """Return what redo does again."""
        return self.edits.redo_words if self.edits.project is not None else ""

    def undo(self) -> None:
        """Take the last edit back."""
        self.edits.undo()

    def redo(self) -> None:
        """Do again what was undone."""
        self.edits.redo()
