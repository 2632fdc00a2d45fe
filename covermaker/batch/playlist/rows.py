"""What a list says, before anybody looks where it lies: what every format's reader yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from covermaker.batch.entries import LONGEST_SECONDS, Problem, Remark


@dataclass(frozen=True, slots=True)
class Row:
    """A line that names a song, a folder, a project, a pattern or another list.

    Attributes
    ----------
    text : str
        The path or address as it stands there.
    origin, title, artist, seconds, wishes
        As of `covermaker.batch.entries.Entry`.
    escaped : bool
        Whether the text is an address whose ``%20`` means a space, as XSPF and JSPF have them.
    """

    text: str
    origin: str
    title: str = ""
    artist: str = ""
    seconds: float | None = None
    wishes: dict[str, str | float] = field(default_factory=dict)
    escaped: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """The list says what it is called."""

    title: str


Found: TypeAlias = Row | Called | Problem | Remark

# Takes the list's file, and how origins call it; raises ProjectError where it cannot be read from there on.
Reader: TypeAlias = Callable[[Path, str], Iterator[Found]]


def one_line(text: object) -> str:
    """Return a text in one line, without spaces around it; of anything else nothing."""
    return " ".join(text.split()) if isinstance(text, str) else ""


def artist_and_title(text: str) -> tuple[str, str]:
    """Split ``Artist - Title`` as M3U and PLS have it; without the hyphen all of it is the title."""
    artist, hyphen, title = one_line(text).partition(" - ")
    return (artist, title) if hyphen else ("", artist)


def seconds_of(value: object, *, unit_seconds: float = 1.0) -> float | None:
    """Return a length in seconds; None where no song has it, as the -1 that stands for a stream."""
    try:
        seconds = float(value) * unit_seconds  # type: ignore[arg-type]  # anything else raises
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0.0 < seconds <= LONGEST_SECONDS else None
