"""What the Rack screen says of effects and their values, the edits of values, and its loop.

Everything comes from the effects' Specs. Textual is not imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from covermaker.effects import EFFECTS
from covermaker.effects.rack import parse_rack
from covermaker.errors import CovermakerError
from covermaker.project.edits import ResetValue, SetValue
from covermaker.project.operations import on_values
from covermaker.tui.widgets.scales import scale_of

if TYPE_CHECKING:
    from covermaker.effects.owners import Rows
    from covermaker.effects.rack import EffectSettings
    from covermaker.effects.spec import Spec, Value
    from covermaker.project.operations import Edit

LOOP_SECONDS: Final = 12.0


def parsed(rows: Rows, place: str) -> tuple[EffectSettings, ...]:
    """Return the effects of a rack; raises `PlaceError` for what a render would refuse."""
    return parse_rack(rows, where=f"{place}.rack")


def specs_of(effect: str) -> tuple[Spec, ...]:
    """Return the parameters of an effect."""
    return EFFECTS.load(effect).SPECS


def help_of(effect: str) -> str:
    """Return what an effect is for."""
    return EFFECTS.load(effect).HELP


def figure(settings: EffectSettings) -> str:
    """Return the value that tells most: the first parameter, or the first that is not at its default."""
    specs = specs_of(settings.effect)
    changed = [spec for spec in specs if settings.values[spec.name] != spec.default]
    spec = specs[0] if not changed or specs[0] in changed else changed[0]
    return scale_of(spec).text(settings.values[spec.name])


def palette() -> list[tuple[str, str]]:
    """List every effect that there is, with its one-line help; one that cannot be loaded says so."""
    found = []
    for name in EFFECTS.names():
        try:
            found.append((name, help_of(name)))
        except CovermakerError as error:
            found.append((name, error.message))
    return found


def done(values: dict[str, Any], edit: Edit) -> dict[str, Any]:
    """Return a document's values after an edit that is still being saved."""
    return on_values(values, edit.operations(values))


# Edits


def value_edit(place: str, index: int, spec: Spec, value: Value | None) -> Edit:
    """Give a parameter a value; None is its default."""
    where = f"{place}.rack[{index}].{spec.name}"
    default = spec.default
    return ResetValue(where, default) if value is None else SetValue(where, value, default)


def about(spec: Spec, preset: str, preset_value: Value | None) -> str:
    """Say what a parameter is: its help, what is allowed, its default, a preset's value."""
    scale = scale_of(spec)
    words = [f"{spec.name}: {spec.help}", f"{spec.allowed}, default {scale.text(spec.default)}"]
    if preset and preset_value is not None:
        words[1] += f", '{preset}' {scale.text(preset_value)}"
    return " ".join(words) + "."


# The loop


def loudest(peaks: Any, seconds: float = LOOP_SECONDS) -> tuple[float, float]:
    """Return the stretch of a sound that is loudest on the whole: where there is something to hear.

    Parameters
    ----------
    peaks : Pyramid
        The sound.
    seconds : float
        How long; a shorter sound is taken whole.
    """
    import numpy as np

    length = min(seconds, peaks.seconds)
    step = 0.5
    count = max(1, int(peaks.seconds / step))
    low, high = peaks.columns(0.0, count * step, count)
    level = np.cumsum(np.concatenate([[0.0], np.maximum(-low, high)]))
    across = max(1, min(count, round(length / step)))
    sums = level[across:] - level[:-across]
    begin = float(np.argmax(sums)) * step if len(sums) else 0.0
    begin = min(begin, max(0.0, peaks.seconds - length))
    return round(begin, 3), round(begin + length, 3)


def moved(loop: tuple[float, float], by: float, seconds: float) -> tuple[float, float]:
    """Return a loop moved within a song."""
    length = min(loop[1] - loop[0], seconds)
    begin = min(max(0.0, loop[0] + by), max(0.0, seconds - length))
    return round(begin, 3), round(begin + length, 3)
