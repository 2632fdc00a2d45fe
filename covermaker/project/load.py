"""Reading a ``cover.toml``: every refusal is one line with the path inside the document and the next step."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.errors import ProjectError, nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from covermaker.project.document import Cover

FILE_NAME = "cover.toml"
_HIDDEN = ".covermaker"

_BRANCH = re.compile(r"(constrained-)?(int|float|str|bool)|literal\[.*\]")


@dataclass(frozen=True)
class Project:
    """A project folder and what its document says."""

    root: Path
    cover: Cover

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
        return self.root / _HIDDEN

    def path(self, text: str, where: str) -> Path:
        """Return the file that the document names at `where`.

        Raises
        ------
        ProjectError
            When a relative path leaves the project, by ``..`` or through a link, or is no path at all.
        """
        if "\0" in text:
            raise ProjectError(f"{where} = {text!r} holds a NUL character", hint="write the file's name")
        try:
            given = Path(text).expanduser()
            if given.is_absolute():
                return given
            root = self.root.resolve()
            whole = (root / given).resolve()
        except RuntimeError as error:  # ~ of a user who does not exist, or a link to itself
            raise ProjectError(
                f"{where} = '{text}' leads nowhere: {str(error).rstrip('.')}", hint="write the whole path"
            ) from error
        if not whole.is_relative_to(root):
            raise ProjectError(
                f"{where} = '{text}' leaves the project",
                hint="copy the file into the project, or write its absolute path",
            )
        return whole


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
    return file.parent.absolute() / _HIDDEN


def load(place: Path) -> Project:
    """Read a project from its folder or its ``cover.toml``.

    Raises
    ------
    ProjectError
        When it is missing, no TOML, or says something we refuse.
    """
    file = _document(place)
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(place) from error
    except OSError as error:
        raise ProjectError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProjectError(f"{file} is not UTF-8 text") from error
    return Project(file.parent.absolute(), parse(text, str(file)))


def _document(place: Path) -> Path:
    return place if place.name == FILE_NAME else place / FILE_NAME


def _missing(place: Path) -> ProjectError:
    return ProjectError(f"there is no project at {place}", hint="make one with: covermaker new SONG")


def parse(text: str, name: str = FILE_NAME) -> Cover:
    """Read a document from its text; `name` is how messages call it."""
    from pydantic import ValidationError

    from covermaker.project.document import SCHEMA, Cover

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{name} is no valid TOML: {error}") from error
    schema = values.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise ProjectError(
            f"{name} has schema {schema}, this Covermaker knows {SCHEMA}", hint="update Covermaker to open it"
        )
    try:
        return Cover.model_validate(values)
    except ValidationError as error:
        raise _refusal(name, error.errors()) from error


def dotted(location: tuple[Any, ...]) -> str:
    """Write a path inside the document as people write it: ``tracks[0].gain_db``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _refusal(name: str, errors: list[ErrorDetails]) -> ProjectError:
    from covermaker.project.document import known_keys

    # A wrong member of a union is reported once for each branch; the first says enough.
    first = errors[0]
    location = _location(first)
    where = dotted(location)
    others = len({dotted(e["loc"][:2]) for e in errors} - {dotted(first["loc"][:2])})
    more = f" (and {others} more)" if others else ""
    if first["type"] == "extra_forbidden":
        return ProjectError(
            f"{name}: unknown key '{where}'{more}", hint=nearest(str(location[-1]), known_keys(location[:-1]))
        )
    if first["type"] == "missing":
        return ProjectError(f"{name}: '{where}' is missing{more}", hint=f"add '{location[-1]}'")
    same = [error for error in errors if _location(error) == location]
    message = " or ".join(dict.fromkeys(_words(error) for error in same))
    return ProjectError(f"{name}: {where} = {_short(first['input'])}: {message}{more}")


def _location(error: ErrorDetails) -> tuple[Any, ...]:
    """Return the path without the names that pydantic gives to the branches of a union."""
    return tuple(part for part in error["loc"] if not (isinstance(part, str) and _BRANCH.fullmatch(part)))


def _words(error: ErrorDetails) -> str:
    """Say in plain words what is allowed."""
    known = {
        "float_type": "a number is expected",
        "int_type": "a whole number is expected",
        "string_type": "text is expected",
        "bool_type": "true or false is expected",
        "finite_number": "a finite number is expected",
        "string_pattern_mismatch": "lower-case letters, digits, - and _ are allowed, 32 at most",
    }
    message = error["msg"][:1].lower() + error["msg"][1:]
    return known.get(error["type"], message.replace("input should be", "must be"))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
