"""Edits of the open project: saved one after the other on a thread, in the order in which they were made."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from covermaker.errors import CovermakerError
from covermaker.project import history
from covermaker.project.edits import apply
from covermaker.project.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
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
        Gets what each edit did; its project need not be the open one any more.
    on_problem : callable
        Gets what was refused, of which project, and how to do it nevertheless, which is for a `Conflict` only.
    """

    def __init__(
        self,
        on_saved: Callable[[Applied], None],
        on_problem: Callable[[CovermakerError, Path, Callable[[], None]], None],
    ) -> None:
        self._saved, self._problem = on_saved, on_problem
        self.project: Project | None = None
        self.undo_words = self.redo_words = ""
        self._waiting: deque[tuple[Path, Act, Act]] = deque()
        self._is_remembered = False  # whether those words are of the document as it is now
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "edits")

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
        self.project, self._is_remembered = project, False
        self._start()

    def put(self, edit: Edit, *, gesture: str | None = None, sings: bool = False) -> None:
        """Save an edit; of one that `sings`, how the voice is told to sing is judged too."""
        judge = _judge_singing if sings else _judge
        self._queue(
            lambda project: apply(project, edit, judge=judge, gesture=gesture),
            lambda project: apply(load(project.root), edit, judge=judge, gesture=gesture),
        )

    def undo(self) -> None:
        """Take the last edit back."""
        self._queue(history.undo, lambda project: history.undo(project, anyway=True))

    def redo(self) -> None:
        """Do again what was taken back."""
        self._queue(history.redo, lambda project: history.redo(project, anyway=True))

    async def finish(self) -> None:
        """Wait until everything is saved, or was refused."""
        while self._task is not None:
            await asyncio.wait({self._task})

    def save_now(self, seconds: float) -> None:
        """Save what waits, within so many seconds, while the studio ends: nobody can be told or asked any more."""
        todo = [(root, act) for root, act, _ in self._waiting]
        self._waiting.clear()
        if todo or self.is_busy:
            wait([self._thread.submit(_save_all, todo)], seconds)

    def _queue(self, act: Act, anyway: Act) -> None:
        if self.project is not None:
            self._put(self.project.root, act, anyway)

    def _put(self, root: Path, act: Act, anyway: Act) -> None:
        self._waiting.append((root, act, anyway))
        self._start()

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="edits")

    async def _work(self) -> None:
        """Work until nothing is left to do, also of what came up during the last of it."""
        try:
            while self._waiting or not self._is_remembered:
                if self._waiting:
                    await self._save(*self._waiting.popleft())
                else:
                    await self._remember()
        finally:
            self._task = None

    async def _save(self, root: Path, act: Act, anyway: Act) -> None:
        self._is_remembered = False
        try:
            await self._do(root, act)
        except CovermakerError as error:
            self._refused(error, root, anyway)
        except Exception as error:  # a defect of ours must not keep the edits behind it from the disk
            words = f"a defect in Covermaker: {type(error).__name__}: {error}"
            self._refused(CovermakerError(words), root, anyway)

    def _refused(self, error: CovermakerError, root: Path, anyway: Act) -> None:
        self._problem(error, root, lambda: self._put(root, anyway, anyway))

    async def _do(self, root: Path, act: Act) -> None:
        """Save one edit; also of a project that is not the open one any more."""
        project = self.project
        if project is None or project.root != root:
            self._saved(await self._on_thread(lambda: act(load(root))))
            return
        done = await self._on_thread(lambda: act(project))
        if self.project is project:
            self.project = done.project
        await self._remember()
        self._saved(done)

    async def _on_thread(self, act: Callable[[], Applied]) -> Applied:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    async def _remember(self) -> None:
        """Ask what undo and redo would do now."""
        project, self._is_remembered = self.project, True
        if project is None:
            return
        try:
            stacks = await asyncio.to_thread(history.history, project)
        except CovermakerError:
            return  # the document is told of by whoever watches it
        self.undo_words = stacks.done[-1].words if stacks.done else ""
        self.redo_words = stacks.undone[-1].words if stacks.undone else ""


def _judge(project: Project) -> None:
    """Refuse what would not sound: effects, sends in a circle; on the thread, where it is imported, too."""
    from covermaker.render.judge import judge_desk

    judge_desk(project)


def _judge_singing(project: Project) -> None:
    """Refuse settings that the voice has not, beside what would not sound."""
    from covermaker.render.judge import judge_singing

    _judge(project)
    judge_singing(project)


def _save_all(todo: Sequence[tuple[Path, Act]]) -> None:
    for root, act in todo:
        with suppress(Exception):  # the rest may still be saved, and nobody can be told
            act(load(root))
