"""Songs and projects of a folder, and those that a pattern matches."""

from __future__ import annotations

import glob
import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.audio.names import is_audio, songs_in
from covermaker.project.load import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = re.compile(r"[*?[]")
_DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[list[str | int], str]:
    """Return what a name is sorted by so that 2 comes before 10; upper and lower case are one."""
    parts = _DIGITS.split(name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def is_project(folder: str | Path) -> bool:
    """Tell whether a folder is that of a project."""
    return os.path.isfile(os.path.join(folder, FILE_NAME))


def in_folder(folder: Path) -> list[Path]:
    """List what a folder stands for: its audio files, else the projects in it, else those of the folders in it.

    Raises
    ------
    AudioInputError
        When nobody may look into it.
    """
    songs = songs_in(folder)
    if songs:
        return sorted(songs, key=lambda song: natural(song.name))
    names = (name for name in os.listdir(folder) if not name.startswith("."))
    projects = [folder / name for name in sorted(names, key=natural) if is_project(folder / name)]
    return projects or list(_below(folder))


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        if FILE_NAME in names:
            folders.clear()  # what lies in a project is its own
            yield Path(place)
            continue
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        for name in sorted(names, key=natural):
            file = Path(place, name)
            if not name.startswith(".") and is_audio(file) and file.is_file():
                yield file


def has_magic(text: str) -> bool:
    """Tell whether a text can be a pattern."""
    return _MAGIC.search(text) is not None


def fixed_part(pattern: str) -> str:
    """Return the folder of a pattern up to its first special sign."""
    return os.path.dirname(_MAGIC.split(pattern, maxsplit=1)[0])


def matching(pattern: str, list_suffixes: frozenset[str]) -> list[Path]:
    """List the audio files, projects and lists that an absolute pattern matches, in natural order.

    Lists count where the pattern ends like one: ``*.m3u``. What lies in a project below the pattern's fixed part is
    left out: its own audio, and what it has rendered.
    """
    root = fixed_part(pattern)
    wants_lists = os.path.splitext(pattern)[1].lower() in list_suffixes

    @cache
    def projected(folder: str) -> bool:
        return len(folder) > len(root) and (is_project(folder) or projected(os.path.dirname(folder)))

    found: dict[Path, None] = {}
    for match in glob.iglob(pattern, recursive=True):
        path = Path(match)
        if path.name == FILE_NAME:
            path = path.parent
        if projected(os.path.dirname(path)):
            continue
        if is_audio(path) or (wants_lists and path.suffix.lower() in list_suffixes):
            if path.is_file():
                found[path] = None
        elif is_project(path):
            found[path] = None
    # A folder's songs stay together: no sign of a name comes before the one between names.
    return sorted(found, key=lambda path: natural(str(path).replace(os.sep, "\0")))
