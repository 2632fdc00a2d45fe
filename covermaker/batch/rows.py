"""The rows of a batch's queue: a song, an attempt at it, the time of a step, a line of the log, an ask."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

SongState: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]
# What is noted of a batch; one that runs, says it, and that nobody works on was killed.
BatchState: TypeAlias = Literal["new", "running", "paused", "stopping", "stopped", "over"]
Asked: TypeAlias = Literal["retry", "cancel", "pause", "go on", "stop", "earlier", "later"]

# What is told to be over; the rest is to be done.
OVER: Final = frozenset({"done", "failed", "cancelled"})
LONGEST_WAIT_SECONDS: Final = 60.0  # before a song is tried again


@dataclass(slots=True)
class Song:
    """A row: one song of the batch.

    Attributes
    ----------
    id : int
        Its number in the list, from 1.
    turn : float
        Songs are begun in the order of their turns.
    identity : str
        What makes it the same song when the list is read again: its place, and which one of several with that place.
    place : str
        The song's file, the folder of a project, or what a broken entry said.
    origin : str
        Where the list asks for it: ``"friday.m3u8:7"``.
    title, artist : str
        What the list or its project calls it; empty where nobody does.
    seconds : float or None
        The song's length, once it is known.
    wishes : dict
        What the list says of this song alone.
    project : str
        The project's folder; absolute. "" where it is not made yet.
    kept : bool
        The project was there before the batch and is rendered as it is.
    applied : dict
        What the batch has last written into the project's document.
    state : str
        ``"waiting"``, ``"running"``, ``"done"``, ``"failed"`` or ``"cancelled"``.
    stage : str
        Of an album, which pass it is in; "" otherwise.
    step, fraction, running_at : str, float, str
        What runs, how far it is (0..1), and where.
    tries : int
        How often it was begun since it was last asked for.
    not_before : float
        When it may be tried again, in seconds since the epoch.
    began, ended : float or None
        Of the last try, in seconds since the epoch.
    spent_seconds : float
        How long the tries have run.
    was_done : bool
        Nothing had to be made: all its steps were there.
    cause, hint, exit_code : str, str or None, int
        Why it failed, what to do next, and as which exit code.
    result : dict
        What the render told at its end.
    """

    id: int
    turn: float
    identity: str
    place: str
    origin: str = ""
    title: str = ""
    artist: str = ""
    seconds: float | None = None
    wishes: dict[str, Any] = field(default_factory=dict)
    project: str = ""
    kept: bool = False
    applied: dict[str, Any] = field(default_factory=dict)
    state: SongState = "waiting"
    stage: str = ""
    step: str = ""
    fraction: float = 0.0
    running_at: str = ""
    tries: int = 0
    not_before: float = 0.0
    began: float | None = None
    ended: float | None = None
    spent_seconds: float = 0.0
    was_done: bool = False
    cause: str = ""
    hint: str | None = None
    exit_code: int = 0
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people see it called: its title, else its file without the suffix, or its project's folder."""
        place = Path(self.place)
        return self.title or (place.name if self.kept else place.stem)

    def is_due(self, now: float) -> bool:
        """Tell whether it may be begun; a wait longer than any comes of a clock that was set back."""
        return not now < self.not_before < now + LONGEST_WAIT_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether nothing is to be done with it any more."""
        return self.state in OVER


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt at a song, as of `Song`."""

    song: int
    number: int
    began: float
    ended: float | None
    running_at: str
    state: str
    step: str
    cause: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class StepTime:
    """A step of a song: how long it took when it was made, and whether this batch found it there."""

    song: int
    name: str
    seconds: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Length:
    """Of a song, what an estimate needs to know; as of `Song`."""

    id: int
    state: SongState
    seconds: float | None
    spent_seconds: float
    was_done: bool
    began: float | None
    separator: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """What changed among the songs since somebody looked.

    Attributes
    ----------
    at : int
        The moment: what is asked for next time comes after it.
    songs : tuple of Song
        Those that changed, as they are now.
    gone : tuple of int
        The numbers of those that are no more.
    more : bool
        Whether there may be more that changed.
    """

    at: int
    songs: tuple[Song, ...]
    gone: tuple[int, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log; `song` is None where it is about the batch."""

    id: int
    at: float
    running_at: str
    song: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants of the coordinator; `song` is None where all are meant."""

    id: int
    at: float
    what: Asked
    song: int | None


def as_row(song: Song) -> dict[str, Any]:
    """Write a row as a JSON object, with what people see it called."""
    return {**asdict(song), "name": song.name}
