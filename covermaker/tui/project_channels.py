"""The channels of a project's mixer as the desk shows them: values, and all about one in words. Draws nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from covermaker.documents.complaint import dotted
from covermaker.effects.automation import Automation, Curve
from covermaker.errors import CovermakerError
from covermaker.project.lanes import pointed
from covermaker.project.places import KINDS, NAMED, effect_part, get, parse_place, split_place
from covermaker.project.words import named
from covermaker.tui.words import count, level, one_line
from covermaker.units import parse_clock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from covermaker.project.document import Bus, Cover, Group, Track
    from covermaker.project.places import Place

# What a master shows that has no loudness in LUFS to reach.
_LOUDNESS: Final = {"off": "off", "reference": "matched"}
_RATE = 1000  # points of a course a second
# Two points of a course lie further apart.
NEAR_SECONDS: Final = 0.05
_TABLES = {kind: table for table, kind in KINDS.items()}
# What a channel calls its values, by their keys in the document.
_FIELDS = {"gain_db": "value", "loudness_lufs": "value", "pan": "pan", "mute": "mute"}


@dataclass(frozen=True)
class Channel:
    """A channel of the mixer.

    Attributes
    ----------
    kind : str
        ``"track"``, ``"group"``, ``"bus"`` or ``"master"``.
    value : float or None
        The fader's; None for a master without a loudness to reach.
    loudness : str
        Of such a master: ``"off"``, or ``"matched"`` where a reference says it.
    solo, bypass : bool
        For listening only: heard alone; heard without its rack.
    sends : mapping of str to float
        Level in dB by bus.
    source, rack : str
        In words.
    effects : int
        How many its rack has.
    group : str
        The group that it goes to.
    depth : int
        In how many groups it stands.
    pre_fader : collection of str
        Of its sends, those before the fader.
    moves : mapping of str to Automation
        What moves of it over the song, by what the document calls it behind the channel's place.
    """

    kind: str
    name: str
    value: float | None
    pan: float = 0.0
    mute: bool = False
    solo: bool = False
    bypass: bool = False
    sends: Mapping[str, float] | None = None
    source: str = ""
    rack: str = ""
    effects: int = 0
    group: str = ""
    depth: int = 0
    pre_fader: Collection[str] = ()
    moves: Mapping[str, Automation] = field(default_factory=dict)
    loudness: str = ""

    @property
    def place(self) -> str:
        """Where the document keeps it."""
        return f"{_TABLES[self.kind]}.{self.name}" if self.kind in _TABLES else "master"

    @property
    def owner(self) -> str:
        """What its rack goes by: its place."""
        return self.place

    def at(self, seconds: float) -> Channel:
        """Return it as it is at a moment of the song."""
        for key, course in self.moves.items():
            if not key.startswith("rack"):
                self = self._with(key, _value(course, seconds, is_switch=key == "mute"))
        return self

    def changed(self, key: str, value: Any, seconds: float) -> Channel:
        """Return it with another value; of what moves it is the value of that moment."""
        course = self.moves.get(key)
        if course is None:
            return self._with(key, value)
        points = tuple(
            (time, float(own)) for time, own in with_point(course.points, seconds, float(value or 0.0))
        )
        return replace(self, moves={**self.moves, key: replace(course, points=points)})

    def _with(self, key: str, value: Any) -> Channel:
        if key.startswith("sends."):
            sends = {**(self.sends or {}), key.removeprefix("sends."): value}
            return replace(self, sends={name: level for name, level in sends.items() if level is not None})
        return replace(self, **{_FIELDS[key]: value}) if key in _FIELDS else self

    def parts(self, buses: Sequence[str]) -> list[str]:
        """Return all about it in words, a thing each; `buses` are those that it could be sent to."""
        parts = [self.source, *(["muted"] if self.mute else []), *(["solo"] if self.solo else [])]
        if self.group:
            parts.append(f"in group {self.group}")
        if self.kind != "master" and self.pan:
            parts.append(f"{'pan' if self.kind == 'track' else 'balance'} {pan_words(self.pan)}")
        parts += [
            f"{move_words(key)} moves, {count(len(course.points), 'point')}"
            for key, course in self.moves.items()
        ]
        reached = [name for name in buses if (self.kind, self.name) != ("bus", name)]
        sends = self.sends or {}
        if reached and (self.kind in ("track", "group") or sends):
            parts.append("sends " + ", ".join(f"{name} {self._sent(name)}" for name in reached))
        parts.append(f"{self.rack}, bypassed for listening" if self.bypass else self.rack)
        return [part for part in parts if part]

    def _sent(self, bus: str) -> str:
        sends = self.sends or {}
        if bus not in sends:
            return "off"
        return level(sends[bus]) + (" pre-fader" if bus in self.pre_fader else "")


def channels(cover: Cover, solo: Iterable[str] = (), bypassed: Collection[str] = ()) -> list[Channel]:
    """Return a project's channels: tracks, those of a group behind it, then buses and the master.

    Parameters
    ----------
    cover : Cover
        The document.
    solo : iterable of str
        Tracks and groups that are soloed for the preview.
    bypassed : collection of str
        Places of channels whose racks the preview leaves out.
    """
    soloed, moves = set(solo), moves_of(cover)
    found = [
        _channel(kind, row, depth, soloed, bypassed, moves.get((_TABLES[kind], row.name), {}))
        for kind, row, depth in _in_order(cover)
    ]
    master = cover.master
    lufs = master.loudness_lufs
    wanted, loudness = (None, _LOUDNESS[lufs]) if isinstance(lufs, str) else (lufs, "")
    source = f"ceiling {master.true_peak_dbtp:.1f} dBTP"
    own = moves.get(("master",), {})
    rack = _rack(master.rack)
    return [
        *found, Channel("master", "MASTER", wanted, source=source, rack=rack, moves=own, loudness=loudness)
    ]  # fmt: skip


def _channel(
    kind: str,
    row: Track | Group | Bus,
    depth: int,
    soloed: Collection[str],
    bypassed: Collection[str],
    moves: Mapping[str, Automation],
) -> Channel:
    return Channel(
        kind, row.name, row.gain_db, row.pan, row.mute,
        kind != "bus" and (getattr(row, "solo", False) or row.name in soloed),
        f"{_TABLES[kind]}.{row.name}" in bypassed, row.sends, _source(kind, row), _rack(row.rack), len(row.rack),
        getattr(row, "group", ""), depth, getattr(row, "pre_fader", ()), moves,
    )  # fmt: skip


def _source(kind: str, row: Any) -> str:
    if kind != "track":
        return kind
    sung = "" if row.voice is None else f" sung by {one_line(row.voice)}"
    harmony = "" if row.harmony is None else f", {one_line(row.harmony).replace('_', ' ')}"
    return f"{row.source}{sung}{harmony}"


def _in_order(cover: Cover) -> Iterator[tuple[str, Any, int]]:
    """Yield kind, row and depth of all channels but the master: a group where its first track stands."""
    groups = {group.name: group for group in cover.groups}
    told: set[str] = set()

    def inside(name: str, depth: int) -> Iterator[tuple[str, Any, int]]:
        told.add(name)
        yield "group", groups[name], depth
        for group in cover.groups:
            if group.group == name and group.name not in told:
                yield from inside(group.name, depth + 1)
        for track in cover.tracks:
            if track.group == name:
                yield "track", track, depth + 1

    for track in cover.tracks:
        top = track.group if track.group in groups else ""
        way = [top]
        while top and groups[top].group in groups and groups[top].group not in way:
            top = groups[top].group
            way.append(top)
        if not top:
            yield "track", track, 0
        elif top not in told:
            yield from inside(top, 0)
    for group in cover.groups:
        if group.name not in told and group.group not in groups:
            yield from inside(group.name, 0)
    for group in cover.groups:  # what goes round in a circle is refused elsewhere, and shown all the same
        if group.name not in told:
            yield from inside(group.name, 0)
    for bus in cover.buses:
        yield "bus", bus, 0


# What moves


def moves_of(cover: Cover) -> dict[Place, dict[str, Automation]]:
    """Return what moves, by its channel's place and by what the document calls it behind that."""
    found: dict[Place, dict[str, Automation]] = {}
    if not cover.automation:
        return found
    values = cover.model_dump(by_alias=True)
    for lane in cover.automation:
        try:
            place = parse_place(lane.target, values)
            course = course_of(lane.model_dump())
        except CovermakerError:
            continue  # a render refuses it, and says why
        depth = 2 if place[0] in NAMED else 1
        rack = get(values, (*place[:depth], "rack"))
        found.setdefault(place[:depth], {})[_key(place[depth:], rack)] = course
    return found


