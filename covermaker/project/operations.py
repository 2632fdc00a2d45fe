"""The five things that can happen to a document, each done twice: to its values and to its text.

The text is believed only when it reads back as the values that were meant, so that a layout which `splice` does not
master ends in a refusal, never in a damaged project.
"""

from __future__ import annotations

import copy
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from covermaker.documents.complaint import dotted
from covermaker.errors import ProjectError, UsageError
from covermaker.project import splice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.documents.spans import Path

Values = dict[str, Any]


class Operation(Protocol):
    """A change at a path; lists are counted from 0."""

    @property
    def path(self) -> Path:
        """Where."""
        ...

    def on_values(self, values: Values) -> None:
        """Change the values in place."""
        ...

    def on_text(self, text: str) -> str:
        """Return the changed text."""
        ...


class Edit(Protocol):
    """One thing that a person does to a project."""

    def operations(self, values: Values) -> list[Operation]:
        """Return how it changes a document that holds these values.

        Raises
        ------
        UsageError
            When what it names is not there.
        """
        ...

    def words(self, values: Values) -> str | None:
        """Return what it does to these values; None when the values that change say it."""
        ...


class Plain:
    """An edit whose words are the values that it changes."""

    def words(self, values: Values) -> str | None:
        """See `Edit`."""
        return None


@dataclass(frozen=True)
class Put:
    """Give a key or an item a value."""

    path: Path
    value: Any

    def on_values(self, values: Values) -> None:
        """Set it; tables above that are missing are made."""
        above: Any = values
        for part in self.path[:-1]:
            above = above.setdefault(part, {}) if isinstance(above, dict) else above[part]
        above[self.path[-1]] = copy.deepcopy(self.value)

    def on_text(self, text: str) -> str:
        """Write it."""
        return splice.put(text, self.path, self.value)


@dataclass(frozen=True)
class Drop:
    """Take away a key or an item."""

    path: Path

    def on_values(self, values: Values) -> None:
        """Remove it."""
        above = at(values, self.path[:-1])
        del above[self.path[-1]]

    def on_text(self, text: str) -> str:
        """Cut it out."""
        return splice.drop(text, self.path)


@dataclass(frozen=True)
class Rename:
    """Give a key another name."""

    path: Path
    to: str

    def on_values(self, values: Values) -> None:
        """Rename it where it stands."""
        above = at(values, self.path[:-1])
        renamed = {self.to if key == self.path[-1] else key: value for key, value in above.items()}
        above.clear()
        above.update(renamed)

    def on_text(self, text: str) -> str:
        """Write the other name."""
        return splice.rename(text, self.path, self.to)


@dataclass(frozen=True)
class Insert:
    """Put an item into a list, before the one that has this index."""

    path: Path
    index: int
    value: Any

    def on_values(self, values: Values) -> None:
        """Insert it; a list that is missing is made."""
        above = at(values, self.path[:-1])
        above.setdefault(self.path[-1], []).insert(self.index, copy.deepcopy(self.value))

    def on_text(self, text: str) -> str:
        """Write it."""
        return splice.insert(text, self.path, self.index, self.value)


@dataclass(frozen=True)
class Move:
    """Put an item of a list elsewhere; `to` is where it is found afterwards."""

    path: Path
    index: int
    to: int

    def on_values(self, values: Values) -> None:
        """Move it."""
        rows = at(values, self.path)
        rows.insert(self.to, rows.pop(self.index))

    def on_text(self, text: str) -> str:
        """Move its lines."""
        return splice.move(text, self.path, self.index, self.to)


def at(values: Any, path: Path) -> Any:
    """Return what stands at a path; raises `LookupError` where nothing does."""
    for part in path:
        values = values[part]
    return values


def on_values(values: Values, operations: Sequence[Operation]) -> Values:
    """Return changed values; the given ones stay what they are.

    Raises
    ------
    UsageError
        When an operation is about something that is not there.
    """
    changed = copy.deepcopy(values)
    for operation in operations:
        try:
            operation.on_values(changed)
        except (LookupError, TypeError, AttributeError) as error:
            where = dotted(operation.path)
            raise UsageError(f"the project has nothing at '{where}'") from error
    return changed


def on_text(text: str, operations: Sequence[Operation], meant: Values) -> str:
    """Return the changed text, which says what is `meant`.

    Raises
    ------
    ProjectError
        When the document is laid out so that the change cannot be written into it.
    """
    for operation in operations:
        text = operation.on_text(text)
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        said = {}
    if _filled(said) != _filled(meant):
        raise ProjectError(
            "the document is laid out in a way that this change cannot be written into",
            hint="make the change by hand, in an editor",
        )
    return text


def _filled(value: Any) -> Any:
    """Return what can be compared: NaN as a word, and no empty tables and lists.

    Without its last item, a list of tables has no place in a text.
    """
    if isinstance(value, dict):
        kept = {key: _filled(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [])}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return "not a number" if value != value else value
