"""What can be done to a project, as data: each edit knows how it changes a document and what to call that.

``apply(project, SetValue("tracks.vocals.gain_db", -2.5))`` changes the ``cover.toml`` on the disk, keeps a person's
comments and order, remembers how to take it back (`history`), and returns the project as it is then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from covermaker.documents.complaint import dotted
from covermaker.errors import UsageError
from covermaker.project.channels import AddBus as AddBus
from covermaker.project.channels import AddGroup as AddGroup
from covermaker.project.channels import AddTrack as AddTrack
from covermaker.project.channels import MoveChannel as MoveChannel
from covermaker.project.channels import RemoveBus as RemoveBus
from covermaker.project.channels import RemoveGroup as RemoveGroup
from covermaker.project.channels import RemoveTrack as RemoveTrack
from covermaker.project.channels import RenameChannel, without_sends
from covermaker.project.channels import SetSend as SetSend
from covermaker.project.lanes import RemoveLane as RemoveLane
from covermaker.project.lanes import SetLane as SetLane
from covermaker.project.lanes import SetNow as SetNow
from covermaker.project.lanes import SetPoint as SetPoint
from covermaker.project.lanes import following
from covermaker.project.log import Entry, Splice, fingerprint
from covermaker.project.operations import Drop, Insert, Move, Plain, Put, at, on_text, on_values
from covermaker.project.places import ABSENT, NAMED, difference, get, parse_place, real
from covermaker.project.saving import Applied, checked, defaults, opened, refuse_clash, save, told
from covermaker.project.saving import Conflict as Conflict
from covermaker.project.words import effect_label, owner, say_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.project.load import Project
    from covermaker.project.log import Do
    from covermaker.project.operations import Edit, Operation
    from covermaker.project.places import Change, Place
    from covermaker.project.saving import Judge, OnDisk

    Values = dict[str, Any]
    Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class SetValue:
    """Give one place a value; see `places.parse_place` for how places are written.

    `default` is what it has while the document does not say, where only the rooms downstream know that; it is for the
    words.
    """

    path: str
    value: Any
    default: Any = ABSENT

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place = parse_place(self.path, values)
        renaming = self._renaming(place)
        return renaming.operations(values) if renaming else [Put(real(place, values), self.value)]

    def words(self, values: Values) -> str | None:
        """See `Edit`."""
        renaming = self._renaming(parse_place(self.path, values))
        return renaming.words(values) if renaming else None

    def _renaming(self, place: Place) -> RenameChannel | None:
        if len(place) == 3 and place[0] in NAMED and place[2] == "name":
            return RenameChannel(str(place[0]), str(place[1]), str(self.value))
        return None


@dataclass(frozen=True)
class ResetValue(Plain):
    """Give one place back its default: the key leaves the document. Of `default` see `SetValue`."""

    path: str
    default: Any = ABSENT

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place = parse_place(self.path, values)
        return [] if get(values, place) is ABSENT else [Drop(real(place, values))]


@dataclass(frozen=True)
class AddEffect:
    """Put an effect into the rack of ``tracks.vocals``, ``buses.reverb`` or ``master``, at its end or at `index`."""

    of: str
    row: Mapping[str, Any]
    index: int | None = None

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place, rows = _rack(self.of, values)
        index = len(rows) if self.index is None else min(self.index, len(rows))
        if get(values, place) is ABSENT:
            return [Put(real(place, values), [dict(self.row)])]
        return [Insert(real(place, values), index, dict(self.row))]

    def words(self, values: Values) -> str:
        """See `Edit`."""
        name = self.row.get("plugin") or self.row.get("effect")
        return f"added {name} to {owner(_rack(self.of, values)[0])}"


@dataclass(frozen=True)
class RemoveEffect:
    """Take an effect out of a rack; `index` is counted from 0."""

    of: str
    index: int

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place, rows = _rack(self.of, values)
        _refuse_beyond(rows, self.index)
        return [Drop((*real(place, values), self.index))]

    def words(self, values: Values) -> str:
        """See `Edit`."""
        place, rows = _rack(self.of, values)
        return f"removed {effect_label(rows, self.index)} from {owner(place)}"


@dataclass(frozen=True)
class MoveEffect:
    """Move an effect of a rack from one place to another, both counted from 0."""

    of: str
    index: int
    to: int

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place, rows = _rack(self.of, values)
        _refuse_beyond(rows, self.index)
        _refuse_beyond(rows, self.to)
        return [] if self.index == self.to else [Move(real(place, values), self.index, self.to)]

    def words(self, values: Values) -> str:
        """See `Edit`."""
        place, rows = _rack(self.of, values)
        return f"moved {effect_label(rows, self.index)} of {owner(place)} {self.index + 1} -> {self.to + 1}"


@dataclass(frozen=True)
class SetRack:
    """Replace a track's rack; its sends and the buses' racks too, when given, as a preset brings them.

    A bus that the project does not have yet is added; a send to a bus that is nowhere is left out. `table` is
    ``"groups"`` where the rack is a group's.
    """

    track: str
    rack: Rows
    sends: Mapping[str, float] | None = None
    buses: Mapping[str, Rows] | None = None
    name: str | None = None
    table: str = "tracks"

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place = parse_place(dotted((self.table, self.track)), values)
        track = real(place, values)
        done: list[Operation] = [Put((*track, "rack"), _plain(self.rack))]
        known = [str(bus.get("name")) for bus in values.get("buses", [])]
        added = [name for name in self.buses or {} if name not in known]
        for name, rows in (self.buses or {}).items():
            if name in known:
                done.append(Put(("buses", known.index(name), "rack"), _plain(rows)))
        for offset, name in enumerate(added):
            bus = {"name": name, "rack": _plain((self.buses or {})[name])}
            done.append(Insert(("buses",), len(known) + offset, bus))
        if self.sends is not None:
            sends = {name: level for name, level in self.sends.items() if name in {*known, *added}}
            done.append(Put((*track, "sends"), sends))
        return done

    def words(self, values: Values) -> str:
        """See `Edit`."""
        said = f"preset '{self.name}' on {self.track}" if self.name else f"replaced the rack of {self.track}"
        more = self._more(values)
        return f"{said}, with {', '.join(more)}" if more else said

    def _more(self, values: Values) -> list[str]:
        """Say what beside the track's own rack becomes another: sends and buses."""
        place = parse_place(dotted((self.table, self.track)), values)
        meant = on_values(values, self.operations(values))
        changed = {change.place for change in difference(values, meant)}
        buses = {str(one[1]): len(one) == 2 for one in changed if one[0] == "buses"}
        sends = sorted({str(one[3]) for one in changed if one[:3] == (*place, "sends") and len(one) > 3})
        return [
            *(f"its send to {name}" for name in sends),
            *(f"{'a new bus' if new else 'the rack of bus'} {name}" for name, new in sorted(buses.items())),
        ]


