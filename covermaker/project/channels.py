"""Edits of the mixer's channels: tracks, groups and buses come, go and are renamed, and whoever names them follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.documents.complaint import dotted
from covermaker.errors import UsageError
from covermaker.project.operations import Drop, Insert, Move, Plain, Put, Rename
from covermaker.project.places import KINDS, NAMED, get, parse_place, real

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        return [_insert_named("tracks", self.row, self.index, values)]


@dataclass(frozen=True)
class AddGroup(Plain):
    """Add a group; `tracks` are those that go to it."""

    row: Mapping[str, Any]
    tracks: tuple[str, ...] = ()

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        if any(one.get("name") == self.row.get("name") for one in values.get("tracks", [])):
            raise UsageError(f"'{self.row.get('name')}' is the name of a track", hint="choose another name")
        added = _insert_named("groups", self.row, None, values)
        places = [real(parse_place(dotted(("tracks", name)), values), values) for name in self.tracks]
        return [added, *(Put((*place, "group"), self.row.get("name")) for place in places)]

    def words(self, values: Values) -> str | None:
        """See `Edit`."""
        return f"added group {self.row.get('name')} of {', '.join(self.tracks)}" if self.tracks else None


@dataclass(frozen=True)
class AddBus(Plain):
    """Add a bus that tracks can send to."""

    row: Mapping[str, Any]

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        return [_insert_named("buses", self.row, None, values)]


@dataclass(frozen=True)
class _Removing:
    """Take a channel away, and whatever names it: sends, groups, side chains."""

    name: str

    TABLE = ""

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place = real(parse_place(dotted((self.TABLE, self.name)), values), values)
        # From the last: what is taken out of a list must not shift what comes after.
        naming = sorted(_naming(self.TABLE, self.name, values), key=str, reverse=True)
        return [*(Drop(path) for path in naming), Drop(place)]

    def words(self, values: Values) -> str | None:
        """See `Edit`."""
        return f"removed {KINDS[self.TABLE]} {self.name}"


@dataclass(frozen=True)
class RemoveTrack(_Removing):
    """Take a channel out of the mixer."""

    TABLE = "tracks"


@dataclass(frozen=True)
class RemoveGroup(_Removing):
    """Take a group away; what went to it goes straight into the mix."""

    TABLE = "groups"


@dataclass(frozen=True)
class RemoveBus(_Removing):
    """Take a bus away, and the sends to it."""

    TABLE = "buses"


@dataclass(frozen=True)
class MoveChannel:
    """Give a track, a group or a bus another place among its like; `to` is counted from 0."""

    of: str
    to: int

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        table, index = self._now(values)
        count = len(values[table])
        if not 0 <= self.to < count:
            raise UsageError(
                f"there is no place {self.to + 1} among the {table}", hint=f"1 to {count}, the first is 1"
            )
        return [] if index == self.to else [Move((table,), index, self.to)]

    def words(self, values: Values) -> str:
        """See `Edit`."""
        table, index = self._now(values)
        return f"moved {KINDS[table]} {parse_place(self.of, values)[1]} {index + 1} -> {self.to + 1}"

    def _now(self, values: Values) -> tuple[str, int]:
        table, index, *_ = real(parse_place(self.of, values), values)
        return str(table), int(index)


@dataclass(frozen=True)
class SetSend(Plain):
    """Send a channel to a bus, or not any more; `pre` says whether before its fader, None leaves that."""

    of: str
    bus: str
    level_db: float | None
    pre: bool | None = None

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place = parse_place(self.of, values)
        channel, where = get(values, place), real(place, values)
        sends, early = channel.get("sends", {}), list(channel.get("pre_fader", []))
        is_early = self.bus in early
        done: list[Operation] = []
        wanted = self.level_db is not None and (is_early if self.pre is None else self.pre)
        if is_early and not wanted:
            gone: Path = (*where, "pre_fader", early.index(self.bus))
            done.append(Drop(gone if len(early) > 1 else gone[:-1]))
        if self.level_db is not None:
            done.append(Put((*where, "sends", self.bus), self.level_db))
        elif self.bus in sends:
            done.append(Drop((*where, "sends", self.bus)))
        if wanted and not is_early:
            done.append(Put((*where, "pre_fader"), [*early, self.bus]))
        return done


@dataclass(frozen=True)
class RenameChannel:
    """Call a track, a group or a bus otherwise, also where others name it."""

    table: str
    name: str
    to: str

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place = real(parse_place(dotted((self.table, self.name)), values), values)
        done: list[Operation] = [
            Rename(path, self.to) if path[-2] == "sends" else Put(path, self.to)
            for path in _naming(self.table, self.name, values)
        ]
        return [*done, Put((*place, "name"), self.to)]

    def words(self, values: Values) -> str:
        """See `Edit`."""
        return f"{KINDS[self.table]} {self.name} is called {self.to}"


def _insert_named(table: str, row: Mapping[str, Any], index: int | None, values: Values) -> Operation:
    rows = values.get(table, [])
    name = row.get("name")
    if any(one.get("name") == name for one in rows):
        raise UsageError(f"there is a {KINDS[table]} '{name}' already", hint="choose another name")
    return Insert((table,), len(rows) if index is None else min(index, len(rows)), dict(row))


def _naming(table: str, name: str, values: Values) -> Iterator[Path]:
    """Yield where others name a channel: keys of sends, items of pre-fader lists, groups, side chains."""
    for other in NAMED:
        for index, channel in enumerate(values.get(other, [])):
            if channel.get("name") == name and other == table:
                continue
            if table == "buses":
                if name in channel.get("sends", {}):
                    yield (other, index, "sends", name)
                for number, bus in enumerate(channel.get("pre_fader", [])):
                    if bus == name:
                        yield (other, index, "pre_fader", number)
                continue
            if table == "groups" and channel.get("group") == name:
                yield (other, index, "group")
            for number, row in enumerate(channel.get("rack", [])):
                if row.get("sidechain") == name:
                    yield (other, index, "rack", number, "sidechain")


def without_sends(before: Values, after: Values) -> list[Operation]:
    """Return what takes buses out of pre-fader lists whose sends have gone between two states of a document."""
    done: list[Operation] = []
    for table in NAMED:
        known = {row.get("name"): row for row in before.get(table, []) if isinstance(row, dict)}
        for index, channel in enumerate(after.get(table, [])):
            early, sends = channel.get("pre_fader", []), channel.get("sends", {})
            sent = known.get(channel.get("name"), {}).get("sends", {})
            kept = [bus for bus in early if bus in sends or bus not in sent]
            if len(kept) < len(early):
                place: Path = (table, index, "pre_fader")
                done.append(Put(place, kept) if kept else Drop(place))
    return done
