"""What a batch would do, before it does anything: nothing is written, nothing rendered."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.audio.files import probe
from covermaker.batch.estimate import WORKER_BYTES, memory_of, seconds_left, seconds_of
from covermaker.batch.gather import merged
from covermaker.batch.queue import FILE_NAME, Queue
from covermaker.batch.rows import OVER
from covermaker.errors import CovermakerError
from covermaker.graph.opening import open_store

if TYPE_CHECKING:
    from covermaker.batch.engines.base import Sized
    from covermaker.batch.entries import Playlist
    from covermaker.batch.options import Options
    from covermaker.batch.rows import Song

TO_DO: Final = frozenset({"new", "stale"})
_COST_CORES: Final = 2.0

# Of a whole song: racks and what follows, which is what other wishes most often mean.
_SHARE_OF_A_WISH: Final = 0.3

# How long to look into files for their lengths; the rest are taken to be like those.
_PROBE_SECONDS: Final = 1.5


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done with a song.

    Attributes
    ----------
    state : str
        ``"done"``: nothing; ``"stale"``: some steps; ``"new"``: all of them; ``"failed"``: it cannot be;
        ``"cancelled"``: nobody wants it.
    seconds : float or None
        The song's length, where it is known.
    cost_seconds : float
        What it takes, roughly, on two cores.
    memory_bytes : int
        What it takes beside its worker.
    """

    number: int
    title: str
    origin: str
    state: str
    seconds: float | None = None
    cost_seconds: float = 0.0
    memory_bytes: int = 0
    cause: str = ""
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch would do.

    Attributes
    ----------
    seconds : float
        Until it is done, roughly.
    memory_bytes : int
        What all its workers take, at most.
    looked_into : int
        How many files were asked for their length.
    """

    title: str
    songs: tuple[Planned, ...]
    workers: int
    seconds: float
    memory_bytes: int
    looked_into: int


def plan(playlist: Playlist, options: Options, out: Path, sized: Sized) -> Plan:
    """Say what a batch of this list would do in this folder."""
    before: list[Song] = []
    if (out / FILE_NAME).is_file():
        with Queue(out) as queue:
            before = queue.songs()
    rows, _ = merged(before, playlist)
    planner = _Planner(options)
    songs = [planner.song(row) for row in rows]
    to_do = [one for one in songs if one.state in TO_DO]
    workers = min(sized.workers, len(to_do))
    # Costs are of two cores: as many workers share them.
    costs = (_COST_CORES * one.cost_seconds / sized.cores for one in to_do)
    largest = sorted((one.memory_bytes for one in to_do), reverse=True)[:workers]
    return Plan(
        playlist.title,
        tuple(songs),
        workers,
        seconds_left([], costs, workers=1) or 0.0,
        workers * WORKER_BYTES + sum(largest),
        planner.looked_into,
    )


class _Planner:
    """Finds out what each song of a list needs."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._store = open_store(options.store)
        self._separator = str(options.wanted({}).get("separator", "spleeter"))
        self._until = time.monotonic() + _PROBE_SECONDS
        self._known_seconds = 0.0
        self._known = 0
        self.looked_into = 0

    def song(self, row: Song) -> Planned:
        """Plan one song."""
        if row.state in OVER:
            found = Planned(row.id, row.name, row.origin, row.state, cause=row.cause, hint=row.hint)
        elif row.project:
            found = self._project(row)
        else:
            found = self._new(row)
        if found.state not in TO_DO:
            return found
        separator = str(row.wishes.get("separator", self._separator))
        length = self._length(found.seconds)
        cost = found.cost_seconds or seconds_of(length, separator, score=self._options.score)
        return replace(found, cost_seconds=cost, memory_bytes=memory_of(length, separator))

    def _project(self, row: Song) -> Planned:
        from covermaker.batch.projects import asks_otherwise
        from covermaker.render.state import project_state

        state = project_state(Path(row.project), self._store)
        word, cost = state.word, state.estimate_seconds
        if word == "done" and asks_otherwise(row, self._options):
            length = row.seconds or state.seconds
            word = "stale"
            cost = _SHARE_OF_A_WISH * seconds_of(length, self._separator, score=self._options.score)
        return Planned(
            row.id, row.name, row.origin, word, row.seconds or state.seconds, cost, cause=state.problem,
            hint=state.hint or None,
        )  # fmt: skip

    def _new(self, row: Song) -> Planned:
        if row.seconds is None and time.monotonic() < self._until:
            self.looked_into += 1
            try:
                row.seconds = probe(Path(row.place)).seconds
            except CovermakerError as error:
                return Planned(row.id, row.name, row.origin, "failed", cause=error.message, hint=error.hint)
        return Planned(row.id, row.name, row.origin, "new", row.seconds)

    def _length(self, seconds: float | None) -> float | None:
        """Return a song's length; of one that was not looked into, the mean of the others."""
        if seconds is not None:
            self._known += 1
            self._known_seconds += seconds
            return seconds
        return self._known_seconds / self._known if self._known else None
