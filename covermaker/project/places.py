"""Places inside a project as people name them, what differs between two states of it, and that in words.

A place is a tuple like ``("tracks", "vocals", "rack", 2, "ratio")``: tracks and buses go by their names, so that a
place stays the same when others come, go or change their order. `real` turns it into the path that the document has.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from covermaker.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from covermaker.documents.spans import Path

Place: TypeAlias = tuple[str | int, ...]

# Lists whose items have names of their own.
NAMED = ("tracks", "groups", "buses")

# What one item of such a list is called.
KINDS = {"tracks": "track", "groups": "group", "buses": "bus"}

# The last part of the place that stands for the order of a named list.
ORDER = "[]"

# Of the row of a plug-in; every other key of it names one of its parameters.
_PLUGIN_KEYS = ("effect", "plugin", "parameters", "state", "latency_samples", "bypass", "sidechain")
_PARAMETERS = "parameters"

_BARE = re.compile(r"[\w-]+")
_PART = re.compile(
    r"""\.?(?:\[(?P<index>\d+)\]|(?P<quoted>"(?:[^"\\]|\\.)*"|'[^']*')|(?P<name>[^.\[\]"'\s]+))"""
)


class Absent(Enum):
    """What stands at a place where nothing does."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True)
class Change:
    """What one place was and is; `index` is where an item of a named list stands, or stood."""

    place: Place
    before: Any
    after: Any
    index: int | None = None

    def reversed(self) -> Change:
        """Return the change that takes this one back."""
        return Change(self.place, self.after, self.before, self.index)


def parse_place(text: str, values: Mapping[str, Any]) -> Place:
    """Read ``tracks.vocals.gain_db``, ``tracks[0].gain_db``, ``tracks.vocals.rack.gate.ratio``, ``rack.3.ratio``.

    Behind a dot the effects of a rack are counted from 1, as people see them; in brackets everything is counted from 0,
    as in the document: ``rack.3`` is ``rack[2]``. A plug-in may go by its own name, its parameters without their table.

    Parameters
    ----------
    text : str
        Names with odd characters may be quoted: ``stems.files."my stem"``.
    values : mapping
        Of the document: says what is called how.

    Raises
    ------
    UsageError
        When it is no path, or there is no such track, bus or effect.
    """
    return _canonical(split_place(text), values)


def split_place(text: str) -> Place:
    """Return the parts of a place as they are written; `UsageError` where it is none."""
    parts: Place = ()
    end = 0
    for match in _PART.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        if match["index"] is not None:
            parts = (*parts, int(match["index"]))
        elif match["quoted"] is not None:
            parts = (*parts, _unquoted(match["quoted"]))
        else:
            parts = (*parts, match["name"])
    if not parts or end != len(text) or text.startswith("."):
        raise UsageError(f"'{text}' is no place in a project", hint="as in tracks.vocals.gain_db")
    return parts


def _unquoted(text: str) -> str:
    try:
        return str(tomllib.loads(f"k = {text}")["k"])
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{text} is no quoted name") from error


def _canonical(parts: Place, values: Mapping[str, Any]) -> Place:
    """Return the place with names in place of numbers of tracks, and numbers in place of names of effects."""
    if len(parts) < 2 or parts[0] not in NAMED:
        return _effect_numbered(parts, values)
    names = names_of(values.get(str(parts[0]), []))
    kind = KINDS[str(parts[0])]
    wanted = parts[1]
    if isinstance(wanted, int):
        if wanted >= len(names):
            raise UsageError(f"the project has no {parts[0]}[{wanted}]: it has {len(names)}, counted from 0")
        wanted = names[wanted]
    elif wanted not in names:
        raise UsageError(f"the project has no {kind} '{wanted}'", hint=nearest(wanted, map(str, names)))
    return _effect_numbered((parts[0], wanted, *parts[2:]), values)


def _effect_numbered(place: Place, values: Mapping[str, Any]) -> Place:
    depth = 2 if place[0] in NAMED else 1
    if len(place) < depth + 2 or place[depth] != "rack":
        return place
    found = get(values, place[: depth + 1])
    rows = found if isinstance(found, list) else []
    wanted, inside = place[depth + 1], place[depth + 2 :]
    index = wanted if isinstance(wanted, int) else _effect_called(wanted, rows)
    row = rows[index] if index < len(rows) else None
    if isinstance(row, dict) and "plugin" in row and len(inside) == 1 and inside[0] not in _PLUGIN_KEYS:
        inside = (_PARAMETERS, *inside)
    return (*place[: depth + 1], index, *inside)


def _effect_called(wanted: str, rows: Sequence[Any]) -> int:
    """Return where an effect stands that is named, or numbered from 1."""
    if wanted.isdecimal():
        if 1 <= int(wanted) <= len(rows):
            return int(wanted) - 1
        raise UsageError(
            f"the rack has no effect {wanted}: {f'it has {len(rows)}' if rows else 'it is empty'}"
        )
    named = [names_of_effect(row) for row in rows]
    found = [index for index, names in enumerate(named) if wanted in names]
    if len(found) > 1:
        raise UsageError(
            f"the rack has {len(found)} effects called '{wanted}'",
            hint=f"say which by its number: rack.{found[0] + 1}",
        )
    if not found:
        known = list(dict.fromkeys(name for names in named for name in reversed(names)))
        raise UsageError(
            f"the rack has no '{wanted}'", hint=nearest(wanted, known) if known else "it is empty"
        )
    return found[0]


def names_of_effect(row: Any) -> list[str]:
    """Return what a row of a rack may be called: its effect, and a plug-in by its own name, too."""
    names = [row.get("effect"), row.get("plugin")] if isinstance(row, dict) else []
    return [name for name in names if isinstance(name, str)]


def effect_part(rows: Sequence[Any], index: int) -> str:
    """Return how an effect is written in a place: by its name, where that says which, or its number from 1."""
    for name in reversed(names_of_effect(rows[index])):
        if sum(name in names_of_effect(row) for row in rows) == 1 and not name.isdecimal():
            return name if _BARE.fullmatch(name) else f'"{name}"' if '"' not in name else str(index + 1)
    return str(index + 1)


def names_of(rows: Sequence[Mapping[str, Any]]) -> list[str | int]:
    """Return what the items of a named list go by: their names, or their numbers where the names do not tell."""
    names = [row.get("name") for row in rows]
    if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
        return [str(name) for name in names]
    return list(range(len(names)))


def real(place: Place, values: Mapping[str, Any]) -> Path:
    """Return the path that a place has in a document.

    Raises
    ------
    LookupError
        When its track or bus is not there.
    """
    if len(place) < 2 or place[0] not in NAMED:
        return place
    names = names_of(values.get(str(place[0]), []))
    if place[1] not in names:
        raise LookupError(place[1])
    return (place[0], names.index(place[1]), *place[2:])


def get(values: Mapping[str, Any], place: Place) -> Any:
    """Return what stands at a place, or `ABSENT`."""
    try:
        found: Any = values
        for part in real(place, values):
            found = found[part]
    except (LookupError, TypeError):
        return ABSENT
    return found


def overlap(one: Place, other: Place) -> bool:
    """Tell whether one place lies within the other, or is the same."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """List what differs between two states of a document, in the order of the document."""
    return list(_differences((), before, after))


def _differences(place: Place, before: Any, after: Any) -> Iterator[Change]:
    before, after = _table(before, after), _table(after, before)
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _differences((*place, key), before.get(key, ABSENT), after.get(key, ABSENT))
    elif len(place) == 1 and place[0] in NAMED:
        yield from _named(place, _rows(before), _rows(after))
    elif _same_effects(before, after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences((*place, index), old, new)
    elif before != after or type(before) is not type(after):
        yield Change(place, before, after)


def _table(value: Any, other: Any) -> Any:
    """Return a table that is not there as an empty one, beside one that is."""
    return {} if value is ABSENT and isinstance(other, dict) else value


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) and all(isinstance(row, dict) for row in value) else []


def _named(place: Place, before: list[Any], after: list[Any]) -> Iterator[Change]:
    old, new = names_of(before), names_of(after)
    for index, name in enumerate(old):
        if name not in new:
            yield Change((*place, name), before[index], ABSENT, index)
        else:
            yield from _differences((*place, name), before[index], after[new.index(name)])
    for index, name in enumerate(new):
        if name not in old:
            yield Change((*place, name), ABSENT, after[index], index)
    kept_before, kept_after = [n for n in old if n in new], [n for n in new if n in old]
    if kept_before != kept_after:
        yield Change((*place, ORDER), kept_before, kept_after)


def _same_effects(before: Any, after: Any) -> bool:
    """Tell whether two racks hold the same effects in the same order, so that their rows can be compared."""
    if not (isinstance(before, list) and isinstance(after, list) and len(before) == len(after)):
        return False
    return all(
        isinstance(old, dict) and isinstance(new, dict) and old.get("effect") == new.get("effect") is not None
        for old, new in zip(before, after, strict=True)
    )
