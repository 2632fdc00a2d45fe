"""What moves over a song: in words, as a line to draw, and what can be done with it. Draws nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from covermaker.project.lanes import RemoveLane, SetLane, SetPoint, lane_of, unpointed
from covermaker.tui.project_channels import NEAR_SECONDS, course_of, move_words, pan_words, values_at
from covermaker.tui.widgets.courses import Course
from covermaker.tui.widgets.scales import NumberScale, SendScale
from covermaker.tui.words import count, length

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from covermaker.effects.automation import Automation
    from covermaker.project.operations import Edit
    from covermaker.tui.project_channels import Channel

_SHAPES: Final = {
    "linear": "a straight line from point to point",
    "smooth": "a curve without corners",
    "hold": "steps: each value stays until the next point",
}
_SHOWN = 3  # points in a line of words


def value_words(key: str, value: Any) -> str:
    """Write a value of what moves: ``-3.0 dB``, ``L20``, ``on``."""
    last = key.rpartition(".")[2]
    if last in ("mute", "bypass"):
        return "on" if value >= 0.5 else "off"
    if key == "pan":
        return pan_words(float(value))
    if key.startswith("sends."):
        return SendScale().text(float(value))
    if last.endswith("_db"):
        return f"{float(value):.1f} dB"
    return f"{float(value):.4g}"


def lane_words(key: str, course: Automation) -> str:
    """Say what moves how: its points, its shape, the first of them."""
    points = [f"{length(seconds)} {value_words(key, value)}" for seconds, value in course.points[:_SHOWN]]
    more = ", …" if len(course.points) > _SHOWN else ""
    shape = "" if key.rpartition(".")[2] in ("mute", "bypass") else f" {course.shape}"
    return f"{count(len(course.points), 'point')}{shape}: {', '.join(points)}{more}"


def line_of(key: str, course: Automation) -> Course:
    """Return the line of what moves: levels on the way of a fader, the rest between its lowest and highest."""
    values = [value for _, value in course.points]
    low, high = min(values), max(values)
    if key == "gain_db" or key.startswith("sends."):
        scale: Any = SendScale()
        floor, span = scale.fraction(low), scale.fraction(high) - scale.fraction(low)
    else:
        scale = NumberScale("", low, high, default=low) if high > low else None
        floor, span = 0.0, 1.0

    def heights(at: NDArray[np.float64]) -> NDArray[np.float64]:
        if scale is None or span <= 0.0:
            return np.full(len(at), 0.5)
        return np.array([(scale.fraction(value) - floor) / span for value in values_at(course, list(at))])

    floor_words, top_words = f"{move_words(key)} {value_words(key, low)}", value_words(key, high)
    if low == high:
        return Course(floor_words, "", floor_words, heights)
    return Course(floor_words, top_words, f"{floor_words} to {top_words}", heights)


def value_of(row: Channel, key: str) -> Any:
    """Return a value of a channel by what the document calls it."""
    if key.startswith("sends."):
        return (row.sends or {}).get(key.removeprefix("sends."), 0.0)
    return {"gain_db": row.value, "pan": row.pan, "mute": row.mute}[key]


def point_choices(values: dict[str, Any], row: Channel, key: str, here: float) -> dict[str, tuple[str, Edit]]:
    """Return what can be done with something that moves, or may: what that is called, words about it, the edit.

    Parameters
    ----------
    values : dict
        Of the document.
    row : Channel
        As it is at the playhead.
    here : float
        Where that is, in seconds.
    """
    target = f"{row.place}.{key}"
    can: dict[str, tuple[str, Edit]] = {}
    if not key.startswith("rack"):
        value = value_of(row, key)
        words = f"sets it to {value_words(key, value)} there; the fader does the same from then on"
        can[f"point at {length(here)}, the playhead"] = words, SetPoint(target, here, value, NEAR_SECONDS)
    steps = key.rpartition(".")[2] in ("mute", "bypass")
    return can | lane_choices(values, target, lambda value: value_words(key, value), steps=steps)


def lane_choices(
    values: dict[str, Any], target: str, words: Callable[[float], str], *, steps: bool
) -> dict[str, tuple[str, Edit]]:
    """Return what can be done with what moves already: points go, the shape changes, all of it goes.

    Parameters
    ----------
    words : callable
        Writes a value.
    steps : bool
        Whether it can do nothing but step, and so has one shape.
    """
    can: dict[str, tuple[str, Edit]] = {}
    lane = lane_of(values, target)
    if lane is None:
        return can
    shape = lane.get("shape", "linear")
    for seconds, value in course_of(lane).points:
        left = unpointed(lane["points"], seconds)
        edit: Edit = SetLane(lane["target"], left, shape) if left else RemoveLane(target)
        can[f"without the point at {length(seconds)}"] = f"it is {words(value)} there", edit
    if not steps:
        for name in (one for one in _SHAPES if one != shape):
            can[f"shape {name}"] = _SHAPES[name], SetLane(lane["target"], lane["points"], name)
    can["stay"] = "take all points away", RemoveLane(target)
    return can