@dataclass(frozen=True)
class SetMaster:
    """Set keys of ``[master]``, and its rack when one is given, be it empty."""

    settings: Mapping[str, Any]
    rack: Rows | None = None
    name: str | None = None

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        done: list[Operation] = [Put(("master", key), value) for key, value in self.settings.items()]
        return done if self.rack is None else [*done, Put(("master", "rack"), _plain(self.rack))]

    def words(self, values: Values) -> str | None:
        """See `Edit`."""
        return f"preset '{self.name}' on the master" if self.name else None


@dataclass(frozen=True)
class Together:
    """Several edits as one: applied in turn, undone at once."""

    edits: tuple[Edit, ...]
    name: str

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        done: list[Operation] = []
        for edit in self.edits:
            more = edit.operations(values)
            values = on_values(values, more)
            done += more
        return done

    def words(self, values: Values) -> str:
        """See `Edit`."""
        return self.name


def apply(project: Project, edit: Edit, *, judge: Judge | None = None, gesture: str | None = None) -> Applied:
    """Do an edit and save it; it can be undone, also after a restart.

    Parameters
    ----------
    project : Project
        As the person sees it. When the document on the disk has changed since, the edit is made there, unless both
        touch the same place.
    edit : Edit
        What to do.
    judge : callable, optional
        Refuses what only the rooms downstream know to be wrong, by a `PlaceError`: `covermaker.render.judge.judge`.
    gesture : str, optional
        Edits of one gesture that follow each other are undone together: the steps of a fader that is dragged.

    Raises
    ------
    UsageError
        When the edit names something that is not there.
    Conflict
        When the disk says something else about the same place.
    ProjectError
        When the document would be refused, is refused already, or is gone.
    ResourceError
        When the disk refuses or another process holds the project. In all cases nothing has changed.
    """
    seen = project.document.values
    with opened(project) as now:
        mine = difference(seen, on_values(seen, _with_lanes(edit, seen)))
        words = edit.words(seen) or say_all(mine, seen, _whole(project, edit))
        theirs = now.changes_since(project)
        refuse_clash(mine, theirs, words, project, now)
        operations = _as_floats(_with_lanes(edit, now.values), now)
        meant = on_values(now.values, operations)
        merged = told(theirs, project, now.project)
        changes = difference(now.values, meant)
        if not changes:
            return Applied(now.project, "nothing changes: it is so already", False, merged)
        text = on_text(now.text, operations, meant)
        do, entry, text = _logged(now, text, edit, gesture, changes)
        saved = save(now, text, do, entry, changes, judge)
        return Applied(saved, entry.words if entry else words, True, merged)


