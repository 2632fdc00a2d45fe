"""A list becomes rows of the queue; read again, it changes the rows that are there."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.batch.changing import BROKEN, BROKEN_PLACE
from covermaker.batch.entries import Problem
from covermaker.batch.playlist.scanning import fits, fixed_part, is_project
from covermaker.batch.rows import Song
from covermaker.project.load import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from covermaker.batch.entries import Entry, Playlist
    from covermaker.batch.queue import Queue


def merged(before: Iterable[Song], playlist: Playlist) -> tuple[list[Song], list[Song]]:
    """Bring rows in line with a list; returns the songs of the list, and those that it no longer names.

    A song that is there already keeps its project and what became of it, also while its file is missing; what the list
    says of it is taken anew. All but the cancelled ones wait again: whether they are done is found out when their turn
    comes. Songs are numbered in the order of the list.
    """
    known = _Known(before)
    projects: dict[str, str] = {}
    rows: list[Song] = []
    for one in _in_order(playlist):
        told = _once(one, projects)
        for row in known.rows(told):
            row.turn = float(len(rows))
            _take(row, told)
            rows.append(row)
    gone = known.left()
    for number, row in enumerate(rows, start=1):
        row.id = number
    return rows, gone


class _Known:
    """The rows that there are, by what makes them the same song."""

    def __init__(self, before: Iterable[Song]) -> None:
        self._rows = {song.identity: song for song in before}
        self._seen: Counter[str] = Counter()
        self._places = sorted((song.place, song.identity) for song in self._rows.values())

    def rows(self, one: Entry | Problem) -> list[Song]:
        """Return the row of an entry; of what is missing or empty now, the rows of all songs that were found there."""
        places = _places_of(one)
        place = next((place for place in places if self._identity(place) in self._rows), places[0])
        if isinstance(one, Problem) and one.places and self._identity(place) not in self._rows:
            found = self._matched(one.pattern) if one.pattern else self._below(places)
            if found:
                return found
        identity = self._identity(place)
        self._seen[place] += 1
        row = self._rows.pop(identity, None)
        return [row or Song(0, 0.0, identity, place)]

    def left(self) -> list[Song]:
        """Return those that nobody asked for."""
        return list(self._rows.values())

    def _identity(self, place: str) -> str:
        return f"{place}#{self._seen[place] + 1}"

    def _below(self, folders: Iterable[str]) -> list[Song]:
        """Take the songs of folders."""
        return [row for folder in folders for row in self._taken(self._starting(os.path.join(folder, "")))]

    def _matched(self, pattern: str) -> list[Song]:
        """Take the songs that a pattern would match."""
        beginning = os.path.join(fixed_part(pattern), "")
        return self._taken(pair for pair in self._starting(beginning) if fits(pattern, pair[0]))

    def _starting(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield places that begin so, with their identities."""
        first = bisect_left(self._places, (prefix, ""))
        return takewhile(lambda pair: pair[0].startswith(prefix), islice(self._places, first, None))

    def _taken(self, found: Iterable[tuple[str, str]]) -> list[Song]:
        rows = [self._rows.pop(identity) for _, identity in found if identity in self._rows]
        self._seen.update(row.place for row in rows)
        return sorted(rows, key=lambda row: row.turn)


def gather(queue: Queue, playlist: Playlist) -> None:
    """Bring the queue in line with a list. The projects of songs that leave it stay."""
    before = queue.songs()
    numbers = {song.identity: song.id for song in before}
    rows, gone = merged(before, playlist)
    with queue.writing():
        queue.remove(song.id for song in gone)
        queue.renumber({numbers[row.identity]: row.id for row in rows if row.identity in numbers})
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


def _once(one: Entry | Problem, projects: dict[str, str]) -> Entry | Problem:
    """Refuse a project that the list has named before, perhaps spelt otherwise: both would be rendered at once."""
    if isinstance(one, Problem) or not is_project(one.place):
        return one
    place = os.path.realpath(one.place)
    if place not in projects:
        projects[place] = one.origin
        return one
    return Problem(
        one.origin,
        f"the list names this project twice: {projects[place]}",
        "take one of the lines out",
        one.title or str(one.place),
    )


def _places_of(one: Entry | Problem) -> list[str]:
    """Return where a song lies, or would lie.

    A broken entry that names no place is never the same as a song: once it is mended, it is a new one.
    """
    if not isinstance(one, Problem):
        return [str(one.place)]
    paths = [Path(place) for place in one.places]
    named = [str(path.parent if path.name == FILE_NAME else path) for path in paths]
    return named or [f"{BROKEN_PLACE}{one.said or one.message}"]


def _take(row: Song, one: Entry | Problem) -> None:
    row.origin = one.origin
    row.tries, row.not_before, row.step, row.fraction, row.running_at = 0, 0.0, "", 0.0, ""
    asked = one.entry if isinstance(one, Problem) else one
    if asked is not None:
        row.title, row.artist = asked.title or row.title, asked.artist or row.artist
        row.seconds, row.wishes = asked.seconds or row.seconds, dict(asked.wishes)
    if not isinstance(one, Problem):
        row.kept = is_project(one.place)
        row.project = str(one.place) if row.kept else row.project
        columns: tuple[Any, ...] = ("waiting", "", None, 0)
    else:
        row.title = row.title or ("" if asked is not None else one.said)
        columns = ("failed", one.message, one.hint, int(BROKEN))
    if row.state != "cancelled":
        row.state, row.cause, row.hint, row.exit_code = columns
