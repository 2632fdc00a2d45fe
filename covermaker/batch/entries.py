"""What a playlist asks for: songs to cover, what is said of each, and what is wrong with the list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

# A song that is told to be longer is not: players write such lengths of streams, and of what they could not read.
LONGEST_SECONDS: Final = 86_400.0

# What a playlist with columns (CSV, TSV, TOML) may say of a song, and how its value is read.
COLUMNS: Final[dict[str, type]] = {
    "title": str,
    "artist": str,  # the original artist
    "voice": str,
    "transpose": str,  # as in a project: semitones, auto, fit or off
    "preset": str,  # a rack preset for the vocal
    "master": str,  # a master preset
    "loudness_lufs": float,
    "separator": str,
    "pitch": str,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a playlist.

    Attributes
    ----------
    place : Path
        An absolute path: a song's file, or the folder of a project that is there already.
    origin : str
        Where it was asked for, for people: ``"friday.m3u8:7"``, ``"friday.jspf, track 3"``, ``"songs/01.flac"``.
    title, artist : str
        What the list calls it; empty where it does not say.
    seconds : float or None
        How long it is, where the list says so.
    wishes : dict of str to str or float
        What else is said of this song alone, by the names of `COLUMNS` without title and artist.
    """

    place: Path
    origin: str
    title: str = ""
    artist: str = ""
    seconds: float | None = None
    wishes: dict[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that cannot be used, or a list that cannot be read: told, never fatal for the others.

    Attributes
    ----------
    origin : str
        As of `Entry`.
    message : str
        One line.
    hint : str or None
        What to do next.
    said : str
        What the list holds there, for the report: a title or a path.
    after : int
        How many entries of the list come before it.
    entry : Entry or None
        What the list says of the song, where it is its place that cannot be used.
    places : tuple of str
        Where the song would lie, the likeliest path first; empty where it names no path.
    pattern : str
        An absolute pattern that matches nothing now; "" where the entry is none.
    """

    origin: str
    message: str
    hint: str | None = None
    said: str = ""
    after: int = field(default=0, compare=False)
    entry: Entry | None = field(default=None, compare=False)
    places: tuple[str, ...] = field(default=(), compare=False)
    pattern: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Remark:
    """What is odd about a list and spoils no entry: told once, no song of the batch. As of `Problem`."""

    origin: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Playlist:
    """What was found, in the order of the list.

    Attributes
    ----------
    title : str
        What the list calls itself, else the name of its file or folder.
    entries : tuple of Entry
    problems : tuple of Problem
    remarks : tuple of Remark
    """

    title: str
    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Remark, ...] = ()
