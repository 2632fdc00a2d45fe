"""The files of a person's own presets: made, copied, renamed, thrown away and brought back.

Shipped presets are never written: a copy of one under its own name stands in its place, until it is removed.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.disk import disk_errors, write_text
from covermaker.effects.presets import list_presets, load_preset, read_preset, user_folder
from covermaker.errors import ProjectError, UsageError
from covermaker.project import splice
from covermaker.project.create import slug
from covermaker.project.places import ABSENT, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.effects.presets import Kind, Preset, PresetEntry

TRASH: Final = ".trash"
_NAME: Final = re.compile(r"[^\W_][\w.-]{0,47}")


@dataclass(frozen=True, slots=True)
class Removed:
    """A preset in the trash, and where it was."""

    kind: Kind
    name: str
    file: Path
    place: Path


def check_name(name: str) -> str:
    """Return the name when a preset may have it.

    Raises
    ------
    UsageError
        When it could not be the name of a file everywhere.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"'{name}' is no name for a preset", hint=f"letters, digits, dots, - and _, as in {slug(name)}"
        )
    return name


def entry_of(kind: Kind, name: str) -> PresetEntry | None:
    """Return the line of one preset, which may be damaged; None where there is none."""
    return next((entry for entry in list_presets(kind) if entry.name == name), None)


def write_preset(preset: Preset, *, replace: bool = False) -> Preset:
    """Write a preset into the person's folder; an own file of that name keeps its comments.

    Raises
    ------
    UsageError
        When there is one of that name already and `replace` does not say so, or the name is none.
    ResourceError
        When the disk refuses.
    """
    file = _place(preset.kind, preset.name)
    text = f"name = {splice.literal(preset.name)}\n"
    if file.exists():
        if not replace:
            raise _taken(preset.kind, preset.name)
        read_preset(preset.kind, file)
        text = file.read_text(encoding="utf-8")
    return _written(preset, file, text)


def copy_preset(kind: Kind, name: str, to: str) -> Preset:
    """Copy a preset, comments included, to a name that no own one has; the copy may hide a shipped one.

    Raises
    ------
    UsageError
        When there is no such preset, or one of that name.
    ProjectError
        When it is damaged.
    """
    source, file = load_preset(kind, name), _place(kind, to)
    if file.exists():
        raise _taken(kind, to)
    return _rewritten(kind, source.path, file)


def rename_preset(kind: Kind, name: str, to: str) -> Preset:
    """Give an own preset another name.

    Raises
    ------
    UsageError
        When there is no such preset, it is shipped, or one of the other name is there.
    ProjectError
        When it is damaged.
    """
    entry, file = own(kind, name), _place(kind, to)
    read_preset(kind, entry.path)
    if file.exists():
        raise _taken(kind, to)
    preset = _rewritten(kind, entry.path, file)
    with disk_errors(entry.path):
        entry.path.unlink()
    return preset


def remove_preset(kind: Kind, name: str) -> Removed:
    """Move an own preset into the trash; a damaged one too. What it hid is there again.

    Raises
    ------
    UsageError
        When there is no such preset, or it is shipped.
    ResourceError
        When the disk refuses.
    """
    entry = own(kind, name)
    folder = user_folder() / TRASH / kind
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    place = folder / f"{stamp} {name}.toml"
    with disk_errors(place):
        folder.mkdir(parents=True, exist_ok=True)
        os.replace(entry.path, place)
    return Removed(kind, name, place, entry.path)


def trashed(kind: Kind) -> list[Removed]:
    """List what is in the trash, the last removed first."""
    found = sorted((user_folder() / TRASH / kind).glob("* *.toml"), reverse=True)
    rows = [(file.stem.partition(" ")[2], file) for file in found]
    return [Removed(kind, name, file, user_folder() / kind / f"{name}.toml") for name, file in rows]


def restore_preset(removed: Removed) -> None:
    """Bring a preset back.

    Raises
    ------
    UsageError
        When it is no longer there, or another one has its name now.
    """
    if removed.place.exists():
        raise _taken(removed.kind, removed.name)
    if not removed.file.exists():
        raise UsageError(f"'{removed.name}' is no longer in the trash")
    with disk_errors(removed.place):
        removed.place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(removed.file, removed.place)


def own(kind: Kind, name: str) -> PresetEntry:
    """Return the line of a preset that may be changed.

    Raises
    ------
    UsageError
        When there is no such preset, or it is shipped.
    """
    entry = entry_of(kind, name)
    if entry is None:
        load_preset(kind, name)
        raise UsageError(f"unknown preset '{name}'")
    if entry.shipped:
        raise UsageError(
            f"'{name}' is shipped with Covermaker and is not changed",
            hint=f"copy it first: covermaker presets copy {name} NEW-NAME",
        )
    return entry


def free_name(kind: Kind, name: str) -> str:
    """Return a name that no preset has, beginning with this one: ``natural-2``."""
    taken = {entry.name for entry in list_presets(kind)}
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


def _written(preset: Preset, file: Path, text: str) -> Preset:
    for key, value in _contents(preset):
        if isinstance(value, dict) and value:
            before = {key: tomllib.loads(text).get(key, {})}
            for change in difference(before, {key: value}):  # the rest of the table keeps its comments
                gone = change.after is ABSENT
                text = (
                    splice.drop(text, change.place) if gone else splice.put(text, change.place, change.after)
                )
        else:
            text = splice.drop(text, (key,)) if value is None else splice.put(text, (key,), value)
    write_text(file, text)
    return read_preset(preset.kind, file)


def _contents(preset: Preset) -> Sequence[tuple[str, Any]]:
    """Return the keys of a preset's file, None for those that it leaves out; tables come last."""
    rack = [dict(row) for row in preset.rack]
    described = ("description", preset.description)
    if preset.kind == "voices":
        return (described, ("convert", preset.convert))
    if preset.kind == "masters":
        levels = [(key, getattr(preset, key)) for key in ("loudness_lufs", "true_peak_dbtp")]
        return (described, *levels, ("rack", rack or None))
    buses = {name: [dict(row) for row in rows] for name, rows in preset.buses.items()}
    made_for = None if preset.made_for == "tracks" else preset.made_for
    return (
        described,
        ("for", made_for),
        ("rack", rack),
        ("sends", preset.sends or None),
        ("buses", buses or None),
    )


def _rewritten(kind: Kind, source: Path, target: Path) -> Preset:
    """Write a file that is known to be good again under another name, its own key of that name included."""
    with disk_errors(source):
        text = source.read_text(encoding="utf-8")
    if "name" in tomllib.loads(text):
        text = splice.put(text, ("name",), target.stem)
    write_text(target, text)
    try:
        return read_preset(kind, target)
    except ProjectError:
        target.unlink(missing_ok=True)
        raise


def _place(kind: Kind, name: str) -> Path:
    return user_folder() / kind / f"{check_name(name)}.toml"


def _taken(kind: Kind, name: str) -> UsageError:
    return UsageError(
        f"you have a {kind.removesuffix('s')} preset called '{name}' already", hint="choose another name"
    )
