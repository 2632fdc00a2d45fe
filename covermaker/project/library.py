"""A folder of projects: what there is, and a trash from which everything comes back.

Listing reads the head of each ``cover.toml`` only, so that two thousand songs are on the screen at once; what is wrong
further down is told by whoever opens the project (`covermaker.render.state`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from covermaker.disk import disk_errors, write_text
from covermaker.documents.document import Document
from covermaker.errors import CovermakerError, ProjectError, UsageError
from covermaker.project.load import FILE_NAME, NoProjectError

TRASH = ".trash"
_NOTE = "trashed.json"

# Everything before the first table, and the tables of song and voice; a text over lines that looks like a header is
# found out when the cut piece is no TOML.
_HEAD = re.compile(r"\A.*?(?=^[ \t]*\[|\Z)", re.MULTILINE | re.DOTALL)
_TABLES = re.compile(r"^[ \t]*\[[ \t]*(?:song|voice)[ \t]*\].*?(?=^[ \t]*\[|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One project of a list.

    Attributes
    ----------
    folder : Path
        The project.
    title : str
        Of the song; the folder's name where the document does not say.
    artist : str
        The original artist.
    song : Path or None
        The song's file; None where the document does not say. Need not exist.
    voice : str
        Who sings; "" where it is trained by the project, or nobody knows.
    changed : float
        When the document was written, in seconds since the epoch.
    problem : str or None
        What is wrong with the document, as far as its head tells.
    """

    folder: Path
    title: str
    artist: str
    song: Path | None
    voice: str = ""
    changed: float = 0.0
    problem: str | None = None


def scan(folder: Path) -> list[Row]:
    """List the projects in a folder by title; a folder that is a project itself is the only one.

    Raises
    ------
    UsageError
        When there is no such folder, or nobody may look into it.
    """
    folder = folder.absolute()
    if (folder / FILE_NAME).is_file():
        return [read_row(folder)]
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no folder {folder}", hint="make a project with: covermaker new SONG"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot look into {folder}: {error.strerror}") from error
    rows = [_row(os.path.join(folder, name), name) for name in names]
    return sorted((row for row in rows if row), key=lambda row: (row.title.casefold(), row.folder))


def read_row(folder: Path) -> Row:
    """Return the row of one project.

    Raises
    ------
    ProjectError
        When there is none.
    """
    row = _row(str(folder), folder.name)
    if row is None:
        raise NoProjectError(folder)
    return row


def _row(place: str, name: str) -> Row | None:
    file, folder = os.path.join(place, FILE_NAME), Path(place)
    try:
        with open(file, "rb") as opened:
            data, changed = opened.read(), os.fstat(opened.fileno()).st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return Row(folder, name, "", None, problem=f"{file} cannot be read: {error.strerror}")
    try:
        values = _head(data, file)
    except CovermakerError as error:
        return Row(folder, name, "", None, changed=changed, problem=str(error))
    song, voice = _table(values, "song"), _table(values, "voice")
    file_name = _text(song, "file")
    return Row(
        folder,
        title=_text(values, "title").strip() or name,
        artist=_text(song, "artist"),
        song=Path(place, os.path.expanduser(file_name)) if file_name and "\0" not in file_name else None,
        voice="" if "train" in voice else _text(voice, "name") or "demo",
        changed=changed,
    )


def _head(data: bytes, file: str) -> dict[str, Any]:
    """Return what the first lines of a document say, or the whole of it where they cannot be told apart."""
    try:
        text = data.decode()
        head = _HEAD.match(text)
        return tomllib.loads((head[0] if head else "") + "".join(_TABLES.findall(text)))
    except UnicodeDecodeError as error:
        raise ProjectError(f"{file} is no TOML: it is not UTF-8 text") from error
    except (tomllib.TOMLDecodeError, RecursionError):
        return Document.parse(text, file).values


