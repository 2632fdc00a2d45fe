"""What a training does at this moment: ``training/now.json``, written about once a second for whoever watches it.

A training may run in another terminal, or on another machine over a shared disk; this file and its age are what can
be known of it from outside. It goes when the training ends in order.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from covermaker.disk import jot, this_host
from covermaker.graph.events import StepProgress, StepStarted, TrainingProgress
from covermaker.graph.plain import plain
from covermaker.training.stages import PREPARING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from covermaker.graph.events import Event, Listener

FILE_NAME = "now.json"
EVERY_SECONDS = 1.0
_PIDS = 1 << 31  # above the highest number of any process
_COUNTS = ("step", "steps", "memory_bytes")
_FIGURES = (*_COUNTS, "loss", "rate", "seconds_per_step", "seconds_left")


@dataclass(frozen=True)
class Now:
    """Where a training is.

    Attributes
    ----------
    pid, host : int, str
        The process that leads it.
    began, told : float
        When it began and when this was written, in seconds since the epoch.
    phase : str
        ``clips``, ``features``, ``phrases``, ``index``, ``train`` or ``scores``.
    fraction : float
        0..1 of the phase.
    step, steps : int or None
        Of the training proper; `steps` is None where a wall-clock budget decides.
    """

    pid: int
    host: str
    device: str
    began: float
    told: float
    phase: str = ""
    fraction: float = 0.0
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    rate: float | None = None
    seconds_per_step: float | None = None
    seconds_left: float | None = None
    memory_bytes: int | None = None


class Pulse:
    """A listener that writes the file and passes everything on; what it cannot write is not worth a training.

    Parameters
    ----------
    work : Path
        The run's ``training``.
    listener : callable
        Told everything.
    """

    def __init__(self, work: Path, listener: Listener) -> None:
        self._file, self._listener = work / FILE_NAME, listener
        now = time.time()
        self._now = Now(os.getpid(), this_host(), "", now, now)
        self._seconds_left: Callable[[], float | None] = lambda: None
        self._beats = False

    def begin(self) -> None:
        """Begin to write: the folder is ours now."""
        self._beats = True
        self._write()

    def end(self) -> None:
        """Take the file away."""
        self._beats = False
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def on(self, device: str, *, seconds_left: Callable[[], float | None] = lambda: None) -> None:
        """Note where it trains, and whom to ask, while it is prepared, how long all of it still takes."""
        self._now, self._seconds_left = replace(self._now, device=device), seconds_left

    def _left(self, phase: str) -> float | None:
        """Return how long the whole training still takes; None where that is not known."""
        left = self._seconds_left() if phase in PREPARING else None
        return None if left is None else round(left, 1)

    def __call__(self, event: Event) -> None:
        """Take an event and pass it on."""
        match event:
            case StepStarted(name=name):
                self._take(phase=name, fraction=0.0, **self._news_of(name))
                self._write()
            case StepProgress(name=name, fraction=fraction):
                self._take(phase=name, fraction=round(fraction, 5), **self._news_of(name))
                event = replace(event, seconds_left=self._left(name))
            case TrainingProgress():
                self._take(
                    phase="train", fraction=event.fraction, step=event.step, steps=event.steps,
                    loss=event.losses.get("loss"), rate=event.rate, seconds_per_step=event.seconds_per_step,
                    seconds_left=event.seconds_left, memory_bytes=event.memory_bytes,
                )  # fmt: skip
        if time.time() - self._now.told >= EVERY_SECONDS:
            self._write()
        self._listener(event)

    def _news_of(self, phase: str) -> dict[str, float | None]:
        """Return the time left while it is prepared; behind that the training tells it, and a save in it does not."""
        return {"seconds_left": self._left(phase)} if phase in PREPARING else {}

    def _take(self, **news: object) -> None:
        self._now = replace(self._now, **news)  # type: ignore[arg-type]

    def _write(self) -> None:
        """Write the file whole, but not through to the disk: after a power cut nobody needs it."""
        if not self._beats:
            return
        self._now = replace(self._now, told=time.time())
        jot(self._file, json.dumps(plain(self._now)))


def read_now(work: Path) -> Now | None:
    """Return where the training in ``work`` is; None where nobody says so, or nothing that can be read.

    Of the figures that need not be there, one that is no finite number is left out.
    """
    try:
        now = Now(**json.loads((work / FILE_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    if type(now.pid) is not int or not 0 < now.pid < _PIDS:
        return None
    if any(number_in(told) is None for told in (now.began, now.told, now.fraction)):
        return None
    found: dict[str, Any] = {name: number_in(getattr(now, name)) for name in _FIGURES}
    found |= {name: round(found[name]) for name in _COUNTS if found[name] is not None}
    return replace(now, **found)


def number_in(value: Any) -> float | None:
    """Return what a file says as a finite number; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None
