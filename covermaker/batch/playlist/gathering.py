"""Looks where the rows of a list lead and gathers entries and problems; lists in a list are read in their place."""

from __future__ import annotations

import os
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Final, cast

from covermaker.audio.names import AUDIO_SUFFIXES, is_audio
from covermaker.batch.entries import Entry, Problem, Remark
from covermaker.batch.playlist.places import LostError, NotThereError, find
from covermaker.batch.playlist.rows import Called, Row, one_line
from covermaker.batch.playlist.scanning import in_folder, is_project, matching, next_step
from covermaker.disk import expanded
from covermaker.errors import AudioInputError, CovermakerError, UsageError, nearest
from covermaker.project.load import FILE_NAME
from covermaker.voices.library import is_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.batch.playlist.rows import Reader

# Which module reads which files; each has a `read`.
READERS: Final = {
    ".m3u": "m3u",
    ".m3u8": "m3u",
    ".pls": "pls",
    ".xspf": "xspf",
    ".jspf": "jspf",
    ".csv": "table",
    ".tsv": "table",
    ".toml": "songs_toml",
}

DEEPEST = 8  # a list in a list in a list …
MOST_LISTS = 10_000
MOST_NESTED = 100_000  # songs and problems of lists in lists
_NEAREST_LOOKS = 20  # of so many missing songs the nearest name is looked for,
_NEAREST_NAMES = 500  # in folders of so many names
_SAID_CHARACTERS = 200
_ALIKE = 0.6  # of two names, suffixes apart