def _key(place: Place, rack: Any) -> str:
    """Write what stands below a channel as a target does: effects by their names, or numbers, where these tell."""
    parts = [
        effect_part(rack, part)
        if isinstance(part, int) and isinstance(rack, list) and part < len(rack)
        else part
        for part in place
        if part != "parameters"
    ]
    return dotted(tuple(parts))


def course_of(lane: Mapping[str, Any]) -> Automation:
    """Return the course of a row of the document's automation."""
    points = tuple((_seconds(time), float(value)) for time, value in lane["points"])
    is_switch = lane["target"].rpartition(".")[2] in ("mute", "bypass")
    return Automation(points, "hold" if is_switch else lane.get("shape", "linear"))


def _seconds(time: float | str) -> float:
    return parse_clock(time) if isinstance(time, str) else float(time)


def values_at(course: Automation, seconds: Sequence[float]) -> list[float]:
    """Return the values of a course at these times."""
    import numpy as np

    return [float(value) for value in Curve(course, _RATE).at(np.asarray(seconds, float) * _RATE)]


def _value(course: Automation, seconds: float, *, is_switch: bool) -> Any:
    value = values_at(course, [seconds])[0]
    return value >= 0.5 if is_switch else round(value, 2)


def with_point(points: Sequence[Any], seconds: float, value: float | bool) -> list[Any]:
    """Return a lane's points with one at this time; one that is close to it goes."""
    return pointed(points, round(seconds, 2), value, within_seconds=NEAR_SECONDS)


def move_words(key: str) -> str:
    """Return what people call something that moves: ``gain``, ``send to room``, ``eq band1``."""
    if key.startswith("sends."):
        return f"send to {key.removeprefix('sends.')}"
    parts = [str(part) for part in split_place(key)]
    if parts[0] == "rack" and len(parts) > 1:
        parts = [*(["effect"] if parts[1].isdecimal() else []), *parts[1:]]
    return " ".join([*parts[:-1], named(parts[-1])])


def pan_words(pan: float) -> str:
    """Write a pan: ``C``, ``L20``, ``R100``."""
    share = round(100 * abs(pan))
    return "C" if not share else f"{'L' if pan < 0 else 'R'}{share}"


def _rack(rack: Sequence[Mapping[str, Any]]) -> str:
    names = [f"({_title(row)})" if row.get("bypass") else _title(row) for row in rack]
    return "rack " + ", ".join(names) if names else "no rack"


def _title(row: Mapping[str, Any]) -> str:
    """Return what people call an effect: a plug-in by its own name."""
    return str(row.get("plugin") or row["effect"])
