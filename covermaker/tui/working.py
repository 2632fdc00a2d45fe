"""What the studio does about its jobs and batches: it queues, draws what moves, and says what became of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.css.query import NoMatches
from textual.message import Message

from covermaker.render.ending import forget
from covermaker.tui import batches, toast
from covermaker.tui.batches import Batches
from covermaker.tui.job_board import JobBoard
from covermaker.tui.job_kinds import LISTEN, RENDER
from covermaker.tui.jobs import JobRunner
from covermaker.tui.keyboard import Keyboard
from covermaker.tui.measure import Measurer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.timer import Timer

    from covermaker.tui.job_board import Job
    from covermaker.tui.screens.base import StudioScreen
    from covermaker.tui.screens.library import LibraryScreen

_COALESCE_SECONDS = 0.1


class Working(Keyboard, inherit_bindings=False):
    """See the module."""

    _jobs_timer: Timer | None = None

    class BatchRead(Message):
        """There is something to take over of the batch that is shown."""

        def can_replace(self, message: Message) -> bool:
            """Tell that one of many is enough: all that was read is taken over at once."""
            return isinstance(message, Working.BatchRead)

    @dataclass
    class BatchFound(Message):
        """A batch that a process works on was found."""

        folder: Path

    def employ(self, child: Sequence[str]) -> None:
        """Make the board and what runs jobs; `child` is the command of a process that does one."""
        self.board = JobBoard()
        self.runner = JobRunner(self.board, self.jobs_moved, self._job_ended, command=child)
        self.measurer = Measurer(self._measured)
        self.batches = Batches(self._batch_was_read)

    @property
    def library(self) -> LibraryScreen | None:
        """The library, once it is open."""
        raise NotImplementedError

    def hush(self) -> None:
        """Take back what was said last."""
        raise NotImplementedError

    def front(self) -> StudioScreen | None:
        """Return the screen of the studio that is open."""
        raise NotImplementedError

    def render_project(self, folder: Path, title: str, *, again: str | None = None) -> Job:
        """Queue a render of a project; `again` is a step that is to be made again though it is done."""
        request = {
            "job": RENDER,
            "project": str(folder),
            "device": self.settings.device,
            "again": again,
        }
        return self.runner.submit(RENDER, title, str(folder), request, folder / ".covermaker" / "render.log")

    def listen_to(self, folder: Path, title: str) -> Job:
        """Queue listening to a project's song for its tempo, its bars and its parts."""
        request = {"job": RENDER, "project": str(folder), "device": self.settings.device, "until": "music"}
        log = folder / ".covermaker" / "listen.log"
        return self.runner.submit(LISTEN, title, f"{folder} (music)", request, log)

    def jobs_moved(self) -> None:
        """Draw what is new about jobs, a few times a second at most."""
        if self._jobs_timer is None and self.is_running:
            self._jobs_timer = self.set_timer(_COALESCE_SECONDS, self._draw_jobs)

    def _draw_jobs(self) -> None:
        self._jobs_timer = None
        screen = self.front()
        if screen is not None and screen.is_mounted:
            with suppress(NoMatches):  # on leaving, the panes go before the screen does
                screen.jobs_changed()
                screen.redraw_frame()

    # Batches

    def _batch_was_read(self) -> None:
        """Be told by the thread that reads a batch."""
        self.post_message(self.BatchRead())

    @work(thread=True, exclusive=True, group="batch-look", exit_on_error=False)
    def look_for_batch(self, *, idle: bool = False) -> None:
        """Show a batch that is worked on, or else (`idle`) the last one that is not finished.

        Not where something is shown by a person's wish, or renders are.
        """
        if self._may_turn_to_batch():
            folder = batches.worked_on() or (batches.unfinished() if idle else None)
            if folder is not None:
                self.post_message(self.BatchFound(folder))

    def _may_turn_to_batch(self) -> bool:
        is_free = not self.batches.is_chosen and self.batches.folder is None
        return is_free and not self._has_renders

    @property
    def _has_renders(self) -> bool:
        return any(job.kind == RENDER for job in self.board.jobs.values())

    def leave_idle_batch(self) -> None:
        """Show renders, where there are some, in place of a batch that nobody chose and nobody works on."""
        state = self.batches.state
        is_idle = state is not None and not (state.worked_on or state.is_beginning)
        if is_idle and self._has_renders and not self.batches.is_chosen:
            self.batches.show(None)

    @on(BatchFound)
    def _batch_found(self, message: BatchFound) -> None:
        if self._may_turn_to_batch():
            self.batches.show(message.folder)
            self._draw_batch()

    @on(BatchRead)
    def hear_batches(self) -> None:
        """Take over what was read of a batch, and say what came of what was asked."""
        for answer in self.batches.hear():
            self.say(answer.words, answer.tone)
            screen = self.front()
            if answer.is_news and (screen is None or screen.SCREEN != "batch"):
                self.notify(
                    self.named(answer.words),
                    severity="error" if answer.tone == "failed" else "information",
                    markup=False,
                )
        self._draw_batch()

    def _draw_batch(self) -> None:
        screen = self.front()
        if screen is not None and screen.is_mounted and self.is_running:
            with suppress(NoMatches):
                if screen.SCREEN == "batch":
                    screen.jobs_changed()
                screen.redraw_frame()

    def forget_renders(self) -> None:
        """Let renders that run be no failures: it is we who end them."""
        for job in self.board.running:
            _forget(job)

    def _job_ended(self, job: Job) -> None:
        if job.state == "stopped":
            _forget(job)
        if not self.is_running:
            return
        toast.job_ended(self, job)
        library = self.library
        if library is not None:
            library.look_again(Path(job.subject))

    def _measured(self, folder: Path) -> None:
        library = self.library
        if library is not None and self.is_running:
            library.look_again(folder)


def _forget(job: Job) -> None:
    """Take the note away that a render leaves when it is killed: it was somebody's wish."""
    if job.kind == RENDER:
        forget(Path(job.subject) / ".covermaker")
