"""Presets and projects: one put into the other, as an edit that can be undone, and what that would change in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.effects.presets import Preset
from covermaker.effects.rack import parse_rack
from covermaker.errors import UsageError, nearest
from covermaker.project.document import CONVERTED
from covermaker.project.edits import ResetValue, SetMaster, SetRack, SetValue, Together
from covermaker.project.operations import on_values
from covermaker.project.places import difference
from covermaker.project.saving import defaults
from covermaker.project.words import label_of, named, say, unit_of, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.effects.presets import Kind
    from covermaker.effects.rack import EffectSettings
    from covermaker.effects.spec import Spec, Value
    from covermaker.project.document import Cover, Group, Track
    from covermaker.project.load import Project
    from covermaker.project.operations import Edit

_LEVELS: Final = ("loudness_lufs", "true_peak_dbtp")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that applying a preset would do.

    Attributes
    ----------
    sign : str
        ``"~"`` changes, ``"+"`` adds, ``"-"`` takes away.
    """

    sign: str
    words: str


def sung_tracks(cover: Cover) -> list[str]:
    """List the tracks, those with a converted voice first."""
    return [track.name for track in sorted(cover.tracks, key=lambda track: not _is_sung(track))]


def edit_of(preset: Preset, project: Project, track: str) -> Edit:
    """Return the edit that puts a preset into a project.

    Parameters
    ----------
    track : str
        Gets the rack, a group does, too; masters and voice settings belong to the whole song.

    Raises
    ------
    UsageError
        When there is no such track.
    """
    if preset.kind == "racks":
        table = "groups" if _track(project.cover, track) in project.cover.groups else "tracks"
        if preset.made_for == "buses" and table == "tracks":
            raise UsageError(
                f"the preset '{preset.name}' is made for a bus or a group, '{track}' is a track",
                hint="say which: --bus NAME, or --track with the name of a group",
            )
        return SetRack(track, preset.rack, preset.sends, preset.buses, name=preset.name, table=table)
    if preset.kind == "masters":
        levels = {key: getattr(preset, key) for key in _LEVELS}
        return SetMaster(levels, preset.rack, name=preset.name)
    from covermaker.effects.voice_settings import KEPT, flat, keys

    named = flat(preset.convert)
    edits: list[Edit] = []
    for key in keys():
        place = f"convert.{key}"
        if key in named:
            edits.append(SetValue(place, named[key]))
        elif key not in KEPT:
            edits.append(ResetValue(place))
    return Together(tuple(edits), f"preset '{preset.name}' on the voice")


def changes_of(preset: Preset, project: Project, track: str) -> dict[str, Any]:
    """Return the tables of the document that a preset would change, as a preview takes them; nothing is saved."""
    before = project.document.values
    after = on_values(before, edit_of(preset, project, track).operations(before))
    return {key: value for key, value in after.items() if before.get(key) != value}


def missing_buses(preset: Preset, project: Project) -> list[str]:
    """List the buses of a rack's sends that neither it nor the project has; these sends are left out."""
    return sorted(set(preset.sends) - set(preset.buses) - {bus.name for bus in project.cover.buses})


def taken(project: Project, kind: Kind, track: str, name: str, description: str) -> Preset:
    """Return what a project has, as a preset.

    Raises
    ------
    UsageError
        When there is no such track, or a master has no loudness to reach.
    """
    cover, values = project.cover, project.document.values
    preset = Preset(kind, name, description, Path())
    if kind == "racks":
        found = _track(cover, track)
        racks = {
            bus.name: tuple(dict(row) for row in bus.rack) for bus in cover.buses if bus.name in found.sends
        }
        rows = tuple(dict(row) for row in found.rack)
        return replace(
            preset, rack=rows, sends=dict(found.sends), buses={k: v for k, v in racks.items() if v}
        )
    if kind == "masters":
        if isinstance(cover.master.loudness_lufs, str):
            raise UsageError(
                "the project's master has no loudness to reach",
                hint="set master.loudness_lufs to a number first",
            )
        return replace(
            preset,
            rack=tuple(dict(row) for row in cover.master.rack),
            loudness_lufs=cover.master.loudness_lufs,
            true_peak_dbtp=cover.master.true_peak_dbtp,
        )
    from covermaker.effects.voice_settings import own_settings

    return replace(preset, convert=own_settings(values.get("convert", {})))


def differences(preset: Preset, project: Project, track: str) -> list[Line]:
    """List what applying a preset would change; values that a document leaves out count as their defaults."""
    cover = project.cover
    if preset.kind == "racks":
        found = _track(cover, track)
        lines = rack_differences(found.rack, preset.rack)
        buses = {bus.name: bus.rack for bus in cover.buses}
        for name in dict.fromkeys([*preset.sends, *found.sends]):
            lines += _send(name, found.sends.get(name), preset.sends.get(name), {*buses, *preset.buses})
        for name, rows in preset.buses.items():
            if name not in buses:
                lines.append(Line("+", f"bus {name}: {', '.join(str(row['effect']) for row in rows)}"))
                continue
            lines += [
                Line(one.sign, f"bus {name}: {one.words}") for one in rack_differences(buses[name], rows)
            ]
        return lines
    values = project.document.values
    after = on_values(values, edit_of(preset, project, track).operations(values))
    filled, then = defaults(project), defaults(replace(project, cover=type(cover).model_validate(after)))
    lines = [] if preset.kind == "voices" else rack_differences(cover.master.rack, preset.rack)
    top = "convert" if preset.kind == "voices" else "master"
    mine = {top: {key: value for key, value in filled[top].items() if key != "rack"}}
    other = {top: {key: value for key, value in then[top].items() if key != "rack"}}
    return [Line("~", say(change, after, filled)) for change in difference(mine, other)] + lines


