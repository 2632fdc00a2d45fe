"""What the Rack screen says of effects and their values, the edits of values, and its loop.

Everything comes from the effects' Specs. Textual is not imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from covermaker.effects import EFFECTS
from covermaker.effects.plugins.catalogue import catalogue
from covermaker.effects.plugins.row import EFFECT as PLUGIN
from covermaker.effects.plugins.row import absence
from covermaker.effects.rack import parse_rack
from covermaker.effects.spec import Spec
from covermaker.errors import CovermakerError
from covermaker.project.edits import ResetValue, SetValue
from covermaker.project.operations import on_values
from covermaker.tui.widgets.scales import scale_of

if TYPE_CHECKING:
    from covermaker.effects.owners import Owner, Rows
    from covermaker.effects.plugins.catalogue import Plugin
    from covermaker.effects.rack import EffectSettings
    from covermaker.effects.spec import Value
    from covermaker.project.document import Cover
    from covermaker.project.operations import Edit

LOOP_SECONDS: Final = 12.0
# What an effect listens to that has no side chain; a channel's name has no space.
OWN: Final = "own sound"
SIDECHAIN: Final = "sidechain"
_OF: Final = ": "  # between the effect and the plug-in that it runs


def parsed(rows: Rows, place: str) -> tuple[EffectSettings, ...]:
    """Return the effects of a rack; raises `PlaceError` for what a render would refuse."""
    return parse_rack(rows, where=f"{place}.rack")


def values_of(settings: EffectSettings) -> dict[str, Value]:
    """Return a value for each of its parameters: a plug-in's row has those only that are set."""
    found = {spec.name: settings.value_of(spec) for spec in settings.specs()}
    return {**found, SIDECHAIN: settings.sidechain or OWN}


def specs_shown(settings: EffectSettings, owner: Owner, cover: Cover) -> tuple[Spec, ...]:
    """Return the parameters of an effect, and what it listens to, where it can listen."""
    heard = keys_of(owner, cover) if hasattr(EFFECTS.load(settings.effect), "process_keyed") else []
    if settings.sidechain is not None and settings.sidechain not in heard:
        heard.append(settings.sidechain)
    if not heard:
        return settings.specs()
    help_ = "The channel whose sound turns this one down, in place of its own."
    return (*settings.specs(), Spec(SIDECHAIN, "", 0.0, 0.0, OWN, help=help_, choices=(OWN, *heard)))


def keys_of(owner: Owner, cover: Cover) -> list[str]:
    """List the channels that a rack can listen to: a track's to tracks, the others' to groups, too."""
    if owner.what == "master":
        return []
    known = [track.name for track in cover.tracks]
    if owner.what != "track":
        known += [group.name for group in cover.groups]
    return [name for name in known if name != owner.name or owner.what == "bus"]


def row_of(chosen: str) -> dict[str, Any]:
    """Return the row of what was chosen from the `palette`."""
    effect, _, plugin = chosen.partition(_OF)
    return {"effect": effect, **({"plugin": plugin} if plugin else {})}


def help_of(effect: str) -> str:
    """Return what an effect is for."""
    return EFFECTS.load(effect).HELP


def about_effect(settings: EffectSettings) -> str:
    """Return what an effect of a rack is for, or why its plug-in is not heard."""
    if settings.effect != PLUGIN:
        return help_of(settings.effect)
    found = catalogue().find(settings.title)
    return absence(settings) or (_made_by(found.plugin) if found is not None else "")


def figure(settings: EffectSettings) -> str:
    """Return the value that tells most: the first parameter, or the first that is not at its default."""
    specs = settings.specs()
    changed = [spec for spec in specs if settings.value_of(spec) != spec.default]
    spec = specs[0] if not changed or specs[0] in changed else changed[0]
    return scale_of(spec).text(settings.value_of(spec))


def palette() -> list[tuple[str, str]]:
    """List every effect that there is, with its one-line help; one that cannot be loaded says so.

    Plug-ins stand behind them, each by its own name.
    """
    found = []
    for name in EFFECTS.names():
        if name == PLUGIN:
            continue
        try:
            found.append((name, help_of(name)))
        except CovermakerError as error:
            found.append((name, error.message))
    plugins = [(f"{PLUGIN}{_OF}{one.plugin.name}", _made_by(one.plugin)) for one in catalogue().found()]
    return found + sorted(plugins)


def _made_by(plugin: Plugin) -> str:
    return f"Plug-in by {plugin.vendor}, {', '.join(plugin.category.split('|'))}."


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
    name = spec.name.rpartition(".")[2]
    words = [f"{name}: {spec.help}", f"{spec.allowed}, default {scale.text(spec.default)}"]
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
