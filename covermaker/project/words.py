"""Changes of a project in words: ``vocals gain -3.0 -> -2.5 dB``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from covermaker.project.places import ABSENT, KINDS, NAMED, ORDER, get

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.project.places import Change, Place

# Ends of names, and the units that they stand for.
_UNITS = {
    "_db": "dB", "_dbtp": "dBTP", "_lufs": "LUFS", "_hz": "Hz", "_ms": "ms", "_seconds": "s",
    "_semitones": "semitones", "_frames": "frames", "_bpm": "bpm",
}  # fmt: skip

# Tables whose name adds nothing to what their keys say.
_SILENT = frozenset({"rack", "song", "parameters"})

_LABELS = {"rack_lufs": "rack level", "transpose": "transpose"}
_LONGEST = 40  # characters of a text or list


def say(
    change: Change,
    values: Mapping[str, Any],
    defaults: Mapping[str, Any],
    ended: Mapping[str, Any] | None = None,
) -> str:
    """Return one change in words.

    Parameters
    ----------
    change : Change
        What changed.
    values : mapping
        The document, before or after: tells effects by their names.
    defaults : mapping
        The whole document before the change, what it leaves out filled in.
    ended : mapping, optional
        The same after the change; without it nobody knows what a key that went leaves behind.
    """
    place, before, after = change.place, change.before, change.after
    if place[0] in NAMED and len(place) == 2:
        if place[1] == ORDER:
            return f"{place[0]} in another order"
        return f"{'added' if before is ABSENT else 'removed'} {KINDS[str(place[0])]} {place[1]}"
    if place[0] == "automation":
        return _automation(change, values, ended)
    if place == ("sections",):
        return f"sections {_section_names(before)} -> {_section_names(after)}"
    label, unit = label_of(place, values), "" if isinstance(after, str) else unit_of(place)
    if _is_rack(place):
        return f"{label} {_count(before)} -> {_count(after)}"
    if before is ABSENT:
        before = False if place[-1] == "bypass" else get(defaults, place)
    if after is ABSENT and ended is not None:
        after = False if place[-1] == "bypass" else get(ended, place)
    if after is ABSENT:
        return f"{label} {written(before)}{unit} -> its default"
    if before is ABSENT:
        return f"{label} set to {written(after)}{unit}"
    return f"{label} {written(before)} -> {written(after)}{unit}"


def say_all(
    changes: Sequence[Change],
    values: Mapping[str, Any],
    defaults: Mapping[str, Any],
    ended: Mapping[str, Any] | None = None,
) -> str:
    """Return several changes in one line: two of them, and how many more."""
    lines = [say(change, values, defaults, ended) for change in changes]
    more = f" and {len(lines) - 2} more" if len(lines) > 2 else ""
    return "; ".join(lines[:2]) + more


def owner(place: Place) -> str:
    """Say whose rack stands at a place: ``vocals``, ``master``."""
    return str(place[1] if place[0] in NAMED else place[0])


def effect_label(rows: Sequence[Mapping[str, Any]], index: int) -> str:
    """Return what an effect of a rack is called: its name; where the rack holds several of it, its place, too.

    A plug-in is called by its own name.
    """
    names = [str(row.get("plugin") or row.get("effect")) for row in rows]
    name = names[index]
    return f"{name} {index + 1}" if names.count(name) > 1 else name


def written(value: Any) -> str:
    """Write a value shortly; switches are on or off."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        text = f"{value:.10g}"
        return text if any(sign in text for sign in ".en") else f"{text}.0"
    if value is None or value is ABSENT:
        return "none"
    if isinstance(value, (list, tuple)):
        text = ", ".join(map(written, value)) or "none"
    elif isinstance(value, dict):
        text = ", ".join(f"{key} {written(item)}" for key, item in value.items()) or "none"
    else:
        text = " ".join(str(value).split()) or '""'
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def label_of(place: Place, values: Mapping[str, Any]) -> str:
    """Return what people call a place: ``vocals compressor threshold``."""
    if len(place) >= 4 and place[0] in NAMED and place[2] == "sends":
        return f"{place[1]} send to {place[3]}"
    parts = []
    for depth, part in enumerate(place):
        if depth == 0 and part in NAMED:
            continue
        last = depth == len(place) - 1
        if isinstance(part, int) and depth and place[depth - 1] == "rack":
            parts.append(effect_label(get(values, place[:depth]), part))
        elif isinstance(part, int):
            parts.append(str(part + 1) if depth != 1 else f"{place[0]} {part + 1}")
        elif last or part not in _SILENT:
            parts.append(named(part) if last else part.replace("_", " "))
    return " ".join(parts)


def named(key: str) -> str:
    """Return what people call a key: without its unit."""
    if key in _LABELS:
        return _LABELS[key]
    for end in _UNITS:
        key = key.removesuffix(end)
    return key.replace("_", " ")


def unit_of(place: Place) -> str:
    """Return the unit of a number at a place, a space before it; nothing where it has none."""
    if "sends" in place:
        return " dB"
    last = str(place[-1])
    return next((f" {unit}" for end, unit in _UNITS.items() if last.endswith(end)), "")


def _automation(change: Change, values: Mapping[str, Any], ended: Mapping[str, Any] | None) -> str:
    """Say what moves: of lists the lanes that came and went, of a lane whose it is."""
    if len(change.place) > 1:
        lane = get(ended or values, change.place[:2])
        target = lane.get("target") if isinstance(lane, dict) else None
        return f"automation of {target or f'lane {change.place[1]}'}"
    before, after = (
        [str(lane.get("target")) for lane in lanes] if isinstance(lanes, list) else []
        for lanes in (change.before, change.after)
    )
    parts = [f"+ {target}" for target in after if target not in before]
    parts += [f"- {target}" for target in before if target not in after]
    return f"automation {', '.join(parts)}" if parts else f"automation of {written(after)}"


def _section_names(rows: Any) -> str:
    """Return the names of a song's sections."""
    return written([row.get("name") for row in rows] if isinstance(rows, list) else [])


def _is_rack(place: Place) -> bool:
    return place[-1] == "rack"


def _count(rows: Any) -> str:
    number = len(rows) if isinstance(rows, list) else 0
    return f"{number} effect{'s' * (number != 1)}"
