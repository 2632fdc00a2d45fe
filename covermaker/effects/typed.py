"""Values as people type them: switches in words, numbers with their unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from covermaker.effects.rack import parse_rack
from covermaker.effects.spec import OF_ONE, Spec, switch
from covermaker.effects.stage import BYPASS
from covermaker.errors import CovermakerError
from covermaker.project.places import ABSENT, get, parse_place
from covermaker.project.saving import defaults
from covermaker.project.words import unit_of
from covermaker.units import parse_clock, quantity

if TYPE_CHECKING:
    from covermaker.effects.rack import EffectSettings
    from covermaker.effects.spec import Value
    from covermaker.project.load import Project
    from covermaker.project.places import Place

_SWITCHES = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
BYPASS_SPEC = switch(BYPASS, False, "Let the sound pass.")


def spec_at(place: Place, values: Mapping[str, Any]) -> Spec | None:
    """Return the parameter of an effect that a place is; None where it is none, or nobody knows what it has."""
    setting, name = effect_at(place, values)
    specs = () if setting is None else (BYPASS_SPEC, *setting.specs())
    return next((spec for spec in specs if spec.name == name), None)


def effect_at(place: Place, values: Mapping[str, Any]) -> tuple[EffectSettings | None, str]:
    """Return the effect that a place is in, and which of its parameters it is; None where there is none."""
    depth = place.index("rack") + 2 if "rack" in place[:-1] else 0
    return (bare(get(values, place[:depth])) if depth else None), ".".join(map(str, place[depth:]))


def bare(row: Any) -> EffectSettings | None:
    """Return the effect of a row, whatever else the row says; None for a row that names none."""
    named = {key: row[key] for key in ("effect", "plugin") if key in row} if isinstance(row, Mapping) else {}
    try:
        return parse_rack([named], where="rack")[0]
    except CovermakerError:
        return None


def typed_as(spec: Spec, text: str) -> Value | None:
    """Read what was typed for a parameter; None for what is neither a switch nor a number.

    Raises
    ------
    UsageError
        For a number in another unit.
    """
    if isinstance(spec.default, bool):
        return _SWITCHES.get(text.strip().lower())
    if isinstance(spec.default, str):
        return None
    return quantity(text, spec.unit, of_one=spec.maximum <= OF_ONE)


def typed(place: str, text: str, project: Project) -> Value | list[str] | None:
    """Read what was typed for a place of a project.

    Returns
    -------
    Value, list of str or None
        None where what stands there is no switch, number or list of names, or the text is none.

    Raises
    ------
    UsageError
        For a number in another unit than that of the place, and a place that is not there.
    """
    values = project.document.values
    where = parse_place(place, values)
    spec = spec_at(where, values)
    if spec is not None:
        return typed_as(spec, text)
    now, unit = get(defaults(project), where), unit_of(where).strip()
    if isinstance(now, bool):
        return _SWITCHES.get(text.strip().lower())
    if isinstance(now, list) and now and all(isinstance(one, str) for one in now) and "[" not in text:
        return [one.strip() for one in text.split(",") if one.strip()]
    if ":" in text:  # a moment of the song
        return parse_clock(text) if unit == "s" else None
    share = now in (None, ABSENT) and text.rstrip().endswith("%")
    if not (isinstance(now, (int, float)) or unit or share):
        return None
    found = quantity(text, unit, of_one=not unit)
    return int(found) if isinstance(now, int) and found is not None and found.is_integer() else found
