"""The seam between the queue and what renders: an engine takes songs and tells what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from covermaker.batch.estimate import TABLE_CORES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from covermaker.graph.events import Event


@dataclass(frozen=True, slots=True)
class Task:
    """A song to render.

    Attributes
    ----------
    song : int
        Its number in the queue.
    request : dict
        As `covermaker.render.tasks.render` takes it: keys and paths, JSON values.
    memory_bytes : int
        What it is thought to take beside what a place takes anyway.
    careful : bool
        It ran out of memory before: nothing is kept warm, one step at a time.
    alone : bool
        It ran out of memory twice: nothing else runs beside it.
    """

    song: int
    request: dict[str, Any]
    memory_bytes: int = 0
    careful: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where songs are rendered: a process, or a node of a cluster.

    Attributes
    ----------
    name : str
        ``"worker 1"``, ``"node-2"``.
    songs : tuple of int
        What runs there now.
    room : int
        How many more songs it would take.
    note : str
        What a person should know: ``"silent for 2 min"``.
    cores : float
        How many a song has there for itself, roughly.
    """

    name: str
    songs: tuple[int, ...] = ()
    room: int = 0
    note: str = ""
    cores: float = TABLE_CORES


def songs_at_once(places: Iterable[Place]) -> int:
    """Return how many songs some places work on when they are full."""
    return sum(len(place.songs) + place.room for place in places)


def cores_at(places: Iterable[Place]) -> float:
    """Return how many cores a song has at some places, in the mean."""
    each = [place.cores for place in places]
    return sum(each) / len(each) if each else TABLE_CORES


@dataclass(frozen=True, slots=True)
class Sized:
    """How much an engine may use.

    Attributes
    ----------
    workers : int
        Songs at once, at most.
    cores : int
        Of the machine, divided among the workers.
    memory_bytes : int
        Of all workers together.
    """

    workers: int
    cores: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Told:
    """Something an engine tells: an event of a song, or of a place where `song` is None."""

    song: int | None
    place: str
    event: Event


@dataclass(frozen=True, slots=True)
class Setting:
    """What every engine is made with.

    Attributes
    ----------
    folder : Path
        The batch's own, for logs.
    store : str
        The folder of finished steps; "" is the user's.
    device : str
        As of `covermaker.weights.device.pick_device`.
    address : str
        Of a cluster.
    more : dict
        What a person said, where an engine decides by itself otherwise: ``songs``, how many at once.
    """

    folder: Path
    sized: Sized
    store: str = ""
    device: str = "auto"
    address: str = ""
    more: dict[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """Renders songs, some at once. Made with a `Setting`; used by one thread.

    The end of every song that it took is told by one `SongDone` or `SongFailed`, whatever becomes of the place.
    """

    def open(self) -> None:
        """Get ready. Raises a `CovermakerError` at once when it cannot be: an address where nobody answers."""

    def places(self) -> Sequence[Place]:
        """Tell where songs are rendered, and what runs there."""

    def takes(self, task: Task) -> bool:
        """Tell whether it would begin this song now: a place is free, and memory enough."""

    def submit(self, task: Task) -> None:
        """Begin a song."""

    def hear(self, seconds: float) -> list[Told]:
        """Return what was told since it was asked last; waits so long for something."""

    def cancel(self, song: int) -> None:
        """Drop a song, if it runs; its end is told as that of any other."""

    def close(self) -> None:
        """End everything, dropping what runs."""