def _with_lanes(edit: Edit, values: Values) -> list[Operation]:
    """Return what an edit does, and what automation and pre-fader lists have to do after it."""
    operations = edit.operations(values)
    operations = [*operations, *without_sends(values, on_values(values, operations))]
    return [*operations, *following(values, operations)]


def _as_floats(operations: list[Operation], now: OnDisk) -> list[Operation]:
    """Write whole numbers as people do who know that a fader has more than whole ones: -3.0."""
    if not any(isinstance(one, Put) and type(one.value) is int for one in operations):
        return operations
    text = on_text(now.text, operations, on_values(now.values, operations))
    typed = defaults(checked(now.project, text))
    return [
        Put(one.path, float(one.value))
        if isinstance(one, Put) and type(at(typed, one.path)) is float
        else one
        for one in operations
    ]


def _logged(
    now: OnDisk, text: str, edit: Edit, gesture: str | None, changes: Sequence[Change]
) -> tuple[Do, Entry | None, str]:
    """Return what the log says of an edit, and the text it leads to.

    An edit of the gesture of the last one takes that in: its words begin where the gesture began. A gesture that ends
    where it began, be it at a default that was not written down, never was.
    """
    do: Do = "edit"
    begun, ended = now.project, checked(now.project, text)
    done = now.log.read(now.text).done
    if gesture and done and done[-1].gesture == gesture and done[-1].after == fingerprint(now.text):
        do, begun = "join", checked(now.project, done[-1].splice.reversed().done(now.text))
        if defaults(begun) == defaults(ended):
            return "drop", None, begun.document.text
        changes = difference(begun.document.values, ended.document.values)
    before = begun.document.text
    entry = Entry(
        words=edit.words(now.values)
        or say_all(changes, begun.document.values, _whole(begun, edit), _whole(ended, edit)),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        gesture=gesture,
        before=fingerprint(before),
        after=fingerprint(text),
        splice=Splice.between(before, text),
        changes=tuple(changes),
    )
    return do, entry, text


def _whole(project: Project, edit: Edit) -> dict[str, Any]:
    """Return a document with what it leaves out, as far as the project knows it or the edit says it."""
    whole = defaults(project)
    if isinstance(edit, SetValue | ResetValue) and edit.default is not ABSENT:
        values = project.document.values
        *way, key = real(parse_place(edit.path, values), values)
        above: Any = whole
        for part in way:  # a plug-in's table of parameters may not be there yet
            above = above.setdefault(part, {}) if isinstance(above, dict) else above[part]
        above.setdefault(key, edit.default)
    return whole


def _rack(of: str, values: Values) -> tuple[Place, list[Any]]:
    """Return the place of a rack and its rows."""
    place = parse_place(of, values)
    if place != ("master",) and not (len(place) == 2 and place[0] in NAMED):
        raise UsageError(f"'{of}' has no rack", hint="as in tracks.vocals, buses.reverb or master")
    rows = get(values, (*place, "rack"))
    return (*place, "rack"), rows if isinstance(rows, list) else []


def _refuse_beyond(rows: Sequence[Any], index: int) -> None:
    if not 0 <= index < len(rows):
        raise UsageError(f"the rack has no effect {index + 1}: it has {len(rows)}")


def _plain(rows: Rows) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]