def _table(values: dict[str, Any], key: str) -> dict[str, Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _text(values: dict[str, Any], key: str) -> str:
    found = values.get(key)
    return found if isinstance(found, str) else ""


@dataclass(frozen=True)
class Trashed:
    """A project in the trash; `when` is ISO 8601, UTC, and `name` the folder's former name.

    Those of one `batch` were removed together.
    """

    place: Path
    name: str
    title: str
    when: str
    batch: str = ""

    @property
    def seconds(self) -> float:
        """When it was removed, in seconds since the epoch; 0 where its note does not tell."""
        try:
            return datetime.fromisoformat(self.when).timestamp()
        except ValueError:
            return 0.0


class Trash:
    """What was removed from a folder of projects; kept in its ``.trash`` until it is erased."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._root = library / TRASH

    def remove(self, folder: Path, *, title: str | None = None, batch: str = "") -> Trashed:
        """Move a project into the trash, together with others of the same `batch`.

        Parameters
        ----------
        folder : Path
            The project's; or another one, where `title` says what it is called.

        Raises
        ------
        ProjectError
            When it is gone already, or lies elsewhere.
        ResourceError
            When the disk refuses; the project stays where it is.
        """
        if folder.absolute().parent != self._library.absolute():
            raise ProjectError(f"{folder} is not in {self._library}", hint="remove its folder by hand")
        title = read_row(folder).title if title is None else title
        when = datetime.now(UTC)
        place = self._free(f"{when:%Y%m%dT%H%M%S%f}")
        try:
            with disk_errors(folder):
                place.mkdir(parents=True)
            note = {
                "name": folder.name,
                "title": title,
                "when": when.isoformat(timespec="seconds"),
                "batch": batch,
            }
            # Plain ASCII: a folder's name that is no Unicode text is none that UTF-8 could hold.
            write_text(place / _NOTE, json.dumps(note) + "\n")
            with disk_errors(folder):
                folder.rename(place / folder.name)
        except BaseException:
            with suppress(OSError):
                shutil.rmtree(place)
            raise
        return Trashed(place, folder.name, title, note["when"], batch)

    def contents(self) -> list[Trashed]:
        """List what is in the trash, the last removed first."""
        found = []
        for place in sorted(self._root.iterdir() if self._root.is_dir() else [], reverse=True):
            try:
                note = json.loads((place / _NOTE).read_text(encoding="utf-8"))
                name, title, when = (str(note[key]) for key in ("name", "title", "when"))
                one = Trashed(place, name, title, when, str(note.get("batch", "")))
            except (OSError, ValueError, LookupError, TypeError):
                continue
            if (one.place / one.name).exists():
                found.append(one)
        return found

    def restore(self, trashed: Trashed) -> Path:
        """Move a project back and return its folder.

        Raises
        ------
        ProjectError
            When it is no longer there, or another one has its place now.
        ResourceError
            When the disk refuses.
        """
        target = self._library / trashed.name
        if target.exists():
            raise ProjectError(f"{target} exists already", hint="rename or move that one first")
        try:
            with disk_errors(target):
                (trashed.place / trashed.name).rename(target)
        except CovermakerError as error:
            if not trashed.place.exists():
                raise ProjectError(f"'{trashed.title}' is no longer in the trash") from error
            raise
        shutil.rmtree(trashed.place, ignore_errors=True)
        return target

    def erase(self, trashed: Trashed) -> None:
        """Delete a project for good.

        Raises
        ------
        ResourceError
            When the disk refuses; what could be deleted is gone.
        """
        if trashed.place.parent != self._root:
            raise ProjectError(f"{trashed.place} is not in {self._root}")
        with disk_errors(trashed.place):
            if trashed.place.exists():
                shutil.rmtree(trashed.place)

    def _free(self, name: str) -> Path:
        number = 0
        while (place := self._root / (f"{name}-{number}" if number else name)).exists():
            number += 1
        return place
