"""The lanes of a document: what each moves, checked, and sorted by whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from covermaker.documents.document import PlaceError
from covermaker.effects.able import check_moves
from covermaker.effects.automation import Automation, Move
from covermaker.effects.rack import parse_value
from covermaker.effects.stage import BYPASS
from covermaker.errors import UsageError, nearest
from covermaker.mix.strips import GAIN, MUTE, PAN
from covermaker.project.places import NAMED, get, parse_place
from covermaker.render.singing import seconds_of
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.effects.rack import EffectSettings
    from covermaker.effects.spec import Spec
    from covermaker.project.document import Lane
    from covermaker.project.places import Place

# Whose rack: ("tracks", "vocals"), ("buses", "room"), ("master",).
Whose: TypeAlias = tuple[str, ...]

_GAIN_RANGE = (-96.0, 24.0)
_RANGES: dict[str, tuple[float, float] | None] = {GAIN: _GAIN_RANGE, PAN: (-1.0, 1.0), MUTE: None}
_SWITCHES = (MUTE, BYPASS)


@dataclass(frozen=True)
class Lanes:
    """What moves in a project.

    Attributes
    ----------
    strips : dict
        Of each channel that has any: faders, pans, mutes and ``"sends.<bus>"``; see `covermaker.mix.strips.Strip`.
    racks : dict
        Of each rack that has any.
    """

    strips: dict[Whose, dict[str, Automation]] = field(default_factory=dict)
    racks: dict[Whose, tuple[Move, ...]] = field(default_factory=dict)

    def of_strip(self, table: str, name: str) -> dict[str, Automation]:
        """Return what moves of a channel itself."""
        return self.strips.get((table, name), {})

    def of_rack(self, *whose: str) -> tuple[Move, ...]:
        """Return what moves in a rack."""
        return self.racks.get(whose, ())


def read_lanes(
    lanes: Sequence[Lane],
    values: Mapping[str, Any],
    racks: Mapping[Whose, Sequence[EffectSettings]],
    *,
    song_seconds: float | None,
) -> Lanes:
    """Check the lanes of a document.

    Parameters
    ----------
    lanes : sequence of Lane
    values : mapping
        Of the document.
    racks : mapping
        Every rack, by whose it is.
    song_seconds : float or None
        Points may not lie behind it; None where it is not known.

    Raises
    ------
    PlaceError
        For a target that is not there or cannot move, times out of order or past the end, values out of range.
    """
    found = Lanes()
    seen: dict[Place, int] = {}
    for number, lane in enumerate(lanes):
        where = f"automation[{number}]"
        try:
            place = parse_place(lane.target, values)
        except UsageError as error:
            raise PlaceError(f"{where}.target", f": {error}", hint=error.hint) from error
        if place in seen:
            raise PlaceError(
                f"{where}.target",
                f": {lane.target} has automation already",
                hint=f"see automation[{seen[place]}]",
            )
        seen[place] = number
        points = _points(lane, where, song_seconds)
        whose, parameter, index = _target(place, where)
        of_it = [] if index is None else racks.get(whose, ())[index : index + 1]
        specs = [spec for setting in of_it for spec in setting.specs() if spec.name == parameter]
        steps = parameter in _SWITCHES or any(isinstance(spec.default, bool) for spec in specs)
        course = Automation(points, "hold" if steps else lane.shape)
        if index is None:
            _check_strip(parameter, place, values, lane, where)
            found.strips.setdefault(whose, {})[parameter] = course
        else:
            moves = (Move(index, parameter, course),)
            _check_numbers(specs, lane, where)
            check_moves(racks.get(whose, ()), moves, where=where)
            found.racks[whose] = found.of_rack(*whose) + moves
    return found


def _check_numbers(specs: Sequence[Spec], lane: Lane, where: str) -> None:
    """Refuse true and false where an effect has a number; `specs` holds what moves, if it is there."""
    for number, (_, value) in enumerate(lane.points):
        if specs and isinstance(value, bool) and not isinstance(specs[0].default, bool):
            parse_value(value, specs[0], f"{where}.points[{number}]")


def switched(lanes: Sequence[Lane], values: Mapping[str, Any], whose: Whose) -> set[int]:
    """Return the effects of a rack whose bypass moves, by their places; lanes that lead nowhere switch none."""
    found = set()
    for lane in lanes:
        with suppress(UsageError, PlaceError):
            owner, parameter, index = _target(parse_place(lane.target, values), "")
            if owner == whose and parameter == BYPASS and index is not None:
                found.add(index)
    return found


def _points(lane: Lane, where: str, song_seconds: float | None) -> tuple[tuple[float, float], ...]:
    points: list[tuple[float, float]] = []
    for number, (time, value) in enumerate(lane.points):
        seconds = seconds_of(time)
        here = f"{where}.points[{number}]"
        if points and seconds <= points[-1][0]:
            raise PlaceError(
                here, f"is at {seconds:g} s, not behind the one before it", hint="sort them by time"
            )
        if song_seconds is not None and seconds > song_seconds:
            raise PlaceError(
                here,
                f"is at {seconds:g} s, behind the end of the song",
                hint=f"it ends at {clock(song_seconds)}",
            )
        points.append((seconds, float(value)))
    return tuple(points)


def _target(place: Place, where: str) -> tuple[Whose, str, int | None]:
    """Return whose it is, what moves, and the effect's place in the rack."""
    match place:
        case (str(table), str(name), "rack", int(index), *rest) if table in NAMED and _parameter(rest):
            return (table, name), _parameter(rest), index
        case ("master", "rack", int(index), *rest) if _parameter(rest):
            return ("master",), _parameter(rest), index
        case (str(table), str(name), "sends", str(bus)) if table in NAMED:
            return (table, name), f"sends.{bus}", None
        case (str(table), str(name), str(parameter)) if table in NAMED:
            return (table, name), parameter, None
    raise PlaceError(
        f"{where}.target",
        "cannot move",
        hint="able: gain_db, pan, mute and sends of a channel, and parameters of racks, as tracks.vocals.gain_db",
    )


def _parameter(rest: Sequence[str | int]) -> str:
    """Return what of an effect the end of a place names: ``"ratio"``, of a plug-in ``"parameters.ratio"``."""
    match rest:
        case [str(name)]:
            return name
        case ["parameters", str(name)]:
            return f"parameters.{name}"
    return ""


def _check_strip(parameter: str, place: Place, values: Mapping[str, Any], lane: Lane, where: str) -> None:
    kind, _, bus = parameter.partition(".")
    if kind == "sends":
        sends = get(values, place[:3])
        if not isinstance(sends, Mapping) or bus not in sends:
            raise PlaceError(
                f"{where}.target",
                f": there is no send to '{bus}'",
                hint=f"add it: sends = {{ {bus} = -12.0 }}",
            )
        allowed: tuple[float, float] | None = _GAIN_RANGE
    elif parameter not in _RANGES:
        raise PlaceError(f"{where}.target", f": '{parameter}' cannot move", hint=nearest(parameter, _RANGES))
    else:
        allowed = _RANGES[parameter]
    for number, (_, value) in enumerate(lane.points):
        here = f"{where}.points[{number}]"
        if allowed is None:
            if not isinstance(value, bool):
                raise PlaceError(here, f"= {value:g} must be true or false")
        elif isinstance(value, bool) or not allowed[0] <= value <= allowed[1]:
            shown = str(value).lower() if isinstance(value, bool) else f"{value:g}"
            raise PlaceError(here, f"= {shown} must be {allowed[0]:g} to {allowed[1]:g}")
