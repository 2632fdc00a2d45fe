"""A batch in words: how it stands with a song, with all of them, and the table of a terminal."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.batch.report_row import cover_of
from covermaker.texts import cells, cut, one_line
from covermaker.units import clock, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.batch.rows import Song

HEADER: Final = ("#", "song", "state", "time", "LUFS", "like", "words", "file, or why not")

_GAP: Final = 2
# In cells: what columns have at least, and what a title leaves to the last one where it can.
_TITLE_AT_LEAST: Final = 8
_LAST_AT_LEAST: Final = 20
_LAST_COMFORTABLE: Final = 44


def state_words(song: Song, now: float | None = None) -> str:
    """Return how it stands with a song: ``"convert 62 %"``, ``"failed: the disk is full"``.

    Parameters
    ----------
    now : float, optional
        Seconds since the epoch; by default what the clock says.
    """
    if song.state == "failed":
        return f"failed: {one_line(song.cause)}"
    if song.state == "running":
        return f"{one_line(song.step)} {share(song.fraction)}" if song.step else "begins"
    if song.state == "waiting" and song.tries:
        return f"waits, {_next_try(song, time.time() if now is None else now)}"
    if song.state == "waiting":
        return "waits"
    return "was done already" if song.state == "done" and song.was_done else song.state


def summary_words(counts: Mapping[str, int], seconds: float | None = None, *, was_done: int = 0) -> str:
    """Return how it stands with all songs: ``"15 of 20 done in 4:10, 5 failed; 3 were done already"``.

    Parameters
    ----------
    counts : mapping of str to int
        Songs by state, as `Queue.counts` returns them.
    seconds : float, optional
        How long the batch has run.
    was_done : int
        How many of the done ones were so before.
    """
    took = "" if seconds is None else f" in {clock(seconds)}"
    parts = [f"{counts.get('done', 0)} of {sum(counts.values())} done{took}"]
    parts += [f"{counts[state]} {word}" for state, word in _OTHERS.items() if counts.get(state)]
    before = f"; {was_done} {'was' if was_done == 1 else 'were'} done already" if was_done else ""
    return ", ".join(parts) + before


_OTHERS: Final = {"failed": "failed", "cancelled": "cancelled", "running": "running", "waiting": "waiting"}


def table_rows(
    songs: Sequence[Song], width: int | None = None, *, folder: Path | None = None, now: float | None = None
) -> list[tuple[str, ...]]:
    """Return the rows of a table under `HEADER`, a song each.

    Titles and files are cut so that all columns find room; what is told of a failure is whole, and wraps in the last.

    Parameters
    ----------
    width : int, optional
        Of the terminal, in cells, from 80 up; None where nobody looks at one: nothing is cut.
    folder : Path, optional
        The batch's; files are written as seen from it.
    now : float, optional
        As of `state_words`.
    """
    at = time.time() if now is None else now
    rows = [_row(song, folder, at) for song in songs]
    if width is None or not rows:
        return rows
    fixed = sum(_width(rows, column) for column in range(len(HEADER)) if column not in {1, 7})
    room = width - fixed - _GAP * (len(HEADER) - 1)
    title = min(
        _width(rows, 1), max(_TITLE_AT_LEAST, min(room - _LAST_AT_LEAST, room // 2), room - _LAST_COMFORTABLE)
    )
    last = max(_LAST_AT_LEAST, room - title)
    return [
        (row[0], cut(row[1], title), *row[2:7], _end(row[7], last) if song.state == "done" else row[7])
        for row, song in zip(rows, songs, strict=True)
    ]


def _row(song: Song, folder: Path | None, now: float) -> tuple[str, ...]:
    result = song.result if song.state == "done" else {}
    return (
        str(song.id),
        one_line(song.name),
        _state(song),
        clock(song.spent_seconds) if song.spent_seconds else "",
        _figure(result.get("loudness_lufs"), ".1f"),
        _figure(result.get("similarity"), ".2f"),
        _figure(result.get("words_read"), ".0%"),
        one_line(_last(song, folder, now)),
    )


def _state(song: Song) -> str:
    """Return the state in a column: of a step its kind, and no cause."""
    if song.state == "running":
        return f"{one_line(song.step).partition(':')[0]} {share(song.fraction)}" if song.step else "begins"
    if song.state == "waiting":
        return "waits"
    return "was done" if song.state == "done" and song.was_done else song.state


def _next_try(song: Song, now: float) -> str:
    left = song.not_before - now
    return f"try {song.tries + 1}" + (f" in {clock(left)}" if left > 0.0 else "")


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _last(song: Song, folder: Path | None, now: float) -> str:
    """Return a failure with its next step, what is tried again and why, or the cover's file."""
    if song.state == "failed":
        return song.cause + (f" ({song.hint})" if song.hint else "")
    if song.state == "waiting" and song.tries:
        return f"{_next_try(song, now)}: {song.cause}"
    file = cover_of(song.result.get("files") or ()) if song.state == "done" else ""
    return os.path.relpath(file, folder) if file and folder is not None else file


def _width(rows: Sequence[tuple[str, ...]], column: int) -> int:
    return max(cells(HEADER[column]), *(cells(row[column]) for row in rows))


def _end(place: str, room: int) -> str:
    """Return a path in so many cells: where it does not fit, its name."""
    return place if cells(place) <= room else cut(Path(place).name, room)
