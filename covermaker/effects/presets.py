"""Presets: racks, masters and voice settings as TOML files, shipped or a person's own.

A preset is copied into a project when it is applied, never referenced from it. A person's file hides a shipped one
of the same name. The name of a preset is the name of its file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from covermaker.disk import told_by
from covermaker.documents.document import Document, PlaceError
from covermaker.effects.rack import parse_rack
from covermaker.errors import ProjectError, UsageError, nearest

Kind: TypeAlias = Literal["racks", "masters", "voices"]

KINDS: tuple[Kind, ...] = ("racks", "masters", "voices")
FOLDER_VARIABLE = "COVERMAKER_PRESETS"

# Of the format of a preset's file; one that is newer is refused before anything in it is.
SCHEMA = 1

_DESCRIBED = frozenset({"schema", "name", "description"})
_KEYS: dict[Kind, frozenset[str]] = {
    "racks": _DESCRIBED | {"for", "rack", "sends", "buses"},
    "masters": _DESCRIBED | {"rack", "loudness_lufs", "true_peak_dbtp"},
    "voices": _DESCRIBED | {"convert"},
}
_MADE_FOR = ("tracks", "buses")
_TARGETS = {"loudness_lufs": (-40.0, -5.0), "true_peak_dbtp": (-12.0, 0.0)}
_SEND_RANGE_DB = (-96.0, 24.0)  # what a document's `sends` may be


@dataclass(frozen=True, slots=True)
class PresetEntry:
    """A line of a list of presets.

    Attributes
    ----------
    problem : str or None
        Why the file cannot be used.
    hides : bool
        A person's own that stands in place of a shipped one.
    preset : Preset or None
        What the file says; None where it cannot be used.
    """

    kind: Kind
    name: str
    description: str
    path: Path
    shipped: bool
    problem: str | None = None
    hides: bool = False
    preset: Preset | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Preset:
    """A checked preset; rows are as written in the file, ready to be copied into a project.

    Parameters
    ----------
    rack : tuple of dict
        Effect rows.
    sends : dict
        Racks only: suggested level in dB to a bus, by the bus's name.
    buses : dict
        Racks only: effect rows the buses were made with, by the bus's name.
    made_for : str
        Racks only: ``"tracks"``, or ``"buses"`` for what belongs on a bus or a group.
    loudness_lufs, true_peak_dbtp : float or None
        Masters only.
    convert : dict
        Voices only: keys of ``[convert]`` as written.
    """

    kind: Kind
    name: str
    description: str
    path: Path
    rack: tuple[dict[str, Any], ...] = ()
    sends: dict[str, float] = field(default_factory=dict)
    buses: dict[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    made_for: str = "tracks"
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    convert: dict[str, Any] = field(default_factory=dict)


def user_folder() -> Path:
    """Return the folder of a person's own presets, with a folder a kind inside; it need not exist.

    Raises
    ------
    UsageError
        When COVERMAKER_PRESETS leads nowhere.
    """
    from platformdirs import user_data_dir

    return told_by(FOLDER_VARIABLE) or Path(user_data_dir("covermaker")) / "presets"


def shipped_folder() -> Path:
    """Return the folder of the shipped presets: inside an installed package, else at the root of the source tree."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "presets"
    return installed if installed.is_dir() else package.parent / "presets"


def list_presets(kind: Kind) -> list[PresetEntry]:
    """List presets by name; a damaged file is listed with its problem, it does not hide the others."""
    entries = []
    for name, path in sorted(_files(kind).items()):
        standing = shipped_folder() / kind / path.name
        shipped = path == standing
        hides = not shipped and standing.is_file()
        try:
            preset = read_preset(kind, path)
            entries.append(PresetEntry(kind, name, preset.description, path, shipped, None, hides, preset))
        except (ProjectError, UsageError) as error:
            entries.append(PresetEntry(kind, name, "", path, shipped, str(error), hides))
    return entries


def load_preset(kind: Kind, name: str) -> Preset:
    """Read and check one preset.

    Raises
    ------
    UsageError
        When there is none of that name.
    ProjectError
        When its file is damaged; names the place.
    """
    files = _files(kind)
    if name not in files:
        raise UsageError(f"unknown {kind.removesuffix('s')} preset '{name}'", hint=nearest(name, files))
    return read_preset(kind, files[name])


def _files(kind: Kind) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in (shipped_folder(), user_folder()):
        found.update({path.stem: path for path in sorted((folder / kind).glob("*.toml"))})
    return found


def read_preset(kind: Kind, path: Path) -> Preset:
    """Read and check the file of a preset.

    Raises
    ------
    UsageError
        When it is gone.
    ProjectError
        When it is damaged; names the place.
    """
    missing = UsageError(f"the preset {path} is gone")
    document = Document.read(path, missing=missing)
    with document.naming():
        preset = _preset(kind, path, document.values)
        if kind != "voices":
            return preset
        from covermaker.effects.voice_settings import checked_settings  # pydantic: racks do without it

        return replace(preset, convert=checked_settings(document))


def _preset(kind: Kind, path: Path, table: Mapping[str, Any]) -> Preset:
    schema = table.get("schema", SCHEMA)
    if isinstance(schema, int) and schema > SCHEMA:
        raise PlaceError(
            "schema",
            f"= {schema}: the preset was made by a newer Covermaker, this one knows {SCHEMA}",
            hint="update Covermaker",
        )
    for key in table:
        if key not in _KEYS[kind]:
            raise PlaceError(key, "is unknown", hint=nearest(key, _KEYS[kind]))
    if table.get("name", path.stem) != path.stem:
        raise PlaceError("name", f"= {table['name']!r} must be '{path.stem}', as the file")
    description = table.get("description")
    if not isinstance(description, str):
        problem = "must be text" if "description" in table else "is missing"
        raise PlaceError("description", problem, hint="one sentence on how it sounds")
    targets: dict[str, Any] = {
        key: _level(table.get(key), key, limits) for key, limits in _TARGETS.items() if key in _KEYS[kind]
    }
    sends = {
        bus: _level(level, f"sends.{bus}", _SEND_RANGE_DB) for bus, level in _table(table, "sends").items()
    }
    buses = {bus: _rows(rows, f"buses.{bus}") for bus, rows in _table(table, "buses").items()}
    made_for = table.get("for", _MADE_FOR[0])
    if made_for not in _MADE_FOR:
        raise PlaceError("for", f"= {made_for!r} is not allowed", hint="allowed: " + ", ".join(_MADE_FOR))
    rack = _rows(table.get("rack", []), "rack")
    return Preset(kind, path.stem, description, path, rack, sends, buses, made_for, **targets)


def _rows(rows: Any, where: str) -> tuple[dict[str, Any], ...]:
    parse_rack(rows, where=where)
    return tuple(dict(row) for row in rows)


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, Mapping):
        raise PlaceError(key, "must be a table")
    return found


def _level(value: object, where: str, limits: tuple[float, float]) -> float:
    allowed = f"allowed: {limits[0]:g} to {limits[1]:g}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PlaceError(where, "must be a number", hint=allowed)
    if not limits[0] <= value <= limits[1]:
        raise PlaceError(where, f"= {value} is out of range", hint=allowed)
    return float(value)