def rack_differences(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[Line]:
    """List what makes one rack of another, effect by effect, numbered as in the racks they stand in."""
    old, new = parse_rack(before, where="rack"), parse_rack(after, where="rack")
    names = [one.effect for one in old], [one.effect for one in new]
    lines: list[Line] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        if what == "equal":
            for at, (one, other) in enumerate(zip(old[i1:i2], new[j1:j2], strict=True), start=j1 + 1):
                values = _value_differences(one, other)
                lines += [Line("~", f"{at} {other.effect}: {', '.join(values)}")] if values else []
            continue
        lines += [Line("-", f"{at + 1} {old[at].effect}") for at in range(i1, i2)]
        lines += [Line("+", f"{at + 1} {effect_words(new[at])}") for at in range(j1, j2)]
    return lines


def effect_words(settings: EffectSettings) -> str:
    """Say an effect with what is not at its default: ``gate: threshold -50 dB, ratio 4 :1``."""
    off = ["off"] if settings.bypass else []
    return f"{settings.title}: {', '.join([*off, *value_words(settings)]) or 'its defaults'}"


def value_words(settings: EffectSettings) -> list[str]:
    """Say each value of an effect that is not at its default: ``threshold -50 dB``."""
    return [
        f"{_named(spec)} {_value(settings.value_of(spec), spec)}"
        for spec in settings.specs()
        if settings.value_of(spec) != spec.default
    ]


def preset_words(preset: Preset) -> list[str]:
    """Say what a preset holds, a line an effect, bus or setting."""
    lines = []
    if preset.kind == "masters":
        lines += [f"loudness {preset.loudness_lufs:g} LUFS", f"true peak {preset.true_peak_dbtp:g} dBTP"]
    rack = parse_rack(preset.rack, where="rack")
    lines += [f"{at} {effect_words(one)}" for at, one in enumerate(rack, start=1)]
    lines += [f"send to {name} {level:g} dB" for name, level in preset.sends.items()]
    for name, rows in preset.buses.items():
        lines += [f"bus {name}: {effect_words(one)}" for one in parse_rack(rows, where=name)]
    if preset.kind == "voices":
        from covermaker.effects.voice_settings import whole

        for key, value in whole(preset.convert).items():
            place = tuple(key.split("."))
            unit = "" if isinstance(value, str) else unit_of(place)
            lines.append(f"{label_of(place, {})} {written(value)}{unit}")
    return lines


def settings_of(preset: Preset) -> dict[str, Any]:
    """Return everything that decides how a preset sounds, in a flat form that can be compared value by value.

    Racks compare only with racks of the same effects: ``"effects"`` says which. Sends and buses are suggestions and
    have no part in it.
    """
    if preset.kind == "voices":
        from covermaker.effects.voice_settings import KEPT, whole

        return {key: value for key, value in whole(preset.convert).items() if key not in KEPT}
    rack = parse_rack(preset.rack, where="rack")
    found: dict[str, Any] = {"effects": tuple(one.effect for one in rack)}
    for at, one in enumerate(rack):
        found[f"{at}.bypass"] = one.bypass
        found |= {f"{at}.{name}": value for name, value in one.values.items()}
    return found | ({key: getattr(preset, key) for key in _LEVELS} if preset.kind == "masters" else {})


def distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> int | None:
    """Count the values in which two presets of a kind differ; None for racks of other effects."""
    if one.get("effects") != other.get("effects"):
        return None
    return sum(1 for key in one if one[key] != other.get(key))


def _value_differences(before: EffectSettings, after: EffectSettings) -> list[str]:
    lines = []
    if before.bypass != after.bypass:
        lines.append("on" if before.bypass else "off")
    if before.title != after.title:
        lines.append(f"{before.title} -> {after.title}")
        before = replace(after, values={})
    for spec in after.specs():
        old, new = before.value_of(spec), after.value_of(spec)
        if old != new:
            lines.append(f"{_named(spec)} {_value(old)} -> {_value(new, spec)}")
    return lines


def _named(spec: Spec) -> str:
    return named(spec.name.rpartition(".")[2])


def _send(name: str, before: float | None, after: float | None, buses: set[str]) -> list[Line]:
    if before == after or (before is None and name not in buses):
        return []
    if after is None or name not in buses:
        return [Line("-", f"send to {name}")]
    if before is None:
        return [Line("+", f"send to {name} {after:g} dB")]
    return [Line("~", f"send to {name} {before:g} -> {after:g} dB")]


def _value(value: Value, spec: Spec | None = None) -> str:
    if isinstance(value, (bool, str)):
        return written(value)
    unit = spec.unit if spec is not None else ""
    return f"{value:g}{unit}" if unit.startswith(":") else f"{value:g} {unit}".rstrip()


def _is_sung(track: Track) -> bool:
    return track.source == CONVERTED or track.voice is not None


def _track(cover: Cover, name: str) -> Track | Group:
    known: list[Track | Group] = [*cover.tracks, *cover.groups]  # no two of these have the same name
    for track in known:
        if track.name == name:
            return track
    names = [track.name for track in known]
    raise UsageError(f"the project has no track '{name}'", hint=nearest(name, names))
