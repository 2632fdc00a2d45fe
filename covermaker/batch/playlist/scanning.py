"""Songs and projects of a folder, and those that a pattern matches."""

from __future__ import annotations

import fnmatch
import os
import re
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.audio.names import is_audio, songs_in
from covermaker.batch.queue import FILE_NAME as BATCH_FILE
from covermaker.project.load import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_MAGIC = re.compile(r"[*?[]")
_DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[list[str | int], str]:
    """Return what a name is sorted by so that 2 comes before 10; upper and lower case are one."""
    parts = _DIGITS.split(name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def is_project(folder: str | Path) -> bool:
    """Tell whether a folder is that of a project."""
    return os.path.isfile(os.path.join(folder, FILE_NAME))


def is_batch(folder: str | Path) -> bool:
    """Tell whether a folder is where a batch puts its projects and covers."""
    return os.path.isfile(os.path.join(folder, BATCH_FILE))


def in_folder(folder: Path) -> list[Path]:
    """List what a folder stands for: its audio files, else the projects in it, else those of the folders in it.

    What lies in the folder of a batch below it is left out. In one that is a batch's folder itself, songs come before
    the projects, which may be made of them. Each file comes once, and links to folders are not followed.

    Raises
    ------
    AudioInputError
        When nobody may look into it.
    """
    songs = songs_in(folder)
    if songs:
        return _each_once(songs)
    names = (name for name in os.listdir(folder) if not name.startswith("."))
    projects = [folder / name for name in sorted(names, key=natural) if is_project(folder / name)]
    if projects and not is_batch(folder):
        return projects
    return _each_once(_below(folder, leaving=frozenset(map(str, projects)))) or projects


def _below(root: Path, *, leaving: frozenset[str]) -> Iterator[Path]:
    for place, folders, names in os.walk(root):
        if place in leaving or (is_batch(place) and place != str(root)):
            folders.clear()
            continue
        if FILE_NAME in names:
            folders.clear()  # what lies in a project is its own
            yield Path(place)
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(place, name)
            if not name.startswith(".") and is_audio(file) and file.is_file():
                yield file


def _each_once(places: Iterable[Path]) -> list[Path]:
    """Return places in natural order; of several that are links to the same file the first, and no link if possible."""
    once: dict[str, Path] = {}
    # A folder's songs stay together: no sign of a name comes before the one between names.
    by_name = sorted(places, key=lambda path: natural(str(path).replace(os.sep, "\0")))
    for path in sorted(by_name, key=os.path.islink):
        once.setdefault(os.path.realpath(path), path)
    kept = set(once.values())
    return [path for path in by_name if path in kept]


def has_magic(text: str) -> bool:
    """Tell whether a text can be a pattern."""
    return _MAGIC.search(text) is not None


def fixed_part(pattern: str) -> str:
    """Return the folder of a pattern up to its first special sign."""
    return os.path.dirname(_MAGIC.split(pattern, maxsplit=1)[0])


def matching(pattern: str, list_suffixes: frozenset[str]) -> list[Path]:
    """List the audio files, projects and lists that an absolute pattern matches, each once, in natural order.

    Lists count where the pattern ends like one: ``*.m3u``. What lies in a project or in a batch's folder below the
    pattern's fixed part is left out: its own audio, and what was rendered.
    """
    root = fixed_part(pattern)
    wants_lists = os.path.splitext(pattern)[1].lower() in list_suffixes

    @cache
    def is_closed(folder: str) -> bool:
        below = len(folder) > len(root)
        return below and (is_project(folder) or is_batch(folder) or is_closed(os.path.dirname(folder)))

    found: dict[Path, None] = {}
    for match in _matches(root, pattern[len(root) :].split(os.sep), is_closed):
        path = Path(match)
        if path.name == FILE_NAME:
            path = path.parent
        if is_closed(os.path.dirname(path)):
            continue
        if is_audio(path) or (wants_lists and path.suffix.lower() in list_suffixes):
            if path.is_file():
                found[path] = None
        elif is_project(path):
            found[path] = None
    if is_batch(root):  # as of `in_folder`
        others = [path for path in found if path.parent != Path(root) or not is_project(path)]
        return _each_once(others or found)
    return _each_once(found)


def _matches(root: str, parts: Sequence[str], is_closed: Callable[[str], bool]) -> Iterable[str]:
    """Return what a pattern's parts match below a folder, as `glob` has it, but ``**`` follows no link."""
    places: dict[str, None] = {root or os.sep: None}
    for at, part in enumerate(parts):
        step = partial(_walked, is_closed=is_closed, files=at == len(parts) - 1) if part == "**" else _named
        places = dict.fromkeys(found for place in places for found in step(place, part))
    return places


def _walked(root: str, _: str, *, is_closed: Callable[[str], bool], files: bool) -> Iterator[str]:
    """Yield a folder and all below it that are not hidden, and the files in them where these are asked for."""
    for place, folders, names in os.walk(root):
        yield place
        if is_closed(place):
            folders.clear()
        folders[:] = [name for name in folders if not name.startswith(".")]  # os.walk follows no links
        if files:
            yield from (os.path.join(place, name) for name in names if not name.startswith("."))


def _named(folder: str, part: str) -> Iterator[str]:
    """Yield what is called so in a folder."""
    if part in ("", "."):
        if os.path.isdir(folder):
            yield folder
        return
    if not has_magic(part):
        path = os.path.join(folder, part)
        if os.path.lexists(path):
            yield path
        return
    fits = re.compile(fnmatch.translate(part)).match
    try:
        names = os.listdir(folder)
    except OSError:
        return
    hidden = part.startswith(".")
    yield from (os.path.join(folder, name) for name in names if fits(name) and name.startswith(".") == hidden)


def next_step(pattern: str) -> str:
    """Say what to do about an absolute pattern that matches nothing."""
    root = fixed_part(pattern)
    if not os.path.isdir(root):
        return f"there is no folder {root}: is its drive there?"
    return "* stands for any name, ** for folders at any depth"


def fits(pattern: str, place: str) -> bool:
    """Tell whether an absolute pattern would match a place, were it there: a file, or the folder of a project."""
    parts = [part for part in pattern.split(os.sep) if part not in ("", ".")]
    names = place.strip(os.sep).split(os.sep)
    return _fit(parts, names) or _fit(parts, [*names, FILE_NAME])


def _fit(parts: Sequence[str], names: Sequence[str]) -> bool:
    if not parts:
        return not names
    first, rest = parts[0], parts[1:]
    if first == "**":
        return any(_fit(rest, names[at:]) for at in range(len(names) + 1))
    return bool(names) and fnmatch.fnmatchcase(names[0], first) and _fit(rest, names[1:])
