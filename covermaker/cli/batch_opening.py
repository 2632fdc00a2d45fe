"""Which batch a command means: that of a folder, or the last one; and which of its songs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from covermaker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.batch.queue import Queue

FOLDER = click.Path(path_type=Path, file_okay=False)
folder_argument = click.argument("folder", required=False, type=FOLDER)

_NUMBERS: Final = re.compile(r"(\d+)(?:-(\d+))?")


def opened(folder: Path | None) -> Queue:
    """Open the queue of a folder, or of the last batch.

    Raises
    ------
    UsageError
        When no folder is named and no batch is known.
    """
    from covermaker.batch.known import known_batches
    from covermaker.batch.queue import Queue

    if folder is None:
        folder = next(iter(known_batches()), None)
        if folder is None:
            raise UsageError("no batch was begun yet", hint="covermaker batch PLAYLIST --out FOLDER")
    return Queue(folder)


def parted(words: Sequence[str]) -> tuple[Path | None, list[range]]:
    """Tell a folder from the numbers of songs behind it; a first word that is a number and no folder is a number.

    Raises
    ------
    UsageError
        When one of the others is no number.
    """
    folder = None
    rest = list(words)
    if rest and (_NUMBERS.fullmatch(rest[0]) is None or Path(rest[0]).is_dir()):
        folder = Path(rest.pop(0))
    return folder, [_span(word) for word in rest]


def _span(word: str) -> range:
    found = _NUMBERS.fullmatch(word)
    if found is None:
        raise UsageError(f"'{word}' is no number of a song", hint="write numbers and ranges: 9 150-400")
    first = int(found[1])
    last = int(found[2] or first)
    if last < first:
        raise UsageError(f"'{word}' is no range", hint=f"write {last}-{first}")
    return range(first, last + 1)


def numbers_of(queue: Queue, spans: Sequence[range]) -> list[int]:
    """Return the songs that are meant; of a range those that are there, if there are any."""
    known = [song.id for song in queue.lengths()]
    numbers: list[int] = []
    for span in spans:
        there = [number for number in known if number in span]
        numbers += there or [span.start]
    return list(dict.fromkeys(numbers))
