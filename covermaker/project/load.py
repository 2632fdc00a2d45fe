"""Reading a ``cover.toml``: every refusal is one line with the path inside the document and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.documents.document import Document, PlaceError
from covermaker.errors import ProjectError
from covermaker.units import CLOCK_PATTERN

if TYPE_CHECKING:
    from covermaker.project.document import Cover

FILE_NAME = "cover.toml"
HIDDEN_NAME = ".covermaker"


@dataclass(frozen=True)
class Project:
    """A project folder and what its document says."""

    root: Path
    cover: Cover
    document: Document

    @property
    def file(self) -> Path:
        """The document."""
        return self.root / FILE_NAME

    @property
    def out(self) -> Path:
        """Where renders go."""
        return self.root / "out"

    @property
    def hidden(self) -> Path:
        """Where logs go."""
        return self.root / HIDDEN_NAME

    def path(self, text: str, where: str) -> Path:
        """Return the file that the document names at `where`.

        Raises
        ------
        ProjectError
            When a relative path leaves the project, by ``..`` or through a link, or is no path at all.
        """
        if "\0" in text:
            raise PlaceError(where, f"= {text!r} holds a NUL character", hint="write the file's name")
        try:
            given = Path(text).expanduser()
            if given.is_absolute():
                return given
            root = self.root.resolve()
            whole = (root / given).resolve()
        except RuntimeError as error:  # ~ of a user who does not exist, or a link to itself
            raise PlaceError(
                where, f"= '{text}' leads nowhere: {str(error).rstrip('.')}", hint="write the whole path"
            ) from error
        if not whole.is_relative_to(root):
            raise PlaceError(
                where,
                f"= '{text}' leaves the project",
                hint="copy the file into the project, or write its absolute path",
            )
        return whole


def folder_of(place: Path) -> Path:
    """Return the folder of a project that is named by it, or by its ``cover.toml``; nothing needs to be there."""
    return _document(place).parent


def hidden_folder(place: Path) -> Path:
    """Return where the logs of a project go, without reading its document.

    Raises
    ------
    ProjectError
        When there is none.
    """
    file = _document(place)
    if not file.is_file():
        raise _missing(place)
    return file.parent.absolute() / HIDDEN_NAME


def load(place: Path) -> Project:
    """Read a project from its folder or its ``cover.toml``.

    Raises
    ------
    ProjectError
        When it is missing, no TOML, or says something we refuse.
    """
    file = _document(place)
    document = Document.read(file, missing=_missing(place))
    return Project(file.parent.absolute(), _cover(document), document)


def _document(place: Path) -> Path:
    return place if place.name == FILE_NAME else place / FILE_NAME


class NoProjectError(ProjectError):
    """There is no project at a place."""

    def __init__(self, place: Path) -> None:
        super().__init__(f"there is no project at {place}", hint="make one with: covermaker new SONG")
        self.place = place


def _missing(place: Path) -> ProjectError:
    return NoProjectError(place)


def parse(text: str, name: str = FILE_NAME) -> Cover:
    """Read a document from its text; `name` is how messages call it."""
    return _cover(Document.parse(text, name))


def _cover(document: Document) -> Cover:
    from covermaker.project.document import (
        ISRC_PATTERN,
        KEY_PATTERN,
        NAME_PATTERN,
        SCHEMA,
        TRACK_PATTERN,
        Cover,
    )

    schema = document.values.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise document.error(
            "schema",
            f"this is schema {schema}, this Covermaker knows {SCHEMA}",
            hint="update Covermaker to open it",
        )
    return document.checked(
        Cover,
        hints={"export.formats": 'as in ["wav24", "mp3"]'},
        patterns={
            NAME_PATTERN: "lower-case letters, digits, - and _ are allowed, 32 at most",
            CLOCK_PATTERN: "minutes and seconds are expected, as in '1:12.5'",
            ISRC_PATTERN: "two letters, three letters or digits, two digits, five digits are expected, as in "
            "'DE-A12-26-00001'",
            TRACK_PATTERN: "a number is expected, or a number of how many, as in '3/9'",
            KEY_PATTERN: "a note and perhaps m for minor are expected, as in 'F#m' or 'Eb'",
        },
    )
