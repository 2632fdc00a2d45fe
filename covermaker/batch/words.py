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

    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song

HEADER: Final = ("#", "song", "state", "time", "LUFS", "like", "words", "file")

_FILE: Final = len(HEADER) - 1
_GAP: Final = 2
# In cells: what a title has at least, and what it leaves to the file where it can.
_TITLE_AT_LEAST: Final = 8
_LAST_AT_LEAST: Final = 20
_LAST_COMFORTABLE: Final = 44
_PREPARING: Final = "prepare"  # before there is anything to render


def called(queue: Queue) -> str:
    """Say which batch is meant."""
    title = one_line(str(queue.fact("title") or queue.folder.name))
    return f"the batch '{title}' in {one_line(str(queue.folder))}"


def failure_words(step: str, cause: str) -> str:
    """Say in a line of the log where a song failed, and why."""
    return f"failed: {cause}" if step in {"", _PREPARING} else f"failed at {step}: {cause}"


def cancelled_words(step: str) -> str:
    """Say what a song is that was cancelled at a step; "" is before it was begun."""
    if step in {"", _PREPARING}:
        return "cancelled"
    return f"cancelled at {step}: finished steps are kept, no cover is written"


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


def summary_words(
    counts: Mapping[str, int],
    seconds: float | None = None,
    *,
    was_done: int = 0,
    worked_on: bool = True,
) -> str:
    """Return how it stands with all songs: ``"15 of 20 done in 4:10, 5 failed; 3 were done already"``.

    Parameters
    ----------
    counts : mapping of str to int
        Songs by state, as `Queue.counts` returns them.
    seconds : float, optional
        How long the batch has run.
    was_done : int
        How many of the done ones were so before.
    worked_on : bool
        Whether somebody does: else no song runs, whatever the queue says.
    """
    took = "" if seconds is None else f" in {clock(seconds)}"
    parts = [f"{counts.get('done', 0)} of {sum(counts.values())} done{took}"]
    words = _OTHERS if worked_on else _OTHERS | {"running": "interrupted"}
    parts += [f"{counts[state]} {word}" for state, word in words.items() if counts.get(state)]
    before = f"; {was_done} {'was' if was_done == 1 else 'were'} done already" if was_done else ""
    return ", ".join(parts) + before


_OTHERS: Final = {"failed": "failed", "cancelled": "cancelled", "running": "running", "waiting": "waiting"}


def table_rows(
    songs: Sequence[Song], *, folder: Path | None = None, worked_on: bool = True
) -> list[tuple[str, ...]]:
    """Return the rows of a table under `HEADER`, a song each.

    Parameters
    ----------
    folder : Path, optional
        The batch's; files are written as seen from it.
    worked_on : bool
        As of `summary_words`.
    """
    return [_row(song, folder, worked_on=worked_on) for song in songs]


def fitted(rows: Sequence[tuple[str, ...]], width: int) -> list[tuple[str, ...]]:
    """Return the rows of a table, the head first, so that they find room in a terminal of so many cells, from 80 up.

    Columns in which nothing stands go. Titles and files are cut; files are told all in the same way: as seen from the
    batch's folder, or by their names where one of them would not fit.
    """
    used = [column for column in range(len(HEADER)) if column < 2 or any(row[column] for row in rows[1:])]
    rows = [tuple(row[column] for column in used) for row in rows]
    if used[-1] != _FILE:
        title = width - sum(_widths(rows)) + _widths(rows)[1] - _GAP * (len(used) - 1)
        return [(row[0], cut(row[1], max(_TITLE_AT_LEAST, title)), *row[2:]) for row in rows]
    title, last = _room(rows, width)
    if any(cells(row[-1]) > last for row in rows):
        rows = [(*row[:-1], Path(row[-1]).name if row[-1] else "") for row in rows]
        title, last = _room(rows, width)
    return [(row[0], cut(row[1], title), *row[2:-1], cut(row[-1], last)) for row in rows]


def _room(rows: Sequence[tuple[str, ...]], width: int) -> tuple[int, int]:
    """Return how wide the title and the file may be."""
    widths = _widths(rows)
    room = width - sum(widths[2:-1]) - widths[0] - _GAP * (len(widths) - 1)
    file = min(widths[-1], _LAST_COMFORTABLE)
    title = min(widths[1], max(_TITLE_AT_LEAST, min(room - _LAST_AT_LEAST, room // 2), room - file))
    return title, max(_LAST_AT_LEAST, room - title)


def _widths(rows: Sequence[tuple[str, ...]]) -> list[int]:
    return [max(map(cells, column)) for column in zip(*rows, strict=True)]


def told_below(song: Song, now: float | None = None) -> str:
    """Return what there is to say of a song that has no room in a row: why it failed and what next; else ""."""
    if song.state == "failed":
        return one_line(song.cause) + (f" ({one_line(song.hint)})" if song.hint else "")
    if song.state == "waiting" and song.cause:
        again = f"{_next_try(song, time.time() if now is None else now)}: " if song.tries else "before: "
        return again + one_line(song.cause)
    return one_line(song.cause) if song.state == "cancelled" and song.cause != song.state else ""


def _row(song: Song, folder: Path | None, *, worked_on: bool) -> tuple[str, ...]:
    result = song.result if song.state == "done" else {}
    file = cover_of(result.get("files") or ())
    return (
        str(song.id),
        one_line(song.name),
        _state(song, worked_on=worked_on),
        clock(song.spent_seconds) if song.spent_seconds else "",
        _figure(result.get("loudness_lufs"), ".1f"),
        _figure(result.get("similarity"), ".2f"),
        _figure(result.get("words_read"), ".0%"),
        one_line(os.path.relpath(file, folder) if file and folder is not None else file),
    )


def _state(song: Song, *, worked_on: bool) -> str:
    """Return the state in a column: of a step its kind, and no cause."""
    if song.state == "running" and not worked_on:
        return "interrupted"
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
