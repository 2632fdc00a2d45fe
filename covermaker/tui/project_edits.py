"""Edits of the open project: saved one after the other on a thread, in the order in which they were made."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from covermaker.errors import CovermakerError
from covermaker.project import history
from covermaker.project.edits import apply
from covermaker.project.load import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from covermaker.project.load import Project
    from covermaker.project.operations import Edit
    from covermaker.project.saving import Applied

    Act: TypeAlias = Callable[[Project], Applied]


class EditQueue:
    """See the module.

    Parameters
    ----------
    on_saved : callable
        Gets what each edit did.
    on_problem : callable
        Gets what was refused, and how to do it nevertheless, which is for a `Conflict` only.
    """

    def __init__(
        self,
        on_saved: Callable[[Applied], None],
        on_problem: Callable[[CovermakerError, Callable[[], None]], None],
    ) -> None:
        self._saved, self._problem = on_saved, on_problem
        self.project: Project | None = None
        self.undo_words = self.redo_words = ""
        self._waiting: deque[tuple[Path, Act, Act]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be saved."""
        return self._task is not None

    @property
    def is_waiting(self) -> bool:
        """Whether more edits wait behind the one that is being saved."""
        return bool(self._waiting)

    def open(self, project: Project) -> None:
        """Take a project; what was to be saved of another one is saved first."""
        self.project = project
        self._start()

    def put(self, edit: Edit, *, gesture: str | None = None) -> None:
        """Save an edit."""
        self._queue(
            lambda project: apply(project, edit, gesture=gesture),
            lambda project: apply(load(project.root), edit, gesture=gesture),
        )

    def undo(self) -> None:
        """Take the last edit back."""
        self._queue(history.undo, lambda project: history.undo(project, anyway=True))

    def redo(self) -> None:
        """Do again what was taken back."""
        self._queue(history.redo, lambda project: history.redo(project, anyway=True))

    def _queue(self, act: Act, anyway: Act) -> None:
        if self.project is not None:
            self._waiting.append((self.project.root, act, anyway))
            self._start()

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="edits")

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._do(*self._waiting.popleft())
            await self._remember()
        finally:
            self._task = None

    async def _do(self, root: Path, act: Act, anyway: Act) -> None:
        """Save one edit; also of a project that is not the open one any more."""
        project = self.project
        is_open = project is not None and project.root == root
        try:
            if project is None or not is_open:
                await asyncio.to_thread(lambda: act(load(root)))
                return
            done = await asyncio.to_thread(act, project)
        except CovermakerError as error:
            self._problem(error, lambda: self._queue(anyway, anyway) if is_open else None)
            return
        if self.project is project:
            self.project = done.project
        await self._remember()
        if self.project is not None and self.project.root == root:
            self._saved(done)

    async def _remember(self) -> None:
        """Ask what undo and redo would do now."""
        if self.project is None:
            return
        try:
            stacks = await asyncio.to_thread(history.history, self.project)
        except CovermakerError:
            return  # the document is told of by whoever watches it
        self.undo_words = stacks.done[-1].words if stacks.done else ""
        self.redo_words = stacks.undone[-1].words if stacks.undone else ""
