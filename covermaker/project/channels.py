"""Edits of the mixer's channels: tracks and buses come, go and are renamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.documents.complaint import dotted
from covermaker.errors import UsageError
from covermaker.project.operations import Drop, Insert, Plain, Put, Rename
from covermaker.project.places import parse_place, real

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.documents.spans import Path
    from covermaker.project.operations import Operation

    Values = dict[str, Any]


@dataclass(frozen=True)
class AddTrack(Plain):
    """Add a channel to the mixer: ``{"name": "choir", "source": "backing"}``, at the end or at `index`."""

    row: Mapping[str, Any]
    index: int | None = None

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        return [_insert_named("tracks", "track", self.row, self.index, values)]


@dataclass(frozen=True)
class AddBus(Plain):
    """Add a bus that tracks can send to."""

    row: Mapping[str, Any]

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        return [_insert_named("buses", "bus", self.row, None, values)]


@dataclass(frozen=True)
class RemoveTrack(Plain):
    """Take a channel out of the mixer."""

    name: str

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        return [Drop(real(parse_place(dotted(("tracks", self.name)), values), values))]


@dataclass(frozen=True)
class RemoveBus:
    """Take a bus away, and the sends to it."""

    name: str

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        bus = real(parse_place(dotted(("buses", self.name)), values), values)
        return [*(Drop(path) for path in _sends_to(self.name, values)), Drop(bus)]

    def words(self, values: Values) -> str:
        """See `Edit`."""
        return f"removed bus {self.name}"


@dataclass(frozen=True)
class RenameBus:
    """Call a bus otherwise, also in the sends to it."""

    name: str
    to: str

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        done: list[Operation] = [Rename(path, self.to) for path in _sends_to(self.name, values)]
        bus = real(parse_place(dotted(("buses", self.name)), values), values)
        return [*done, Put((*bus, "name"), self.to)]

    def words(self, values: Values) -> str:
        """See `Edit`."""
        return f"bus {self.name} is called {self.to}"


def _insert_named(
    table: str, kind: str, row: Mapping[str, Any], index: int | None, values: Values
) -> Operation:
    rows = values.get(table, [])
    name = row.get("name")
    if any(one.get("name") == name for one in rows):
        raise UsageError(f"there is a {kind} '{name}' already", hint="choose another name")
    return Insert((table,), len(rows) if index is None else min(index, len(rows)), dict(row))


def _sends_to(bus: str, values: Values) -> list[Path]:
    tracks = enumerate(values.get("tracks", []))
    return [("tracks", index, "sends", bus) for index, track in tracks if bus in track.get("sends", {})]
