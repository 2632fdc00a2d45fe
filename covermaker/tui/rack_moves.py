"""What moves of an effect over the song: its courses, values at a moment, what can be done with one. Draws nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from covermaker.errors import CovermakerError
from covermaker.project.edits import SetNow
from covermaker.project.lanes import SetLane, SetPoint, lane_of, pointed
from covermaker.project.places import effect_part, get, parse_place
from covermaker.tui.project_channels import NEAR_SECONDS, course_of, values_at
from covermaker.tui.project_lanes import lane_choices
from covermaker.tui.widgets.scales import scale_of
from covermaker.tui.words import length

if TYPE_CHECKING:
    from covermaker.effects.automation import Automation
    from covermaker.effects.spec import Spec, Value
    from covermaker.project.operations import Edit

    Values = dict[str, Any]

_PARAMETERS = "parameters."


def moving(values: Values, place: str, index: int) -> dict[str, Automation]:
    """Return which parameters of an effect move over the song, and how."""
    whose = (*parse_place(place, values), "rack", index)
    found: dict[str, Automation] = {}
    for lane in values.get("automation", []):
        try:
            target = parse_place(str(lane["target"]), values)
            course = course_of(lane)
        except (CovermakerError, LookupError, TypeError, ValueError):
            continue  # a render refuses it, and says why
        if target[: len(whose)] == whose:
            found[".".join(map(str, target[len(whose) :]))] = course
    return found


def at_moment(spec: Spec, course: Automation, seconds: float) -> Value:
    """Return the value of a parameter at a moment of the song."""
    (value,) = values_at(course, [seconds])
    if isinstance(spec.default, bool):
        return value >= 0.5
    if spec.choices:
        return min((one for one in spec.choices if isinstance(one, float)), key=lambda one: abs(one - value))
    return float(f"{min(max(value, spec.minimum), spec.maximum):.4g}")


def target_of(values: Values, place: str, index: int, spec: Spec) -> str:
    """Return how automation names a parameter."""
    rows = get(values, (*parse_place(place, values), "rack"))
    return f"{place}.rack.{effect_part(rows, index)}.{spec.name.removeprefix(_PARAMETERS)}"


def point_edit(target: str, value: Value, seconds: float, *, glides: bool) -> Edit:
    """Return what sets a point, and lets the parameter begin to move; one that cannot glide steps."""
    point = float(value) if not isinstance(value, bool) else value
    return SetPoint(target, seconds, point, NEAR_SECONDS, "linear" if glides else "hold")


def now_edit(target: str, spec: Spec, value: Value | None, seconds: float) -> Edit:
    """Return what gives a parameter that moves a value at a moment; None is its default."""
    return SetNow(target, spec.default if value is None else value, seconds, NEAR_SECONDS)


def choices(
    values: Values,
    target: str,
    spec: Spec,
    value: Value,
    *,
    here: float,
    loop: tuple[float, float] | None,
    glides: bool,
) -> dict[str, tuple[str, Edit]]:
    """Return what can be done with a parameter that moves, or may: what that is called, words about it, the edit.

    Parameters
    ----------
    value : float, str or bool
        At the playhead.
    here : float
        Where that is, in seconds.
    loop : (float, float), optional
        Where a fade would begin and end.
    glides : bool
        Whether it can take any value in between.
    """
    text = scale_of(spec).text
    can: dict[str, tuple[str, Edit]] = {
        f"point at {length(here)}, the playhead": (
            f"sets it to {text(value)} there; the fader does the same from then on",
            point_edit(target, value, here, glides=glides),
        )
    }
    if loop is not None and glides:
        start = spec.default if spec.default != value else spec.minimum
        name = f"fade from {length(loop[0])} to {length(loop[1])}, the loop"
        if start != value:
            can[name] = f"from {text(start)} to {text(value)}", _fade(values, target, loop, start, value)
    return can | lane_choices(values, target, lambda found: text(_typed(spec, found)), steps=not glides)


def _typed(spec: Spec, value: Any) -> Value:
    return value >= 0.5 if isinstance(spec.default, bool) else float(value)


def _fade(values: Values, target: str, loop: tuple[float, float], start: Value, stop: Value) -> Edit:
    """Return what lets a parameter go from one value to another; points in between go."""
    lane = lane_of(values, target) or {"target": target, "points": []}
    middle, within = sum(loop) / 2.0, (loop[1] - loop[0]) / 2.0 + NEAR_SECONDS
    begin, end = (round(at, 2) for at in loop)
    points = pointed(lane["points"], middle, 0.0, within_seconds=within)
    kept = [point for point in points if point != [middle, 0.0]]
    faded = pointed(pointed(kept, begin, float(start)), end, float(stop))
    shape = lane.get("shape", "linear")
    return SetLane(lane["target"], faded, "linear" if shape == "hold" else shape)
