"""Jobs of the studio: what is waiting, what runs, what became of it.

Plain state, fed with the events that a child process tells: it can be replayed from a recording.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len

from covermaker.errors import ExitCode
from covermaker.graph import events
from covermaker.render.steps import COSTS
from covermaker.training.stages import phase_words
from covermaker.tui.job_kinds import TRAIN, kind_of
from covermaker.tui.words import cut, left, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from covermaker.errors import CovermakerError
    from covermaker.graph.events import Event

LOG_LINES: Final = 5000
NOTHING_TO_DO: Final = "nothing to do, every step was kept"
PAUSED: Final = "waits: the queue is paused, {batch.pause} on Batch goes on"
_LEAST_TITLE: Final = 4  # cells of a title that is shortened, its ellipsis included
_KNOWN_AFTER: Final = 0.05  # share of the work after which the time left is told


@dataclass
class StepState:
    """A step of a job, as it was last heard of."""

    name: str
    kind: str
    state: str = "wait"
    fraction: float = 0.0
    seconds: float | None = None
    key: str = ""

    @property
    def words(self) -> str:
        """What people call it."""
        return phase_words(self.name)

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
    tries : int
        How often it was started, this time included.
    told_seconds_left : float or None
        What a training says of itself; no share of its steps would tell it.
    held : set of str
        The kinds of which its board begins none for now.
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
    tries: int = 1
    told_seconds_left: float | None = None
    held: AbstractSet[str] = frozenset()

    @property
    def is_held(self) -> bool:
        """Whether it waits because no job of its kind is begun for now."""
        return self.state == "wait" and self.kind in self.held

    @property
    def was_up_to_date(self) -> bool:
        """Whether it is done and had nothing to make."""
        steps = self.steps.values()
        return self.state == "done" and bool(steps) and all(step.state == "cached" for step in steps)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in {"done", "failed", "stopped"}

    @property
    def kept(self) -> list[str]:
        """Steps whose results stay, however the job ends."""
        return [step.words for step in self.steps.values() if step.state in {"done", "cached"}]

    @property
    def seconds(self) -> float | None:
        """How long it took; None before it is over, or when it never began."""
        return self.ended - self.started if self.ended is not None and self.started is not None else None

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
        if kind_of(self.kind).tells_phases:
            return self.told_seconds_left
        done = self.fraction
        if self.state != "run" or self.started is None or done < _KNOWN_AFTER:
            return None
        return (now - self.started) * (1.0 - done) / done

    def progress(self, now: float) -> str:
        """Say where it is: ``convert 62 %, 0:20 left``."""
        if self.state == "wait":
            return "waits: the queue is paused" if self.is_held else "waits for its turn"
        step = self.steps.get(self.current)
        if step is None:
            return "starting"
        if self.waiting_for_other:
            return f"{step.words}: another process makes it, waiting"
        return f"{step.words} {self.figures(now)}"

    def figures(self, now: float) -> str:
        """Say how far its step is, and how long all of it still takes: ``62 %, 0:20 left``; "" before that is told."""
        step = self.steps.get(self.current)
        if step is None or self.waiting_for_other:
            return ""
        return ", ".join(filter(None, (share(step.fraction), left(self.seconds_left(now)))))


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the full log; `tone` is a state's name or empty."""

    when: float
    title: str
    text: str
    tone: str = ""


