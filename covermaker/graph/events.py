"""One stream of typed events: what the command line draws, ``--json`` prints and a terminal UI reads.

As JSON, an event is one line: ``{"event": "step.progress", "name": "separate", "fraction": 0.25}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, TypeAlias

from covermaker.errors import CovermakerError, ExitCode


@dataclass(frozen=True)
class Event:
    """Base of all events."""

    KIND: ClassVar[str] = ""

    def to_json(self) -> str:
        """Write the event as one line of JSON."""
        return json.dumps({"event": self.KIND, **asdict(self)}, ensure_ascii=False)


@dataclass(frozen=True)
class Planned(Event):
    """Which steps a render consists of, in order, before any of them runs."""

    KIND: ClassVar[str] = "render.planned"
    steps: list[dict[str, Any]]


@dataclass(frozen=True)
class StepStarted(Event):
    """A step begins to run."""

    KIND: ClassVar[str] = "step.started"
    name: str
    key: str


@dataclass(frozen=True)
class StepWaiting(Event):
    """Another process is making this step; we wait for it."""

    KIND: ClassVar[str] = "step.waiting"
    name: str
    key: str


@dataclass(frozen=True)
class StepProgress(Event):
    """A running step has finished `fraction` (0..1) of its work.

    `seconds_left` is until all is done, of which the step is a part: a training with a wall-clock budget knows it.
    """

    KIND: ClassVar[str] = "step.progress"
    name: str
    fraction: float
    seconds_left: float | None = None


@dataclass(frozen=True)
class StepCached(Event):
    """A step's result was already there."""

    KIND: ClassVar[str] = "step.cached"
    name: str
    key: str


@dataclass(frozen=True)
class StepFinished(Event):
    """A step has run; `report` is what it found out."""

    KIND: ClassVar[str] = "step.finished"
    name: str
    key: str
    seconds: float
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepFailed(Event):
    """A step was refused or broke."""

    KIND: ClassVar[str] = "step.failed"
    name: str
    message: str


@dataclass(frozen=True)
class Note(Event):
    """Something a person should know that is no error."""

    KIND: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True)
class TrainingProgress(Event):
    """Where a training is: told about once a second.

    `steps` is None where a wall-clock budget decides; `fraction` and `seconds_left` are known either way. `losses` are
    the sum, as ``loss``, and its parts; None is one that has overflowed in half precision.
    """

    KIND: ClassVar[str] = "training.progress"
    step: int
    steps: int | None
    fraction: float
    losses: dict[str, float | None]
    rate: float
    seconds_per_step: float
    seconds_left: float
    memory_bytes: int


@dataclass(frozen=True)
class TrainingScored(Event):
    """A checkpoint was scored; `best` tells whether it is the voice now."""

    KIND: ClassVar[str] = "training.scored"
    step: int
    score: float | None
    best: bool
    figures: dict[str, dict[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished(Event):
    """The job is done; `result` is its summary."""

    KIND: ClassVar[str] = "render.finished"
    result: dict[str, Any]


@dataclass(frozen=True)
class SongDone(Event):
    """A worker has rendered a song; `song` is the number it was given with, `result` what the render returned."""

    KIND: ClassVar[str] = "song.done"
    song: int
    result: dict[str, Any]


@dataclass(frozen=True)
class SongFailed(Event):
    """A worker could not render a song; the worker itself lives on, unless it says so."""

    KIND: ClassVar[str] = "song.failed"
    song: int
    message: str
    hint: str | None
    exit_code: int
    out_of_memory: bool = False


@dataclass(frozen=True)
class ProjectStarted(Event):
    """Of several projects, the next one begins; `number` counts from 1."""

    KIND: ClassVar[str] = "batch.project"
    project: str
    number: int
    of: int


@dataclass(frozen=True)
class BatchFinished(Event):
    """Several projects were worked on; each has a row with its state, and what was made or why not."""

    KIND: ClassVar[str] = "batch.finished"
    projects: list[dict[str, Any]]


@dataclass(frozen=True)
class Failed(Event):
    """The job ended with an error, as the child process tells its parent."""

    KIND: ClassVar[str] = "render.failed"
    message: str
    hint: str | None
    exit_code: int

    @classmethod
    def of(cls, error: Exception) -> Failed:
        """Say what an error means; one that is not ours is a defect, and its traceback goes to stderr."""
        if isinstance(error, CovermakerError):
            return cls(error.message, error.hint, int(error.exit_code))
        import traceback

        traceback.print_exception(error)
        words = f"a defect in Covermaker: {type(error).__name__}: {error}"
        return cls(words, "please report it with the log", int(ExitCode.INTERNAL))

    def as_error(self) -> CovermakerError:
        """Return an error that ends the command with the child's exit code."""
        error = CovermakerError(self.message, hint=self.hint)
        error.exit_code = self.exit_code  # type: ignore[misc,assignment]
        return error


Listener: TypeAlias = Callable[[Event], None]

_KINDS: dict[str, type[Event]] = {
    kind.KIND: kind
    for kind in (
        Planned, StepStarted, StepWaiting, StepProgress, StepCached, StepFinished, StepFailed, TrainingProgress,
        TrainingScored, Note, Finished, Failed, ProjectStarted, BatchFinished, SongDone, SongFailed,
    )
}  # fmt: skip


def from_json(line: str) -> Event:
    """Read what `Event.to_json` wrote.

    Raises
    ------
    ValueError
        When the line is no event.
    """
    try:
        fields = json.loads(line)
        return _KINDS[fields.pop("event")](**fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no event: {line[:80]!r}") from error


def nobody(event: Event) -> None:
    """Ignore an event."""
