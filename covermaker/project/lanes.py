"""Automation follows what it moves: effects that are moved, channels that are renamed, sends that go."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from covermaker.documents.complaint import dotted
from covermaker.errors import UsageError, nearest
from covermaker.project.channels import SetSend
from covermaker.project.operations import Drop, Insert, Move, Put, Rename, at, on_values
from covermaker.project.places import ABSENT, NAMED, effect_part, get, names_of, parse_place, real
from covermaker.project.words import label_of, unit_of, written
from covermaker.units import clock, parse_clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from covermaker.documents.spans import Path
    from covermaker.project.operations import Operation

    Values = dict[str, Any]

_TABLE = "automation"
_TARGET = "target"


@dataclass(frozen=True)
class SetLane:
    """Let a value move: its points in time, in place of those that it has; points that stay keep their comments."""

    target: str
    points: Sequence[tuple[float | str, float | bool]]
    shape: str = "linear"

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place = parse_place(self.target, values)
        points = [list(point) for point in self.points]
        for number, lane in enumerate(values.get(_TABLE, [])):
            if _path(lane, values) == real(place, values):
                return list(self._changes((_TABLE, number), lane, points))
        row: dict[str, Any] = {_TARGET: self.target, "points": points}
        if self.shape != "linear":
            row["shape"] = self.shape
        return [Insert((_TABLE,), len(values.get(_TABLE, [])), row)]

    def _changes(self, where: Path, lane: Any, points: list[Any]) -> Iterator[Operation]:
        if lane[_TARGET] != self.target:
            yield Put((*where, _TARGET), self.target)
        if self.shape != lane.get("shape", "linear"):
            yield Put((*where, "shape"), self.shape) if self.shape != "linear" else Drop((*where, "shape"))
        yield from _point_changes((*where, "points"), lane.get("points"), points)

    def words(self, values: Values) -> str:
        """See `Edit`."""
        return f"automation of {self.target}: {len(self.points)} point{'s' * (len(self.points) != 1)}"


@dataclass(frozen=True)
class SetPoint:
    """Set a point of what moves at `target`, or let it begin to move, in a `shape`; a point that is so near goes."""

    target: str
    seconds: float
    value: float | bool
    within_seconds: float = 0.0
    shape: str = "linear"

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        lane = lane_of(values, self.target) or {_TARGET: self.target, "points": []}
        points = pointed(lane["points"], self.seconds, self.value, within_seconds=self.within_seconds)
        shape = lane.get("shape", "linear") if lane["points"] else self.shape
        return SetLane(lane[_TARGET], points, shape).operations(values)

    def words(self, values: Values) -> str:
        """See `Edit`."""
        place = parse_place(self.target, values)
        value = f"{written(self.value)}{unit_of(place)}"
        return f"{label_of(place, values)} is {value} at {clock(self.seconds)}, and moves"


@dataclass(frozen=True)
class SetNow:
    """Give a place a value at a moment of the song: where it moves, a point; None is its default."""

    path: str
    value: Any
    seconds: float
    within_seconds: float = 0.0

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        place = parse_place(self.path, values)
        if self.value is not None and lane_of(values, self.path) is not None:
            return self._point.operations(values)
        if len(place) == 4 and place[2] == "sends":
            return SetSend(dotted(place[:2]), str(place[3]), self.value).operations(values)
        if self.value is not None:
            return [Put(real(place, values), self.value)]
        return [] if get(values, place) is ABSENT else [Drop(real(place, values))]

    def words(self, values: Values) -> str | None:
        """See `Edit`."""
        moves = self.value is not None and lane_of(values, self.path) is not None
        return self._point.words(values) if moves else None

    @property
    def _point(self) -> SetPoint:
        return SetPoint(self.path, self.seconds, self.value, self.within_seconds)


@dataclass(frozen=True)
class RemoveLane:
    """Let a value stay what it is."""

    target: str

    def operations(self, values: Values) -> list[Operation]:
        """See `Edit`."""
        wanted = real(parse_place(self.target, values), values)
        for number, lane in enumerate(values.get(_TABLE, [])):
            if _path(lane, values) == wanted:
                return [Drop((_TABLE, number))]
        known = [str(lane.get(_TARGET)) for lane in values.get(_TABLE, [])]
        raise UsageError(
            f"nothing moves at '{self.target}'",
            hint=nearest(self.target, known) if known else "the project has no automation",
        )

    def words(self, values: Values) -> str:
        """See `Edit`."""
        return f"no automation of {self.target}"


def lane_of(values: Values, target: str) -> dict[str, Any] | None:
    """Return the lane that moves what `target` names, be it written otherwise there; None where nothing moves."""
    wanted = real(parse_place(target, values), values)
    found = (lane for lane in values.get(_TABLE, []) if _path(lane, values) == wanted)
    return next(found, None)


def pointed(
    points: Sequence[Any], seconds: float, value: float | bool, *, within_seconds: float = 0.0
) -> list[Any]:
    """Return points with one more, in the order of time; those that lie so near to it go."""
    kept = [list(point) for point in points if abs(_seconds(point[0]) - seconds) > within_seconds]
    return sorted([*kept, [seconds, value]], key=lambda point: _seconds(point[0]))


def unpointed(points: Sequence[Any], seconds: float, *, within_seconds: float = 0.0) -> list[Any]:
    """Return points without those at a time."""
    return [list(point) for point in points if abs(_seconds(point[0]) - seconds) > within_seconds]


def following(values: Values, operations: Sequence[Operation]) -> list[Operation]:
    """Return what has to be done to the automation behind `operations` on a document with these values.

    A lane whose target goes goes with it; one whose target is found elsewhere afterwards gets its new name. Lanes that
    lead nowhere already, and those that the operations touch themselves, are left alone.
    """
    lanes = values.get(_TABLE)
    if not isinstance(lanes, list) or any(one.path[:1] == (_TABLE,) for one in operations):
        return []
    paths = [_path(lane, values) for lane in lanes]
    state = values
    for operation in operations:
        paths = [path and _moved(path, operation, state) for path in paths]
        state = on_values(state, [operation])
    targets: list[Operation] = []
    gone: list[int] = []
    for number, (lane, before, after) in enumerate(
        zip(lanes, [_path(lane, values) for lane in lanes], paths, strict=True)
    ):
        if before and not after:
            gone.append(number)
        elif after and _path(lane, state) != after:
            targets.append(Put((_TABLE, number, _TARGET), _written(after, state, lane[_TARGET])))
    return [*targets, *(Drop((_TABLE, number)) for number in reversed(gone))]


def _point_changes(where: Path, before: Any, after: list[Any]) -> Iterator[Operation]:
    """Yield what makes one list of points of another, point by point in the order of time."""
    try:
        old, new = ([_seconds(time) for time, _ in points] for points in (before, after))
    except (TypeError, ValueError, UsageError):
        yield Put(where, after)
        return
    at = 0
    for what, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            for (_, was), (_, value) in zip(before[i1:i2], after[j1:j2], strict=True):
                if was != value or type(was) is not type(value):
                    yield Put((*where, at, 1), value)
                at += 1
            continue
        # First what comes, then what goes: a list that is empty in between would lose how it is laid out.
        for point in after[j1:j2]:
            yield Insert(where, at, point)
            at += 1
        yield from (Drop((*where, at)) for _ in range(i1, i2))


def _seconds(time: Any) -> float:
    return parse_clock(time) if isinstance(time, str) else float(time)


def _path(lane: Any, values: Values) -> Path:
    """Return the path in the document that a lane moves; empty where there is none."""
    try:
        return real(parse_place(str(lane[_TARGET]), values), values)
    except (LookupError, TypeError, UsageError):
        return ()


def _moved(path: Path, operation: Operation, values: Values) -> Path:
    """Return where a path leads behind an operation; empty when it is gone."""
    where = operation.path
    depth = len(where)
    inside = path[:depth] == where
    match operation:
        case Insert(_, index) if inside and len(path) > depth and int(path[depth]) >= index:
            return (*where, int(path[depth]) + 1, *path[depth + 1 :])
        case Move(_, index, to) if inside and len(path) > depth:
            return (*where, _shifted(int(path[depth]), index, to), *path[depth + 1 :])
        case Rename(_, to) if inside:
            return (*where[:-1], to, *path[depth:])
        case Drop() if inside:
            # A value that goes back to its default still moves; a send that goes does not.
            return path if path == where and "sends" not in path else ()
        case Drop() if path[: depth - 1] == where[:-1] and isinstance(where[-1], int):
            number = int(path[depth - 1])
            return (*where[:-1], number - (number > where[-1]), *path[depth:])
        case Put(_, value) if inside and len(path) > depth:
            return _replaced(path, where, value, values)
    return path


def _shifted(number: int, index: int, to: int) -> int:
    if number == index:
        return to
    return number - (index < number <= to) + (to <= number < index)


def _replaced(path: Path, where: Path, value: Any, values: Values) -> Path:
    """Return where a path leads in something that takes the place of what was there; racks go by their effects."""
    depth = len(where)
    if isinstance(value, list) and isinstance(path[depth], int):
        rows = at(values, where)
        effect = rows[path[depth]].get("effect")
        count = sum(row.get("effect") == effect for row in rows[: path[depth]])
        same = [number for number, row in enumerate(value) if row.get("effect") == effect]
        return (*where, same[count], *path[depth + 1 :]) if count < len(same) else ()
    return path if isinstance(value, dict) and path[depth] in value else ()


def _written(path: Path, values: Values, before: str) -> str:
    """Return a path as a person writes it: channels by their names, effects too, or numbered as `before` is."""
    parts: list[str | int] = list(path)
    if parts[0] in NAMED:
        parts[1] = names_of(values[str(parts[0])])[int(parts[1])]
    if "rack" in parts:
        depth = parts.index("rack") + 1
        part = effect_part(at(values, path[:depth]), int(parts[depth]))
        if not (part.isdecimal() and "rack[" in before):
            parts[depth] = part
    return dotted(tuple(parts))
