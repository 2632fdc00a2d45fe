"""Starting the jobs of a board and listening to them.

The children run one render after another, heard on the app's event loop. A child is never a fork of the app and holds
no part of its terminal: whatever it does, the screen stays whole.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import CovermakerError, ResourceError
from covermaker.graph import events
from covermaker.graph.events import from_json
from covermaker.jobs.launch import COMMAND, death
from covermaker.jobs.spawn import kill, spawn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from covermaker.graph.events import Event
    from covermaker.tui.job_board import Job, JobBoard

GRACE_SECONDS: Final = 3.0


class JobRunner:
    """Starts the jobs of a board, one at a time of each kind, and listens to them.

    Parameters
    ----------
    board : JobBoard
        Fed from here.
    on_change : callable
        Called on the event loop after everything that is new; may be called often, so coalesce.
    on_end : callable
        Called once with each job that ended.
    command : sequence of str
        What is started; tests give a child of their own.
    """

    def __init__(
        self,
        board: JobBoard,
        on_change: Callable[[], None],
        on_end: Callable[[Job], None],
        *,
        command: Sequence[str] = COMMAND,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.board = board
        self._on_change = on_change
        self._on_end = on_end
        self._command = tuple(command)
        self._clock = clock
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._stopping: set[int] = set()
        self._closed = False

    def submit(self, kind: str, title: str, subject: str, request: Mapping[str, Any], log: Path) -> Job:
        """Queue a job; it starts at once when none of its kind runs."""
        job = self.board.add(kind, title, subject, request, log)
        self._next()
        return job

    def cancel(self, job: Job) -> None:
        """Take a job out of the queue, or stop its process: at once on the screen, within seconds in fact."""
        if job.is_over or job.id in self._stopping:
            return
        if job.state == "wait":
            self.board.ended(job, self._clock(), error=None, stopped=True)
            self._on_end(job)
            self._on_change()
            return
        self._stopping.add(job.id)
        job.message = "stopping"
        child = self._children.get(job.id)
        if child is not None:
            _interrupt(child)
            asyncio.get_running_loop().call_later(GRACE_SECONDS, kill, child)
        self._on_change()

    def retry(self, job: Job) -> Job:
        """Do again, at the end of the queue, what failed or was stopped."""
        if not job.is_over:
            return job
        new = self.board.again(job)
        self._next()
        return new

    def hold(self, kind: str) -> None:
        """Begin no more jobs of a kind; the one that runs is finished."""
        self.board.held.add(kind)
        self._on_change()

    def release(self, kind: str) -> None:
        """Begin jobs of a kind again."""
        self.board.held.discard(kind)
        self._next()

    async def close(self, grace_seconds: float = 0.5) -> None:
        """Stop everything before the app ends. Finished steps are kept."""
        self._closed = True
        children = list(self._children.values())
        self._stopping.update(self._tasks)
        for child in children:
            _interrupt(child)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace_seconds)
        for child in children:
            kill(child)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace_seconds)

    def kill_all(self) -> None:
        """End every child without waiting: the terminal is gone."""
        self._closed = True
        self._stopping.update(self._tasks)
        for child in self._children.values():
            kill(child)

    def _next(self) -> None:
        """Start every waiting job whose kind has nothing running."""
        if self._closed:
            return
        busy = {job.kind for job in self.board.running} | self.board.held
        for job in self.board.waiting:
            if job.kind not in busy:
                busy.add(job.kind)
                self.board.began(job, self._clock())
                task = asyncio.create_task(self._run(job), name=f"job {job.id}")
                self._tasks[job.id] = task
        self._on_change()

    async def _run(self, job: Job) -> None:
        error: CovermakerError | None
        try:
            error = await self._listen(job)
        except CovermakerError as raised:
            error = raised
        except OSError as raised:
            error = ResourceError(f"the job cannot be started: {raised.strerror or raised}")
        except Exception as raised:  # a defect of ours must not leave a job that runs for ever
            error = CovermakerError(f"a defect in Covermaker: {type(raised).__name__}: {raised}")
        finally:
            kill(self._children.pop(job.id, None))  # one that still runs is heard by nobody any more
            self._tasks.pop(job.id, None)
        if error is not None:
            _note_end(job.log, error)
        self.board.ended(job, self._clock(), error=error, stopped=job.id in self._stopping)
        self._on_end(job)
        self._next()

    async def _listen(self, job: Job) -> CovermakerError | None:
        """Start the child and feed the board until it is gone; returns what went wrong."""
        child = await spawn(self._command, job.log)
        self._children[job.id] = child
        assert child.stdin is not None
        assert child.stdout is not None
        if job.id in self._stopping:
            _interrupt(child)
        failed: events.Failed | None = None
        with suppress(BrokenPipeError, ConnectionResetError):  # it died at once: what follows says how
            child.stdin.write(json.dumps(dict(job.request)).encode() + b"\n")
            await child.stdin.drain()
        async for line in child.stdout:
            event = self._heard(job, line)
            if isinstance(event, events.Failed):
                failed = event
            self._on_change()
        status = await child.wait()
        child.stdin.close()
        if failed is not None:
            return failed.as_error()
        if status == 0 and job.result:
            return None
        return death(status, job.log)

    def _heard(self, job: Job, line: bytes) -> Event | None:
        """Feed the board with a line; what is no event goes to the log."""
        now = self._clock()
        try:
            event = from_json(line.decode("utf-8", "replace"))
        except ValueError:
            self.board.note(job, now, line.decode("utf-8", "replace").rstrip())
            return None
        self.board.feed(job, event, now)
        return event


def _note_end(log: Path, error: CovermakerError) -> None:
    """Write why a job failed into its log where its child wrote nothing: whoever is sent there finds it."""
    with suppress(OSError):
        if not log.stat().st_size:
            log.write_text("\n".join(filter(None, (error.message, error.hint))) + "\n", encoding="utf-8")


def _interrupt(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.send_signal(signal.SIGINT)
