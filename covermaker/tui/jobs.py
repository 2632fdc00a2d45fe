"""Jobs of the studio: what is waiting, what runs, what became of it.

`JobBoard` is plain state, fed with the events that a child process tells; it can be replayed from a recording.
`JobRunner` starts the children, one render after another, and listens to them on the app's event loop. A child is
never a fork of the app and holds no part of its terminal: whatever it does, the screen stays whole.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import CovermakerError, ResourceError
from covermaker.graph import events
from covermaker.graph.events import from_json
from covermaker.jobs.launch import death
from covermaker.jobs.spawn import spawn
from covermaker.render.steps import COSTS
from covermaker.tui.words import left, share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from covermaker.graph.events import Event

LOG_LINES: Final = 5000
GRACE_SECONDS: Final = 3.0
_KNOWN_AFTER: Final = 0.05  # share of the work after which the time left is told


@dataclass
class StepState:
    """A step of a job, as it was last heard of."""

    name: str
    kind: str
    state: str = "wait"
    fraction: float = 0.0
    seconds: float | None = None

    @property
    def cost(self) -> float:
        """How long it takes compared with the others."""
        return COSTS.get(self.kind, 1.0)


@dataclass
class Job:
    """One child process, before, while and after it runs.

    Attributes
    ----------
    state : str
        ``"wait"``, ``"run"``, ``"done"``, ``"failed"`` or ``"stopped"``.
    subject : str
        What it works on: the folder of a project.
    """

    id: int
    kind: str
    title: str
    subject: str
    request: Mapping[str, Any]
    log: Path
    state: str = "wait"
    steps: dict[str, StepState] = field(default_factory=dict)
    current: str = ""
    waiting_for_other: bool = False
    started: float | None = None
    ended: float | None = None
    message: str = ""
    hint: str = ""
    notes: list[str] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in {"done", "failed", "stopped"}

    @property
    def fraction(self) -> float:
        """Share of the work that is done, weighed by what the steps cost."""
        if self.state == "done":
            return 1.0
        whole = sum(step.cost for step in self.steps.values() if step.state != "cached")
        return sum(step.cost * step.fraction for step in self.steps.values() if step.state != "cached") / (
            whole or 1.0
        )

    def seconds_left(self, now: float) -> float | None:
        """Return how long it will still take; None while that cannot be known."""
        done = self.fraction
        if self.state != "run" or self.started is None or done < _KNOWN_AFTER:
            return None
        return (now - self.started) * (1.0 - done) / done

    def progress(self, now: float) -> str:
        """Say where it is: ``convert 62 %, 0:20 left``."""
        if self.state == "wait":
            return "waits for its turn"
        step = self.steps.get(self.current)
        if step is None:
            return "starting"
        if self.waiting_for_other:
            return f"{step.name}: another process makes it, waiting"
        words = f"{step.name} {share(step.fraction)}"
        remaining = left(self.seconds_left(now))
        return f"{words}, {remaining}" if remaining else words


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the full log; `tone` is a state's name or empty."""

    when: float
    title: str
    text: str
    tone: str = ""


