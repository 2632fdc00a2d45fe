"""PLS: ``File1=``, ``Title1=`` and ``Length1=`` below ``[playlist]``, in any order; numbers give the songs' order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.batch.entries import Problem
from covermaker.batch.playlist.rows import Row, artist_and_title, seconds_of
from covermaker.batch.playlist.text import lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.batch.playlist.rows import Found

_PAIR = re.compile(r"(file|title|length)([0-9]{1,9})\s*=\s*(.*)", re.IGNORECASE)


@dataclass(slots=True)
class _Song:
    line: int
    file: str = ""
    title: str = ""
    length: str = ""


def read(file: Path, origin: str) -> Iterator[Found]:
    """Yield what a list says, by its numbers; see `rows.Reader`."""
    songs: dict[int, _Song] = {}
    for line, text in enumerate(lines(file), 1):
        match = _PAIR.fullmatch(text.strip())
        if match is None:
            continue  # the header, the number of entries, the version, remarks
        key, number, value = match[1].lower(), int(match[2]), match[3]
        song = songs.setdefault(number, _Song(line))
        if key == "file":
            if song.file:
                yield Problem(
                    f"{origin}:{line}",
                    f"there is a File{number} already",
                    "give each song its own number",
                    value,
                )
                continue
            song.line = line
        setattr(song, key, value)
    for number in sorted(songs):
        song = songs[number]
        place = f"{origin}:{song.line}"
        artist, title = artist_and_title(song.title)
        if song.file:
            yield Row(song.file, place, title, artist, seconds_of(song.length))
        else:
            yield Problem(
                place, f"File{number} is missing", f"add File{number}=, or take the line out", title
            )