class Gathering:
    """Entries, problems and remarks as they come.

    Parameters
    ----------
    root : str
        A folder, absolute: what lies in it is told relative to it.
    """

    def __init__(self, root: str) -> None:
        self.entries: list[Entry] = []
        self.problems: list[Problem] = []
        self.remarks: list[Remark] = []
        self._root = root
        # The lists that are being read: their origins by device and inode.
        self._open: dict[tuple[int, int], str] = {}
        self._lists = 0
        self._nested = 0
        self._looks = 0
        self._names_in = cache(_names_in)

    def place(self, path: Path, info: os.stat_result) -> str:
        """Take what was asked for by itself, and return what it calls itself, where it does.

        Raises
        ------
        UsageError
            When there is no song in it, not even one that cannot be used.
        ProjectError
            When it is a list of which nothing can be read.
        """
        return self._take(Row(str(path), path.name), path, info)

    def pattern(self, pattern: str, row: Row | None = None) -> bool:
        """Take what an absolute pattern matches, for a row or by itself; tell whether anything does."""
        matches = matching(pattern, frozenset(READERS))
        for path in matches:
            text = str(path)
            self.row(
                replace(row, text=text, escaped=False) if row else Row(text, self._origin(path)), self._root
            )
        return bool(matches)

    def row(self, row: Row, folder: str) -> None:
        """Take what a row names, relative to a folder; what is wrong with it is a problem."""
        places: tuple[str, ...] = ()
        pattern = ""
        try:
            row = replace(row, wishes=_lasting(row.wishes, folder))
            try:
                path, info = find(row.text, folder, escaped=row.escaped)
            except LostError as error:
                places = error.paths
                if not isinstance(error, NotThereError):
                    raise
                # Not ? and [: songs are called like that, and each would search its folder.
                if "*" in row.text:
                    if self.pattern(error.path, row):
                        return
                    pattern = error.path
                    raise UsageError(f"no song matches {pattern}", hint=next_step(pattern)) from error
                hint = self.near(error.path) or "correct the path, or take the line out"
                raise UsageError(error.message, hint=hint) from error
            places = (path,)
            self._take(row, Path(path), info)
        except CovermakerError as error:
            said = row.title or one_line(row.text)
            asked = _entry(row, Path(places[0])) if places else None
            self._tell(
                Problem(
                    row.origin, error.message, error.hint, said, entry=asked, places=places, pattern=pattern
                )
            )

    def near(self, path: str) -> str | None:
        """Return the nearest name to one that is missing; of the first only, in folders that are read quickly."""
        self._looks += 1
        if self._looks > _NEAREST_LOOKS:
            return None
        folder, name = os.path.split(path)
        names = self._names_in(folder)
        if names is None:
            return f"there is no folder {folder} either"
        close = _closest(name, names) if len(names) <= _NEAREST_NAMES else None
        return f"did you mean '{close}'?" if close else None

    def _tell(self, problem: Problem) -> None:
        self._nested += len(self._open) > 1
        said = problem.said[:_SAID_CHARACTERS]
        self.problems.append(replace(problem, said=said, after=len(self.entries)))

    def _origin(self, path: Path) -> str:
        return str(path).removeprefix(self._root).lstrip(os.sep) if self._root else str(path)

    def _take(self, row: Row, path: Path, info: os.stat_result) -> str:
        """Take what lies at a path; returns the title of a list."""
        if S_ISDIR(info.st_mode):
            self._take_folder(row, path)
        elif not S_ISREG(info.st_mode):
            raise UsageError(f"{path} is no file", hint="name a song, a list, a folder or a project")
        elif path.name == FILE_NAME:
            self._add(row, path.parent)
        elif (suffix := path.suffix.lower()) in READERS:
            return self._take_list(row, path, info, READERS[suffix])
        elif is_audio(path):
            self._add(row, path)
        else:
            known = nearest(suffix, [*AUDIO_SUFFIXES, *READERS], alike=0.8)  # short names are alike soon
            raise UsageError(f"{path} is no song and no list, as its name says", hint=known)
        return ""

    def _add(self, row: Row, place: Path) -> None:
        self._nested += len(self._open) > 1
        self.entries.append(_entry(row, place))

    def _take_folder(self, row: Row, folder: Path) -> None:
        if is_project(folder):
            self._add(row, folder)
            return
        try:
            places = in_folder(folder)
        except (AudioInputError, OSError) as error:
            raise UsageError(f"cannot look into {folder}", hint="see that you may read it") from error
        if not places:
            raise UsageError(
                f"there is no song in {folder}", hint=f"it needs audio files, or projects ({FILE_NAME})"
            )
        if len(places) > 1:  # then these are of no single one
            row = replace(row, title="", seconds=None)
        for place in places:
            self._add(row if self._open else replace(row, origin=self._origin(place)), place)

    def _take_list(self, row: Row, file: Path, info: os.stat_result, module: str) -> str:
        key = (info.st_dev, info.st_ino)
        self._refuse_endless(file, key)
        reader = cast("Reader", import_module(f"covermaker.batch.playlist.{module}").read)
        origin = self._origin(file)
        folder = str(file.parent)
        title, before = "", self._count()
        self._open[key] = origin
        self._lists += 1
        try:
            for found in reader(file, origin):
                if len(self._open) > 1:
                    self._refuse_more(f"the rest of {file}")
                if isinstance(found, Row):
                    self.row(_within(row, found), folder)
                elif isinstance(found, Called):
                    title = title or found.title
                elif isinstance(found, Remark):
                    self.remarks.append(found)
                else:
                    self._tell(found)
        except CovermakerError as error:
            if self._count() == before:
                raise
            self._tell(Problem(origin, error.message, error.hint))
        finally:
            del self._open[key]
        if self._count() == before:
            raise UsageError(
                f"there is no song in {file}", hint="put songs into the list, or name another one"
            )
        return title

    def _refuse_endless(self, file: Path, key: tuple[int, int]) -> None:
        hint = "take the line out, or put the songs of that list here"
        if key in self._open:
            chain = list(self._open.values())[list(self._open).index(key) :]
            raise UsageError(
                f"the lists name each other in a circle: {' > '.join([*chain, chain[0]])}", hint=hint
            )
        if len(self._open) >= DEEPEST:
            raise UsageError(f"{file} is not read: lists are nested deeper than {DEEPEST}", hint=hint)
        if self._open:
            self._refuse_more(str(file))
        if self._lists >= MOST_LISTS:
            raise UsageError(f"{file} is not read: it would be list {MOST_LISTS + 1} of one run", hint=hint)

    def _refuse_more(self, what: str) -> None:
        if self._nested >= MOST_NESTED:
            raise UsageError(
                f"{what} is not read: lists in lists hold {MOST_NESTED} songs already",
                hint="make several batches of it",
            )

    def _count(self) -> int:
        return len(self.entries) + len(self.problems)


def _entry(row: Row, place: Path) -> Entry:
    return Entry(place, row.origin, row.title, row.artist, row.seconds, row.wishes)


def _closest(name: str, names: Iterable[str]) -> str | None:
    """Return the nearest name: alike before the suffix, which all songs of a folder share."""
    stem, suffix = os.path.splitext(name)
    stems = {os.path.splitext(one)[0]: one for one in sorted(names, key=lambda one: one.endswith(suffix))}
    close = get_close_matches(stem, stems, n=1, cutoff=_ALIKE)
    return stems[close[0]] if close else None


def _names_in(folder: str) -> list[str] | None:
    try:
        return os.listdir(folder)
    except OSError:
        return None


def _lasting(wishes: Mapping[str, str | float], folder: str) -> dict[str, str | float]:
    """Write a voice's place so that it is found from elsewhere; what is relative begins at the list's folder."""
    voice = str(wishes.get("voice", ""))
    if not is_place(voice):
        return dict(wishes)
    return {**wishes, "voice": os.path.join(folder, expanded(voice, "voice"))}


def _within(outer: Row, row: Row) -> Row:
    """Let what was said of a whole list hold for a row of it that does not say otherwise."""
    if not (outer.wishes or outer.artist):
        return row
    return replace(row, wishes={**outer.wishes, **row.wishes}, artist=row.artist or outer.artist)