class JobBoard:
    """All jobs of this session and the log of what they said. Knows no process and no clock."""

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.logged = 0

    def add(self, kind: str, title: str, subject: str, request: Mapping[str, Any], log: Path) -> Job:
        """Put a job at the end of the queue."""
        job = Job(len(self.jobs) + 1, kind, title, subject, request, log)
        self.jobs[job.id] = job
        return job

    def of(self, subject: str) -> Job | None:
        """Return the job of a subject that runs, waits, or was the last to end; in this order."""
        found = [job for job in self.jobs.values() if job.subject == subject]
        for state in ("run", "wait"):
            for job in found:
                if job.state == state:
                    return job
        return found[-1] if found else None

    @property
    def running(self) -> list[Job]:
        """Those that run."""
        return [job for job in self.jobs.values() if job.state == "run"]

    @property
    def waiting(self) -> list[Job]:
        """Those that wait, in their order."""
        return [job for job in self.jobs.values() if job.state == "wait"]

    def began(self, job: Job, now: float) -> None:
        """Note that a job's process was started."""
        job.state, job.started = "run", now
        self.note(job, now, "started")

    def feed(self, job: Job, event: Event, now: float) -> None:
        """Take in what the child said."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, job, event, now)

    def ended(self, job: Job, now: float, *, error: CovermakerError | None, stopped: bool = False) -> None:
        """Note how a job's process ended; None is well."""
        job.ended, job.current = now, ""
        if stopped:
            job.state, job.message, job.hint = "stopped", "stopped", "finished steps are kept"
            self.note(job, now, "stopped: finished steps are kept")
        elif error is None:
            job.state = "done"
            self.note(job, now, "done", "done")
        else:
            job.state, job.message, job.hint = "failed", error.message, error.hint or ""
            self.note(job, now, f"failed: {error}", "failed")

    def note(self, job: Job, now: float, text: str, tone: str = "") -> None:
        """Write a line of the log."""
        self.say(now, job.title, text, tone)

    def say(self, now: float, title: str, text: str, tone: str = "") -> None:
        """Write a line of the log that belongs to no job."""
        self.log.append(LogLine(now, title, text, tone))
        self.logged += 1

    def headline(self, now: float) -> str:
        """Say in a corner of every screen what runs: ``convert 62 %, 0:20 left  2 wait``."""
        parts = [f"{job.title}: {job.progress(now)}" for job in self.running[:1]]
        if len(self.running) > 1:
            parts.append(f"{len(self.running)} jobs")
        if self.waiting:
            parts.append(f"{len(self.waiting)} wait")
        return "  ".join(parts)

    def _planned(self, job: Job, event: events.Planned, now: float) -> None:
        for row in event.steps:
            if row.get("state") == "not needed":
                continue
            kept = row.get("state") == "kept"
            job.steps[row["name"]] = StepState(
                row["name"], row.get("kind", ""), "cached" if kept else "wait", 1.0 if kept else 0.0
            )

    def _started(self, job: Job, event: events.StepStarted | events.StepWaiting, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name))
        step.state, step.fraction, job.current = "run", 0.0, event.name
        job.waiting_for_other = isinstance(event, events.StepWaiting)
        self.note(
            job, now, f"{event.name}: " + ("waits for another process" if job.waiting_for_other else "begins")
        )

    def _progress(self, job: Job, event: events.StepProgress, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name, "run"))
        step.fraction, job.current = event.fraction, event.name

    def _cached(self, job: Job, event: events.StepCached, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name))
        step.state, step.fraction = "cached", 1.0

    def _finished(self, job: Job, event: events.StepFinished, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name))
        step.state, step.fraction, step.seconds = "done", 1.0, event.seconds
        job.waiting_for_other = False
        self.note(job, now, f"{event.name}: done in {event.seconds:.1f} s")

    def _step_failed(self, job: Job, event: events.StepFailed, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name))
        step.state = "failed"
        self.note(job, now, f"{event.name}: failed", "failed")

    def _said(self, job: Job, event: events.Note, now: float) -> None:
        job.notes.append(event.text)
        self.note(job, now, event.text, "warn")

    def _result(self, job: Job, event: events.Finished, now: float) -> None:
        job.result = event.result


_HANDLERS: Final[dict[type[Event], Callable[[JobBoard, Job, Any, float], None]]] = {
    events.Planned: JobBoard._planned,
    events.StepStarted: JobBoard._started,
    events.StepWaiting: JobBoard._started,
    events.StepProgress: JobBoard._progress,
    events.StepCached: JobBoard._cached,
    events.StepFinished: JobBoard._finished,
    events.StepFailed: JobBoard._step_failed,
    events.Note: JobBoard._said,
    events.Finished: JobBoard._result,
}

# -P: a file of the working folder must not be imported in place of a package.
CHILD: Final = (sys.executable, "-P", "-m", "covermaker.jobs.child")


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
        command: Sequence[str] = CHILD,
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
            asyncio.get_running_loop().call_later(GRACE_SECONDS, _kill, child)
        self._on_change()

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
            _kill(child)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace_seconds)

    def kill_all(self) -> None:
        """End every child without waiting: the terminal is gone."""
        self._closed = True
        for child in self._children.values():
            _kill(child)

    def _next(self) -> None:
        """Start every waiting job whose kind has nothing running."""
        if self._closed:
            return
        busy = {job.kind for job in self.board.running}
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
            self._children.pop(job.id, None)
            self._tasks.pop(job.id, None)
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
        return None if status == 0 and job.result else death(status, job.log)

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


def _interrupt(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.send_signal(signal.SIGINT)


def _kill(child: asyncio.subprocess.Process) -> None:
    """End a child and what it started: it leads a session of its own."""
    if child.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
