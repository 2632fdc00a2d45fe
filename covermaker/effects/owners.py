"""Whose rack it is: tracks, groups, buses and the master; what can be done to a rack, and which presets fit it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.effects.preset_edits import (
    differences,
    distance,
    edit_of,
    rack_differences,
    settings_of,
    taken,
)
from covermaker.effects.presets import Preset
from covermaker.effects.rack import parse_rack
from covermaker.errors import UsageError, nearest
from covermaker.project.edits import ResetValue, SetValue, Together
from covermaker.project.places import KINDS, get, parse_place
from covermaker.project.words import effect_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from covermaker.effects.preset_edits import Line
    from covermaker.effects.presets import Kind
    from covermaker.effects.spec import Value
    from covermaker.project.document import Cover, Track
    from covermaker.project.load import Project
    from covermaker.project.operations import Edit

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Owner:
    """Whose rack it is.

    Attributes
    ----------
    place : str
        ``"tracks.vocals"``, ``"groups.music"``, ``"buses.room"`` or ``"master"``.
    track : Track or None
        Of a track.
    """

    place: str
    name: str
    track: Track | None = None

    @property
    def what(self) -> str:
        """``"track"``, ``"group"``, ``"bus"`` or ``"master"``."""
        return KINDS.get(self.place.partition(".")[0], self.place)

    @property
    def kind(self) -> Kind:
        """Which presets fit."""
        return "masters" if self.place == "master" else "racks"


def owners(cover: Cover) -> list[Owner]:
    """List whoever has a rack: tracks, groups, buses, the master."""
    return [
        *(Owner(f"tracks.{track.name}", track.name, track) for track in cover.tracks),
        *(Owner(f"groups.{group.name}", group.name) for group in cover.groups),
        *(Owner(f"buses.{bus.name}", bus.name) for bus in cover.buses),
        Owner("master", "master"),
    ]


def owner_called(cover: Cover, channel: str) -> Owner:
    """Find the owner of a rack by its name or its place.

    Raises
    ------
    UsageError
        When there is none, or more than one has that name.
    """
    known = owners(cover)
    found = [one for one in known if one.place == channel] or [one for one in known if one.name == channel]
    if not found:
        raise UsageError(
            f"the project has no channel '{channel}'", hint=nearest(channel, [one.name for one in known])
        )
    if len(found) > 1:
        raise UsageError(
            f"{' and '.join(f'a {one.what}' for one in found)} are called '{channel}'",
            hint=f"say {' or '.join(one.place for one in found)}",
        )
    return found[0]


def rows_of(values: Mapping[str, Any], place: str) -> Rows:
    """Return the rows of a rack; none where the document has none."""
    found = get(values, (*parse_place(place, values), "rack"))
    return [dict(row) for row in found] if isinstance(found, list) else []


# Edits


def switch_edit(owner: Owner, rows: Rows, index: int, *, on: bool) -> Edit:
    """Turn an effect on or off."""
    words = f"{owner.name} {effect_label(rows, index)} {'off -> on' if on else 'on -> off'}"
    return Together((_bypass(owner.place, index, not on),), words)


def switch_all_edit(owner: Owner, rows: Rows, wanted: Sequence[bool]) -> Edit:
    """Turn effects on and off: `wanted` says of each whether it is on."""
    edits = [
        _bypass(owner.place, at, not on)
        for at, (row, on) in enumerate(zip(rows, wanted, strict=True))
        if on == bool(row.get("bypass"))
    ]
    return Together(tuple(edits), f"{owner.name}: {'effects on' if any(wanted) else 'every effect off'}")


def _bypass(place: str, index: int, off: bool) -> Edit:
    where = f"{place}.rack[{index}].bypass"
    return SetValue(where, True) if off else ResetValue(where)


def bypasses(cover: Cover, places: Iterable[str]) -> dict[str, bool]:
    """Return the values that take the racks of channels out, by their places in the document."""
    racks = {f"tracks.{track.name}": track.rack for track in cover.tracks}
    racks |= {f"groups.{group.name}": group.rack for group in cover.groups}
    racks |= {f"buses.{bus.name}": bus.rack for bus in cover.buses}
    return {
        f"{place}.rack[{index}].bypass": True
        for place in places
        for index in range(len(racks.get(place, ())))
    }


# Presets


def fitting(owner: Owner, known: Sequence[Preset]) -> list[Preset]:
    """List the presets that can be put on a rack.

    Those that are made for a bus or a group fit both, and no track; a bus takes those, too, that bring one of its
    name.
    """
    return [preset for preset in known if preset.kind == owner.kind and _fits(owner, preset)]


def _fits(owner: Owner, preset: Preset) -> bool:
    if preset.made_for == "buses":
        return owner.what in ("bus", "group")
    return owner.what != "bus" or owner.name in preset.buses


def rack_of_preset(owner: Owner, preset: Preset) -> Rows:
    """Return the rack that a preset has for an owner."""
    brought = owner.what == "bus" and preset.made_for != "buses"
    return [dict(row) for row in (preset.buses.get(owner.name, ()) if brought else preset.rack)]


def preset_edit(owner: Owner, preset: Preset, project: Project) -> Edit:
    """Return the edit that puts a preset on a rack.

    Raises
    ------
    UsageError
        When the channel is gone, or the preset has no rack for the bus.
    """
    if owner.what == "bus":
        if not _fits(owner, preset):
            raise UsageError(
                f"the preset '{preset.name}' brings no bus '{owner.name}'",
                hint=nearest(owner.name, preset.buses),
            )
        edit = SetValue(f"{owner.place}.rack", rack_of_preset(owner, preset))
        return Together((edit,), f"preset '{preset.name}' on bus {owner.name}")
    return edit_of(preset, project, owner.name)


def saved_preset(owner: Owner, project: Project, name: str, description: str) -> Preset:
    """Return what an owner has, as a preset to be written; what is of a bus or a group fits those again."""
    if owner.what in ("bus", "group"):
        rows = rows_of(project.document.values, owner.place)
        return Preset("racks", name, description, Path(), tuple(rows), made_for="buses")
    return taken(project, owner.kind, owner.name, name, description)


def closest(owner: Owner, rows: Rows, known: Sequence[Preset]) -> Preset | None:
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


def lines_beside(owner: Owner, project: Project, values: dict[str, Any], preset: Preset) -> list[Line]:
    """List what a preset would change of a rack, its sends and its buses, or of the master.

    Parameters
    ----------
    values : dict
        The project's document with what is still being saved.
    """
    if owner.what == "bus":
        return rack_differences(rows_of(values, owner.place), rack_of_preset(owner, preset))
    cover = type(project.cover).model_validate(values)
    now = replace(project, cover=cover, document=replace(project.document, values=values))
    return differences(preset, now, owner.name)


def preset_value(owner: Owner, preset: Preset, rows: Rows, index: int, name: str) -> Value | None:
    """Return a preset's value of a parameter: that of its effect of the same name, counted among equal ones."""
    effect = rows[index]["effect"]
    count = sum(row["effect"] == effect for row in rows[:index])
    same = [one for one in parse_rack(rack_of_preset(owner, preset), where="rack") if one.effect == effect]
    return same[count].values.get(name) if count < len(same) else None


def _bare(rows: Rows) -> Preset:
    return Preset("racks", "", "", Path(), tuple(rows))
