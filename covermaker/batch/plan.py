"""What a batch would do, before it does anything: nothing is written, nothing rendered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.audio.files import probe
from covermaker.batch.estimate import WORKER_BYTES, memory_of, seconds_left, seconds_of
from covermaker.batch.gather import merged
from covermaker.batch.queue import FILE_NAME, Queue
from covermaker.errors import CovermakerError
from covermaker.graph.store import Store, default_root

if TYPE_CHECKING:
    from covermaker.batch.engines.base import Sized
    from covermaker.batch.entries import Playlist
    from covermaker.batch.options import Options
    from covermaker.batch.rows import Song

# How long to look into files for their lengths; the rest are taken to be like those.
_PROBE_SECONDS: Final = 1.5


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done with a song.

    Attributes
    ----------
    state : str
        ``"done"``: nothing; ``"stale"``: some steps; ``"new"``: all of them; ``"failed"``: it cannot be.
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
    store = Store(Path(options.store) if options.store else default_root())
    usual = str(options.wanted({}).get("separator", "spleeter"))
    until, looked, lengths = time.monotonic() + _PROBE_SECONDS, 0, []
    songs = []
    for row in rows:
        if row.state == "failed":
            songs.append(Planned(row.id, row.title, row.origin, "failed", cause=row.cause, hint=row.hint))
            continue
        separator = str(row.wishes.get("separator", usual))
        state, cost, cause, hint = "new", None, "", None
        if row.project:
            from covermaker.render.state import project_state

            found = project_state(Path(row.project), store)
            state, cost, cause, hint = found.word, found.estimate_seconds, found.problem, found.hint or None
            row.seconds = row.seconds or found.seconds
        elif row.seconds is None and time.monotonic() < until:
            try:
                row.seconds, looked = probe(Path(row.place)).seconds, looked + 1
            except CovermakerError as error:
                state, cost, cause, hint = "failed", 0.0, error.message, error.hint
        if row.seconds is not None:
            lengths.append(row.seconds)
        length = row.seconds or (sum(lengths) / len(lengths) if lengths else None)
        if cost is None:
            cost = seconds_of(length, separator, score=options.score)
        memory = memory_of(length, separator) if state != "done" else 0
        songs.append(Planned(row.id, row.title, row.origin, state, row.seconds, cost, memory, cause, hint))
    to_do = [one for one in songs if one.state in {"new", "stale"}]
    workers = max(1, min(sized.workers, len(to_do))) if to_do else 0
    # Costs are of two cores: as many workers share them.
    seconds = seconds_left([], (2.0 * one.cost_seconds / sized.cores for one in to_do), workers=1) or 0.0
    memory = workers * WORKER_BYTES + sum(sorted((one.memory_bytes for one in to_do), reverse=True)[:workers])
    return Plan(playlist.title, tuple(songs), workers, seconds, memory, looked)
