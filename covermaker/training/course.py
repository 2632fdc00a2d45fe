"""The course of a training: its phases as they are told, and the file that says what it was asked for.

``training/run.json`` holds the profile and the seed of a run, who asked for it (`asked_by`, of a project's render),
what was decided on the way (how much was made of the takes, a hash of all of it), and its status: ``running`` until it
ends, then ``finished`` or ``astray``. Taken up with another budget it has that one, and runs again; `more_from` is the
step from which on that counts. The record is the first thing that goes when a training begins again, and comes back
when all is prepared: whatever lies beside it is of this run.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from covermaker.disk import write_text
from covermaker.errors import CovermakerError, ExitCode, ProjectError
from covermaker.graph.events import Note, StepFailed, StepFinished, StepProgress, StepStarted

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.graph.events import Listener
    from covermaker.progress import Progress

FOLDER = "training"
RUN_FILE = "run.json"
WRITTEN = "candidate"  # there: the voice that was last written, whether or not it is the best


def read_run(work: Path) -> dict[str, Any] | None:
    """Return what the run of a ``training`` folder was asked for, or None where there is none.

    Raises
    ------
    ProjectError
        When the file cannot be read.
    """
    file = work / RUN_FILE
    if not file.exists():
        return None
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProjectError(f"{file} cannot be read: {error}", hint="--force begins again") from error
    if not isinstance(run, dict) or not isinstance(run.get("status"), str):
        raise ProjectError(f"{file} is no record of a training", hint="--force begins again")
    return run


def write_run(work: Path, run: dict[str, Any]) -> None:
    """Keep what a run was asked for."""
    write_text(work / RUN_FILE, json.dumps(run, indent=1))


class Clock:
    """Tells the listener what begins and ends, and keeps how long it took."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.started = time.monotonic()
        self.phases: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.started

    def phase(self, name: str) -> _Phase:
        """Return a context that stands for a phase and gives its progress function."""
        return _Phase(self, name)

    def note(self, text: str) -> None:
        """Tell something a person should know."""
        self.listener(Note(text))


class _Phase:
    def __init__(self, clock: Clock, name: str) -> None:
        self.clock, self.name = clock, name

    def __enter__(self) -> Progress:
        self.started = time.monotonic()
        self.clock.listener(StepStarted(self.name, ""))
        return lambda fraction: self.clock.listener(StepProgress(self.name, fraction))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        seconds = time.monotonic() - self.started
        so_far = self.clock.phases.get(self.name, 0.0)  # scores come many times
        self.clock.phases[self.name] = round(so_far + seconds, 2)
        if error is None:
            self.clock.listener(StepFinished(self.name, "", seconds))
        elif isinstance(error, CovermakerError) and error.exit_code != ExitCode.INTERRUPTED:
            self.clock.listener(StepFailed(self.name, error.message))
