"""What a batch tells while it runs, for bars and JSON lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from covermaker.graph.events import Event


@dataclass(frozen=True)
class BatchStarted(Event):
    """Songs by state, before anything is begun."""

    KIND: ClassVar[str] = "batch.started"
    folder: str
    title: str
    counts: dict[str, int]
    workers: int
    engine: str


@dataclass(frozen=True)
class SongMoved(Event):
    """A song came into another state, or began another step."""

    KIND: ClassVar[str] = "batch.song"
    number: int
    title: str
    state: str
    running_at: str = ""
    step: str = ""
    fraction: float = 0.0
    seconds: float | None = None
    was_done: bool = False
    cause: str = ""
    hint: str | None = None
    exit_code: int = 0
    loudness_lufs: float | None = None


@dataclass(frozen=True)
class BatchSaid(Event):
    """A line of the log."""

    KIND: ClassVar[str] = "batch.log"
    words: str
    number: int | None = None
    running_at: str = ""


@dataclass(frozen=True)
class BatchLeft(Event):
    """How much is left, now and then."""

    KIND: ClassVar[str] = "batch.left"
    counts: dict[str, int]
    seconds_left: float | None
    paused: bool = False


@dataclass(frozen=True)
class BatchOver(Event):
    """Nothing is left to do, or somebody stopped it."""

    KIND: ClassVar[str] = "batch.over"
    counts: dict[str, int]
    seconds: float
    report: str
    stopped: bool = False
