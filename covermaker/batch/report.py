"""What became of a batch, in its folder: a page for people, lines for programs, a list for players."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from covermaker.batch.album import reached
from covermaker.batch.options import Options
from covermaker.batch.report_page import Batch, page
from covermaker.batch.report_row import row_of
from covermaker.disk import write_text
from covermaker.texts import writable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from covermaker.batch.queue import Queue
    from covermaker.batch.report_row import Row
    from covermaker.batch.rows import StepTime, Try

PAGE_NAME: Final = "report.html"
LINES_NAME: Final = "report.jsonl"
COVERS_NAME: Final = "covers.m3u8"


def rows(queue: Queue) -> list[Row]:
    """Return all songs of a batch in the order of their turns; of those that run or wait, what is known so far."""
    options = Options.of(queue.fact("options", {}))
    steps: dict[int, list[StepTime]] = defaultdict(list)
    for step in queue.steps():
        steps[step.song].append(step)
    attempts: dict[int, list[Try]] = defaultdict(list)
    for attempt in queue.tries():
        attempts[attempt.song].append(attempt)
    return [row_of(song, options, queue.folder, steps[song.id], attempts[song.id]) for song in queue.songs()]


def write_report(queue: Queue) -> Path:
    """Write all three files; returns the page.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    known = rows(queue)
    write_json_lines(queue, known)
    write_covers(queue, known)
    return write_page(queue, known)


def write_json_lines(queue: Queue, known: Sequence[Row] | None = None) -> Path:
    """Write `Row` as JSON, a song a line, in ASCII: a file name that is no Unicode text comes back as it is."""
    file = queue.folder / LINES_NAME
    told = rows(queue) if known is None else known
    write_text(file, "".join(json.dumps(asdict(row), allow_nan=False) + "\n" for row in told))
    return file


def write_page(queue: Queue, known: Sequence[Row] | None = None) -> Path:
    """Write the page; the same queue gives the same bytes."""
    file = queue.folder / PAGE_NAME
    options = Options.of(queue.fact("options", {}))
    batch = Batch(
        title=_title(queue),
        state=queue.fact("state", "new"),
        options=options,
        began=queue.fact("began"),
        ended=queue.fact("ended"),
        links=tuple(name for name in (COVERS_NAME, LINES_NAME) if (queue.folder / name).is_file()),
        album_lufs=reached(queue.songs("done")) if options.album else None,
    )
    write_text(file, page(batch, rows(queue) if known is None else known))
    return file


def write_covers(queue: Queue, known: Sequence[Row] | None = None) -> Path:
    """Write the finished covers as an extended M3U in UTF-8; paths are relative."""
    file = queue.folder / COVERS_NAME
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(_title(queue))}"]
    for row in rows(queue) if known is None else known:
        if row.cover:
            called = f"{row.artist} - {row.title}" if row.artist else row.title
            length = -1 if row.seconds is None else round(row.seconds)
            lines += [f"#EXTINF:{length},{_line(called)}", _entry(row.cover, queue.folder)]
    write_text(file, "\n".join(lines) + "\n")
    return file


def _title(queue: Queue) -> str:
    return str(queue.fact("title") or queue.folder.name)


def _line(text: str) -> str:
    return writable(" ".join(text.split()))


def _entry(place: str, folder: Path) -> str:
    """Write a path as a line of a list; one that is no line of text as an address."""
    if writable(place) != place or place.splitlines() != [place] or place.strip() != place:
        return (folder / place).resolve().as_uri()
    # A comment, or somebody's home.
    return f"./{place}" if place.startswith(("#", "~")) else place
