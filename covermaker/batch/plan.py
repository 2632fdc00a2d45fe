"""What a batch would do, before it does anything: nothing is written, nothing rendered."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.batch.estimate import (
    TABLE_CORES,
    WORKER_BYTES,
    cores_of,
    memory_of,
    score_seconds,
    seconds_left,
    seconds_of,
    usual,
)
from covermaker.batch.foresee import Foresight
from covermaker.batch.gather import merged
from covermaker.batch.lengths import Lengths
from covermaker.batch.queue import FILE_NAME, Queue
from covermaker.batch.remarks import remarks
from covermaker.batch.rows import OVER
from covermaker.disk import write_error
from covermaker.errors import CovermakerError
from covermaker.graph.opening import open_store

if TYPE_CHECKING:
    from covermaker.batch.engines.base import Sized
    from covermaker.batch.entries import Playlist
    from covermaker.batch.options import Options
    from covermaker.batch.rows import Song

TO_DO: Final = frozenset({"new", "stale"})

# Of a whole song: racks and what follows, which is what other wishes most often mean.
_SHARE_OF_A_WISH: Final = 0.3


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
    notes : tuple of str
        What is odd about the list, and what is asked otherwise than the last time.
    """

    title: str
    songs: tuple[Planned, ...]
    workers: int
    seconds: float
    memory_bytes: int
    looked_into: int
    notes: tuple[str, ...] = ()


def plan(playlist: Playlist, options: Options, out: Path, sized: Sized) -> Plan:
    """Say what a batch of this list would do in this folder.

    Raises
    ------
    CovermakerError
        When the folder cannot be written, or what is asked is refused for every song.
    """
    _refuse_unwritable(out)
    before: list[Song] = []
    last = None
    if (out / FILE_NAME).is_file():
        with Queue(out) as queue:
            before, last = queue.songs(), queue.fact("options")
    rows, _ = merged(before, playlist)
    planner = _Planner(options)
    planner.foresight.refuse()
    songs = planner.songs(rows)
    to_do = [one for one in songs if one.state in TO_DO]
    workers = min(sized.workers, len(to_do))
    # Costs are of two cores; each worker has its share of those that there are.
    cores = cores_of(sized.cores, workers)
    costs = (one.cost_seconds * TABLE_CORES / cores for one in to_do)
    largest = sorted((one.memory_bytes for one in to_do), reverse=True)[:workers]
    return Plan(
        playlist.title,
        tuple(songs),
        workers,
        seconds_left(costs, workers=workers) or 0.0,
        workers * WORKER_BYTES + sum(largest),
        planner.lengths.looked_into,
        tuple(remarks(playlist, options, last)),
    )


def _refuse_unwritable(out: Path) -> None:
    """Refuse a folder that could not be made, or not be written into."""
    for folder in (out.absolute(), *out.absolute().parents):
        if os.path.lexists(folder):
            if not folder.is_dir():
                raise write_error(NotADirectoryError(errno.ENOTDIR, f"{folder} is a file"), out)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise write_error(PermissionError(errno.EACCES, ""), out)
            return


class _Planner:
    """Finds out what each song of a list needs."""

    def __init__(self, options: Options) -> None:
        self.foresight = Foresight(options)
        self.lengths = Lengths()
        self._options = options
        self._store = open_store(options.store)
        self._separator = str(options.wanted({}).get("separator", "spleeter"))

    def songs(self, rows: list[Song]) -> list[Planned]:
        """Plan all songs; one whose length nobody knows is taken to be like the others."""
        found = [self._song(row) for row in rows]
        usual_seconds = usual(one.seconds for one in found)
        return [self._costed(row, one, usual_seconds) for row, one in zip(rows, found, strict=True)]

    def _song(self, row: Song) -> Planned:
        if row.state in OVER:
            return Planned(row.id, row.name, row.origin, row.state, cause=row.cause, hint=row.hint)
        try:
            if problem := self.foresight.problem(row):
                raise problem
            return self._project(row) if row.project else self._new(row)
        except CovermakerError as error:
            return Planned(row.id, row.name, row.origin, "failed", cause=error.message, hint=error.hint)

    def _costed(self, row: Song, one: Planned, usual_seconds: float) -> Planned:
        if one.state not in TO_DO:
            return one
        separator = str(row.wishes.get("separator", self._separator))
        length = one.seconds if one.seconds is not None else usual_seconds
        whole = seconds_of(length, separator, score=self._options.score)
        return replace(
            one, cost_seconds=min(one.cost_seconds or whole, whole), memory_bytes=memory_of(length, separator)
        )

    def _project(self, row: Song) -> Planned:
        from covermaker.batch.projects import asks_otherwise
        from covermaker.render.state import project_state

        state = project_state(Path(row.project), self._store)
        word, cost, length = state.word, state.estimate_seconds, row.seconds or state.seconds
        if word == "done" and asks_otherwise(row, self._options):
            word = "stale"
            cost = _SHARE_OF_A_WISH * seconds_of(length, self._separator, score=False)
        if self._options.score and (word == "stale" or (word == "done" and not row.result.get("scored"))):
            word = "stale"
            cost += score_seconds(length)
        return Planned(
            row.id, row.name, row.origin, word, length, cost, cause=state.problem, hint=state.hint or None
        )

    def _new(self, row: Song) -> Planned:
        return Planned(row.id, row.name, row.origin, "new", self.lengths.of(row))
