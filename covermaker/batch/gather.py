"""A list becomes rows of the queue; read again, it changes the rows that are there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.batch.entries import Problem
from covermaker.batch.rows import Song
from covermaker.errors import ExitCode
from covermaker.project.load import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from covermaker.batch.entries import Entry, Playlist
    from covermaker.batch.queue import Queue

# A broken entry is no song: it fails before it begins, with this code, and is asked about again when the list is read.
BROKEN: Final = ExitCode.USAGE


def merged(before: Iterable[Song], playlist: Playlist) -> tuple[list[Song], list[Song]]:
    """Bring rows in line with a list; returns the songs of the list, and those that it no longer names.

    A song that is there already keeps its project and what became of it; what the list says of it is taken anew.
    Everything waits again: whether it is done is found out when its turn comes.
    """
    known = {song.identity: song for song in before}
    number = max((song.id for song in known.values()), default=0)
    seen: Counter[str] = Counter()
    rows: list[Song] = []
    for turn, one in enumerate(_in_order(playlist)):
        place = _place_of(one)
        seen[place] += 1
        identity = f"{place}#{seen[place]}"
        row = known.pop(identity, None)
        if row is None:
            number += 1
            row = Song(number, float(turn), identity, place)
        row.turn = float(turn)
        _take(row, one)
        rows.append(row)
    return rows, list(known.values())


def gather(queue: Queue, playlist: Playlist) -> None:
    """Bring the queue in line with a list. The projects of songs that leave it stay."""
    rows, gone = merged(queue.songs(), playlist)
    with queue.writing():
        queue.remove(song.id for song in gone)
        queue.put(rows)


def _in_order(playlist: Playlist) -> list[Entry | Problem]:
    """Put songs and broken entries in the order of the list."""
    behind: dict[int, list[Problem]] = {}
    for problem in playlist.problems:
        behind.setdefault(min(problem.after, len(playlist.entries)), []).append(problem)
    both: list[Entry | Problem] = list(behind.get(0, []))
    for number, entry in enumerate(playlist.entries, start=1):
        both += [entry, *behind.get(number, [])]
    return both


def _place_of(one: Entry | Problem) -> str:
    # A broken entry is never the same as a song: once it is mended, it is a new one.
    return f"broken: {one.said or one.message}" if isinstance(one, Problem) else str(one.place)


def _take(row: Song, one: Entry | Problem) -> None:
    row.origin = one.origin
    row.tries, row.not_before, row.step, row.fraction, row.running_at = 0, 0.0, "", 0.0, ""
    if isinstance(one, Problem):
        row.title = row.title or one.said
        row.state, row.cause, row.hint, row.exit_code = "failed", one.message, one.hint, int(BROKEN)
        return
    row.kept = (one.place / FILE_NAME).is_file()
    if row.kept:
        row.project = str(one.place)
    row.title, row.artist = one.title or row.title or _called(one.place), one.artist or row.artist
    row.seconds, row.wishes = one.seconds or row.seconds, dict(one.wishes)
    row.state, row.cause, row.hint, row.exit_code = "waiting", "", None, 0


def _called(place: Path) -> str:
    return place.stem if place.suffix else place.name