class JobBoard:
    """All jobs of this session and the log of what they said. Knows no process and no clock.

    Attributes
    ----------
    jobs : dict
        By their ids, in the order in which they are done.
    held : set of str
        Kinds of which none is begun for now: the queue is paused.
    """

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.logged = 0
        self.held: set[str] = set()
        self._by_subject: dict[str, list[Job]] = {}
        self._last_id = 0

    def add(self, kind: str, title: str, subject: str, request: Mapping[str, Any], log: Path) -> Job:
        """Put a job at the end of the queue."""
        self._last_id += 1
        job = Job(self._last_id, kind, title, subject, request, log, held=self.held)
        self.jobs[job.id] = job
        self._by_subject.setdefault(subject, []).append(job)
        return job

    def again(self, job: Job) -> Job:
        """Put what a job that is over was to do at the end of the queue; the new job takes its place in the list."""
        self.forget(job)
        new = self.add(job.kind, job.title, job.subject, job.request, job.log)
        new.tries = job.tries + 1
        return new

    def forget(self, job: Job) -> None:
        """Take a job that is over from the list; the log keeps its lines."""
        if self.jobs.pop(job.id, None) is not None:
            self._by_subject[job.subject].remove(job)

    def move(self, job: Job, by: int) -> bool:
        """Let a waiting job change places with the one before (-1) or behind (1) it; tells whether it did."""
        waiting = [one for one in self.waiting if one.kind == job.kind]
        to = waiting.index(job) + by if job in waiting else -1
        if not 0 <= to < len(waiting):
            return False
        order = list(self.jobs.values())
        here, there = order.index(job), order.index(waiting[to])
        order[here], order[there] = order[there], order[here]
        self.jobs = {one.id: one for one in order}
        return True

    def of(self, subject: str) -> Job | None:
        """Return the job of a subject that runs, waits, or was the last to end; in this order."""
        found = self._by_subject.get(subject, [])
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
        elif (
            error is not None and error.exit_code == ExitCode.INTERRUPTED
        ):  # a training that was asked to end
            job.state, job.message, job.hint = "stopped", error.message, error.hint or ""
            self.note(job, now, error.message)
        elif error is None:
            job.state = "done"
            self.note(job, now, NOTHING_TO_DO if job.was_up_to_date else "done", "done")
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

    def headline(self, now: float, room: int | None = None) -> str:
        """Say in a corner of every screen what runs: ``paused, 2 wait``, ``convert 62 %, 0:20 left  2 wait``.

        In a `room` of so many cells words go before figures: ``Blue…: 62 %, 0:20 left``.
        """
        whole = self._headline(now)
        running = self.running
        if room is None or cell_len(whole) <= room or not running:
            return whole
        return next(
            (words for words in self._shorter(running[0], now, room) if cell_len(words) <= room), whole
        )

    def _shorter(self, job: Job, now: float, room: int) -> Iterator[str]:
        """Return ever shorter words for what runs, the figures in all of them."""
        held, figures = "paused  " if self.held else "", job.figures(now)
        bare = figures.removesuffix(" left")
        for words in dict.fromkeys((job.progress(now), figures, bare)):
            if not words:
                continue
            yield f"{held}{job.title}: {words}"
            title = room - cell_len(f"{held}: {words}")
            if title >= _LEAST_TITLE:
                yield f"{held}{cut(job.title, title, 'unicode')}: {words}"
        yield from (f"{held}{words}" for words in (figures, bare) if words)
        if held and bare:
            yield bare

    def _headline(self, now: float) -> str:
        waiting = f"{len(self.waiting)} wait" if self.waiting else ""
        parts = [", ".join(filter(None, ("paused", waiting)))] if self.held else []
        parts += [f"{job.title}: {job.progress(now)}" for job in self.running[:1]]
        if len(self.running) > 1:
            parts.append(f"{len(self.running)} jobs")
        if waiting and not self.held:
            parts.append(waiting)
        return "  ".join(parts)

    def _planned(self, job: Job, event: events.Planned, now: float) -> None:
        for row in event.steps:
            if row.get("state") == "not needed":
                continue
            kept = row.get("state") == "kept"
            job.steps[row["name"]] = StepState(
                row["name"],
                row.get("kind", ""),
                "cached" if kept else "wait",
                1.0 if kept else 0.0,
                key=row.get("key", ""),
            )

    def _started(self, job: Job, event: events.StepStarted | events.StepWaiting, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name))
        step.state, step.fraction, job.current = "run", 0.0, event.name
        job.waiting_for_other = isinstance(event, events.StepWaiting)
        what = "waits for another process" if job.waiting_for_other else "begins"
        self.note(job, now, f"{step.words}: {what}")

    def _progress(self, job: Job, event: events.StepProgress, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name, "run"))
        step.fraction, job.current = event.fraction, event.name
        if event.seconds_left is not None:
            job.told_seconds_left = event.seconds_left

    def _trained(self, job: Job, event: events.TrainingProgress, now: float) -> None:
        step = job.steps.setdefault(TRAIN, StepState(TRAIN, TRAIN, "run"))
        step.fraction, job.current, job.told_seconds_left = event.fraction, TRAIN, event.seconds_left

    def _scored(self, job: Job, event: events.TrainingScored, now: float) -> None:
        score = "no score" if event.score is None else f"score {event.score:.3f}"
        self.note(job, now, f"step {event.step} saved: {score}{', the best' if event.best else ''}")

    def _cached(self, job: Job, event: events.StepCached, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name))
        step.state, step.fraction = "cached", 1.0

    def _finished(self, job: Job, event: events.StepFinished, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name))
        step.state, step.fraction, step.seconds = "done", 1.0, event.seconds
        job.waiting_for_other = False
        self.note(job, now, f"{step.words}: done in {event.seconds:.1f} s")

    def _step_failed(self, job: Job, event: events.StepFailed, now: float) -> None:
        step = job.steps.setdefault(event.name, StepState(event.name, event.name))
        step.state = "failed"
        self.note(job, now, f"{step.words}: failed", "failed")

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
    events.TrainingProgress: JobBoard._trained,
    events.TrainingScored: JobBoard._scored,
    events.Note: JobBoard._said,
    events.Finished: JobBoard._result,
}
