"""Tables of a batch: how it stands with its songs, and what a dry run would do."""

from __future__ import annotations

import sys
import textwrap
from shlex import quote
from typing import TYPE_CHECKING, Final

from covermaker.cli.output import near, printable, table, terminal_width
from covermaker.texts import cells, cut, one_line
from covermaker.units import clock, human_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.batch.plan import Plan, Planned
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song

# Of more songs only those that failed are listed, unless all are asked for.
MOST_SONGS: Final = 50

# Sections of a dry run: by what would be done.
_STATES: Final = {
    "done": "done already",
    "stale": "some steps",
    "new": "to do",
    "failed": "cannot be done",
    "cancelled": "cancelled",
}
_PLAN_HEADER: Final = ("#", "song", "length", "would be", "takes")
_TITLE_AT_LEAST: Final = 12
_GAP: Final = 2


def ran_seconds(queue: Queue) -> float | None:
    """Return how long a batch ran the last time; None where nobody has noted its end."""
    began, ended = queue.fact("began"), queue.fact("ended")
    return ended - began if began and ended and ended >= began else None


def standing(queue: Queue, *, which: str = "") -> str:
    """Write how it stands with the songs: a table and its sum.

    Parameters
    ----------
    which : str
        ``"all"``, ``"failed"``, or "": all where they are not many, else those that run or failed.
    """
    from covermaker.batch.words import summary_words

    songs, worked_on = queue.songs(), queue.is_worked_on
    states = {"failed"} if which == "failed" or (not which and len(songs) > MOST_SONGS) else set()
    if states and not which:
        states.add("running")
    shown = [song for song in songs if song.state in states] if states else songs
    done = [song for song in songs if song.state == "done"]
    was_done = sum(song.was_done for song in done)
    took = ran_seconds(queue) if was_done < len(done) else None  # else it tells of another run
    sums = summary_words(queue.counts(), took, was_done=was_done, worked_on=worked_on)
    parts = [_songs(queue, shown, worked_on=worked_on), f"{sums}{_album(queue, done)}"]
    if which != "failed" and len(shown) < len(songs):
        every = f"covermaker batch status --all {quote(near(str(queue.folder)))}"
        parts[-1] += f"\n{len(songs) - len(shown)} more are not listed; all of them: {every}"
    return printable("\n\n".join(filter(None, parts)))


def _songs(queue: Queue, songs: Sequence[Song], *, worked_on: bool) -> str:
    from covermaker.batch.words import HEADER, fitted, table_rows, told_below

    if not songs:
        return ""
    width = terminal_width()
    rows = table_rows(songs, folder=queue.folder, worked_on=worked_on)
    below = [told_below(song) for song in songs]
    if width is None:
        rows = [(*row[:-1], row[-1] or told) for row, told in zip(rows, below, strict=True)]
        return table(rows, header=(*HEADER[:-1], "file, or why not"))
    header, *rows = fitted([HEADER, *rows], width)
    return _with_lines(rows, below, header, width)


def _album(queue: Queue, done: Sequence[Song]) -> str:
    """Say how loud an album came out."""
    from covermaker.batch.album import reached
    from covermaker.batch.options import Options

    options = Options.of(queue.fact("options", {}))
    lufs = reached(done) if options.album else None
    if lufs is None:
        return ""
    return f"\nalbum: {lufs:.1f} LUFS all together, asked for {options.album_lufs:g}"


def _with_lines(
    rows: Sequence[tuple[str, ...]], below: Sequence[str], header: Sequence[str], width: int
) -> str:
    """Align rows in columns, and write what there is to say of some under them, over the whole width."""
    first, rule, *lines = table(rows, header=header, width=width).splitlines()
    indent = " " * (max(len(header[0]), *(len(row[0]) for row in rows)) + _GAP)
    text = [first, rule]
    for line, told in zip(lines, below, strict=True):
        text += [line, *wrapped(told, width, first=indent, rest=indent)]
    return "\n".join(text)


def wrapped(text: str, width: int | None, *, first: str = "", rest: str) -> list[str]:
    """Break a text between its words into lines of a terminal; None is one without end."""
    return textwrap.wrap(
        text, width or sys.maxsize, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip


def plan_words(plan: Plan) -> str:
    """Write what a dry run has found out."""
    width = terminal_width()
    rows = [_planned(song) for song in plan.songs]
    below = [_problem(song) for song in plan.songs]
    if width is None:
        whole = [(*row, told) for row, told in zip(rows, below, strict=True)]
        text = table(whole, header=(*_PLAN_HEADER, "problem"))
    else:
        widths = [max(map(cells, column)) for column in zip(_PLAN_HEADER, *rows, strict=True)]
        room = max(_TITLE_AT_LEAST, width - sum(widths) + widths[1] - _GAP * (len(widths) - 1))
        text = _with_lines(
            [(row[0], cut(row[1], room), *row[2:]) for row in rows], below, _PLAN_HEADER, width
        )
    notes = [line for note in plan.notes for line in wrapped(f"note: {one_line(note)}", width, rest="      ")]
    return "\n".join([text, "", *notes, _sums(plan)])


def _planned(song: Planned) -> tuple[str, ...]:
    return (
        str(song.number),
        one_line(song.title),
        clock(song.seconds) if song.seconds is not None else "",
        _STATES[song.state],
        clock(song.cost_seconds) if song.state in {"new", "stale"} else "",
    )


def _problem(song: Planned) -> str:
    if not song.cause or song.state == "cancelled":
        return ""
    return f"{one_line(song.origin)}: {one_line(song.cause)}" + (
        f" ({one_line(song.hint)})" if song.hint else ""
    )


def _sums(plan: Plan) -> str:
    counts = {state: sum(song.state == state for song in plan.songs) for state in _STATES}
    sums = ", ".join(f"{count} {_STATES[state]}" for state, count in counts.items() if count)
    memory = human_bytes(plan.memory_bytes)
    end = f"about {clock(plan.seconds)} with {plan.workers} at once, {memory} of memory"
    unknown = sum(song.seconds is None and song.state == "new" for song in plan.songs)
    more = f"; of {unknown} songs the length was not looked up" if unknown else ""
    return f"{sums}\n{end}{more}"
