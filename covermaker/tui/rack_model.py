"""What the Rack screen knows of racks: whose there are, their effects and values, the edits, the nearest preset.

Everything comes from the effects' Specs. Textual is not imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from covermaker.effects import EFFECTS
from covermaker.effects.preset_edits import distance, edit_of, rack_differences, settings_of
from covermaker.effects.presets import Preset, list_presets, load_preset
from covermaker.effects.rack import parse_rack
from covermaker.errors import CovermakerError
from covermaker.project.edits import ResetValue, SetValue, Together
from covermaker.project.operations import on_values
from covermaker.project.places import get, parse_place
from covermaker.project.words import effect_label
from covermaker.tui.widgets.scales import scale_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from covermaker.effects.presets import Kind
    from covermaker.effects.rack import EffectSettings
    from covermaker.effects.spec import Spec, Value
    from covermaker.project.document import Cover, Track
    from covermaker.project.load import Project
    from covermaker.project.operations import Edit

Rows = list[dict[str, Any]]

LOOP_SECONDS: Final = 12.0


@dataclass(frozen=True)
class Owner:
    """Whose rack it is.

    Attributes
    ----------
    place : str
        ``"tracks.vocals"``, ``"buses.room"`` or ``"master"``.
    track : Track or None
        Of a track.
    """

    place: str
    name: str
    track: Track | None = None

    @property
    def kind(self) -> Kind:
        """Which presets fit."""
        return "masters" if self.place == "master" else "racks"


def owners(cover: Cover) -> list[Owner]:
    """List whoever has a rack: tracks, buses, the master."""
    return [
        *(Owner(f"tracks.{track.name}", track.name, track) for track in cover.tracks),
        *(Owner(f"buses.{bus.name}", bus.name) for bus in cover.buses),
        Owner("master", "master"),
    ]


def rows_of(values: Mapping[str, Any], place: str) -> Rows:
    """Return the rows of a rack; none where the document has none."""
    found = get(values, (*parse_place(place, values), "rack"))
    return [dict(row) for row in found] if isinstance(found, list) else []


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


def switch_edit(owner: Owner, rows: Rows, index: int) -> Edit:
    """Turn an effect off, or on again."""
    off = bool(rows[index].get("bypass"))
    words = f"{owner.name} {effect_label(rows, index)} {'off -> on' if off else 'on -> off'}"
    return Together((_bypass(owner.place, index, not off),), words)


def switch_all_edit(owner: Owner, rows: Rows, before: Sequence[bool] | None) -> Edit:
    """Turn every effect off; when they all are, on again: those that were, where `before` remembers it."""
    now = [bool(row.get("bypass")) for row in rows]
    wanted = [True] * len(rows)
    words = f"{owner.name}: every effect off"
    if all(now):
        remembered = before is not None and len(before) == len(rows) and not all(before)
        wanted = list(before or ()) if remembered else [False] * len(rows)
        words = f"{owner.name}: effects on again"
    edits = [_bypass(owner.place, at, off) for at, off in enumerate(wanted) if off != now[at]]
    return Together(tuple(edits), words)


def _bypass(place: str, index: int, off: bool) -> Edit:
    where = f"{place}.rack[{index}].bypass"
    return SetValue(where, True) if off else ResetValue(where)


# Presets


def presets(kind: Kind) -> list[Preset]:
    """Load the presets of a kind; damaged ones are left out."""
    return [load_preset(kind, entry.name) for entry in list_presets(kind) if entry.problem is None]


def fitting(owner: Owner, known: Sequence[Preset]) -> list[Preset]:
    """List the presets that can be put on a rack; a bus takes those that bring a bus of its name."""
    if owner.place.startswith("buses."):
        return [preset for preset in known if preset.kind == "racks" and owner.name in preset.buses]
    return [preset for preset in known if preset.kind == owner.kind]


def rack_of_preset(owner: Owner, preset: Preset) -> Rows:
    """Return the rack that a preset has for an owner."""
    rows = preset.buses.get(owner.name, ()) if owner.place.startswith("buses.") else preset.rack
    return [dict(row) for row in rows]


def preset_edit(owner: Owner, preset: Preset, project: Project) -> Edit:
    """Return the edit that puts a preset on a rack; raises `UsageError` when the track is gone."""
    if owner.place.startswith("buses."):
        edit = SetValue(f"{owner.place}.rack", rack_of_preset(owner, preset))
        return Together((edit,), f"preset '{preset.name}' on bus {owner.name}")
    return edit_of(preset, project, owner.name)


def nearest(owner: Owner, rows: Rows, known: Sequence[Preset]) -> Preset | None:
    """Return the preset of the same effects that differs least; None where none has them."""
    if not rows:
        return None
    mine = settings_of(_bare(rows))
    found: list[tuple[int, Preset]] = []
    for preset in fitting(owner, known):
        apart = distance(mine, settings_of(_bare(rack_of_preset(owner, preset))))
        if apart is not None:
            found.append((apart, preset))
    return min(found, key=lambda one: one[0], default=(0, None))[1]


def edits_beside(owner: Owner, rows: Rows, preset: Preset) -> int:
    """Count what makes a rack another than a preset's."""
    return len(rack_differences(rack_of_preset(owner, preset), rows))


def preset_value(owner: Owner, preset: Preset, rows: Rows, index: int, name: str) -> Value | None:
    """Return a preset's value of a parameter: that of its effect of the same name, counted among equal ones."""
    effect = rows[index]["effect"]
    count = sum(row["effect"] == effect for row in rows[:index])
    same = [one for one in parse_rack(rack_of_preset(owner, preset), where="rack") if one.effect == effect]
    return same[count].values[name] if count < len(same) else None


def _bare(rows: Rows) -> Preset:
    from pathlib import Path

    return Preset("racks", "", "", Path(), tuple(rows))


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


def saved_preset(owner: Owner, project: Project, name: str, description: str) -> Preset:
    """Return what an owner has, as a preset to be written; a bus's rack becomes one of a track."""
    from pathlib import Path

    from covermaker.effects.preset_edits import taken

    if owner.place.startswith("buses."):
        rows = rows_of(project.document.values, owner.place)
        return Preset("racks", name, description, Path(), tuple(rows))
    return taken(project, owner.kind, owner.name, name, description)


def project_of(folder: Path) -> Project:
    """Read a project; raises `ProjectError` when it cannot be read."""
    from covermaker.project.load import load

    return load(folder)
