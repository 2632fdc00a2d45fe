"""TOML documents that people write, and what is wrong with them: file and line, path inside, the nearest name.

`cover.toml`, `takes.toml`, `card.toml` and presets are read here, whatever room they belong to. A room that judges a
value without knowing the file raises `PlaceError` with the path inside the document; whoever has the document adds
file and line (`Document.naming`).
"""

from __future__ import annotations

import re
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from covermaker.documents.complaint import complaint
from covermaker.documents.lines import lines_of
from covermaker.errors import CovermakerError, ProjectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")


class DocumentError(ProjectError):
    """A document is refused; the message begins with its file, and the line where there is one."""


class PlaceError(ProjectError):
    """Something at a path inside a document is refused; the file is still to be named.

    Parameters
    ----------
    where : str
        The path: ``"tracks[0].rack[3].ratio"``.
    words : str
        What follows it in the message: ``"= 0.2 is below 1"``, ``": two are called 'a'"``.
    hint : str, optional
        The next step.
    """

    def __init__(self, where: str, words: str, *, hint: str | None = None) -> None:
        super().__init__(f"{where}{words}" if words.startswith(":") else f"{where} {words}", hint=hint)
        self.where = where


@contextmanager
def placed(where: str) -> Iterator[None]:
    """Say of what is refused inside the block that it stands at a path of the document."""
    try:
        yield
    except (DocumentError, PlaceError):
        raise
    except (ProjectError, UsageError) as error:
        # A room may name the path itself, even a longer one, or its neighbour's.
        head, _, words = error.message.partition(" ")
        path = head.rstrip(":")
        if "." not in path or path.partition(".")[0] != where.partition(".")[0]:
            path, words = where, f": {error.message}"
        elif head != path:
            words = f": {words}"
        raise PlaceError(path, words, hint=error.hint) from error


@dataclass(frozen=True)
class Document:
    """A TOML document.

    Attributes
    ----------
    name : str
        How messages call it: its file.
    text : str
        As it was written.
    values : dict
        What it says.
    """

    name: str
    text: str
    values: dict[str, Any]

    @classmethod
    def read(cls, file: Path, *, missing: CovermakerError) -> Document:
        """Read a file.

        Raises
        ------
        DocumentError
            When it cannot be read or is no TOML.
        CovermakerError
            `missing`, when there is none.
        """
        try:
            text = file.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise missing from error
        except OSError as error:
            raise DocumentError(f"{file} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise DocumentError(f"{file} is no TOML: it is not UTF-8 text") from error
        return cls.parse(text, str(file))

    @classmethod
    def parse(cls, text: str, name: str) -> Document:
        """Read a text.

        Raises
        ------
        DocumentError
            When it is no TOML; the message says where it stops being any.
        """
        try:
            return cls(name, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise DocumentError(f"{name} is no TOML: {error}") from error
        except RecursionError as error:
            raise DocumentError(f"{name} is no TOML that anybody wrote: it is nested too deep") from error

    @cached_property
    def lines(self) -> dict[str, int]:
        """Line of each table, key and item, by its path; none of a text that is nested too deep to be walked."""
        try:
            return lines_of(self.text)
        except RecursionError:  # tomllib goes a little deeper
            return {}

    def place(self, where: str) -> str:
        """Return ``file:line`` of a path, or of the nearest part of it that stands in the document."""
        while where:
            if where in self.lines:
                return f"{self.name}:{self.lines[where]}"
            where = re.sub(r"(\[\d+\]|\.?[^.\[\]]+)$", "", where)
        return self.name

    def error(self, where: str, message: str, *, hint: str | None = None) -> DocumentError:
        """Return a refusal of what stands at a path."""
        return DocumentError(f"{self.place(where)}: {message}", hint=hint)

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Add file and line to what the block refuses by its path."""
        try:
            yield
        except PlaceError as error:
            raise self.error(error.where, error.message, hint=error.hint) from error

    def checked(
        self,
        model: type[M],
        *,
        hints: Mapping[str, str] | None = None,
        patterns: Mapping[str, str] | None = None,
    ) -> M:
        """Return the document as a model.

        Parameters
        ----------
        model : type
            A pydantic model.
        hints : mapping, optional
            Next step where a key is missing or refused, by its path.
        patterns : mapping, optional
            What a pattern of the model asks for, in words.

        Raises
        ------
        DocumentError
            With the path and, for an unknown key, the nearest known one.
        """
        from pydantic import ValidationError

        try:
            return model.model_validate(self.values)
        except ValidationError as error:
            found = complaint(model, error.errors(), hints=hints or {}, patterns=patterns or {})
            raise self.error(found.where, found.words, hint=found.hint) from error
