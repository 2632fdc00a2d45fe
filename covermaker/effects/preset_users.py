"""Which songs use which preset. A song does not name the presets that were copied into it: its values decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from covermaker.effects.preset_edits import distance, settings_of, taken
from covermaker.effects.presets import KINDS, list_presets
from covermaker.errors import ProjectError
from covermaker.project.load import FILE_NAME, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from covermaker.effects.presets import Kind, PresetEntry
    from covermaker.project.library import Row

    Id = tuple[Kind, str]
    Settings = Mapping[str, object]


@dataclass(frozen=True)
class Users:
    """The songs whose settings are a preset's, and those that began with it: folders and titles."""

    same: tuple[tuple[Path, str], ...] = ()
    edited: tuple[tuple[Path, str], ...] = ()


def entries() -> list[PresetEntry]:
    """List all presets, kind by kind."""
    return [entry for kind in KINDS for entry in list_presets(kind)]


def users(
    presets: Iterable[PresetEntry], songs: Iterable[Row], cancelled: Callable[[], bool] = lambda: False
) -> dict[Id, Users]:
    """Find out which songs have which preset's settings, or settings that are nearest to it.

    A rack of the same effects belongs to the preset from which it differs in the fewest values, as long as these are
    fewer than half. Damaged presets are left out.
    """
    known: dict[Kind, dict[Id, Settings]] = {kind: {} for kind in KINDS}
    for entry in presets:
        if entry.preset is not None:
            known[entry.kind][entry.kind, entry.name] = settings_of(entry.preset)
    found: dict[Id, Users] = {id_: Users() for of_kind in known.values() for id_ in of_kind}
    for song in songs:
        if cancelled():
            break
        mine = (song.folder, song.title)
        for kind, settings in _settings_in(song.folder, _written(song.folder)):
            for id_, same in _nearest(settings, known[kind]):
                users_ = found[id_]
                if same and mine not in users_.same:
                    found[id_] = replace(users_, same=(*users_.same, mine))
                elif not same and mine not in users_.edited:
                    found[id_] = replace(users_, edited=(*users_.edited, mine))
    return found


def _nearest(settings: Settings, presets: Mapping[Id, Settings]) -> list[tuple[Id, bool]]:
    far = {id_: off for id_, one in presets.items() if (off := distance(one, settings)) is not None}
    least = min(far.values(), default=len(settings))
    if least and least * 2 >= len(settings):
        return []
    return [(id_, least == 0) for id_, off in far.items() if off == least]


def _written(folder: Path) -> float:
    try:
        return (folder / FILE_NAME).stat().st_mtime
    except OSError:
        return 0.0


@lru_cache(maxsize=4096)
def _settings_in(folder: Path, written: float) -> tuple[tuple[Kind, Settings], ...]:
    """Return what presets could have set in a project: of every track's rack, of its master and its voice."""
    found: list[tuple[Kind, Settings]] = []
    try:
        project = load(folder)
        first = project.cover.tracks[0].name
        wanted: list[tuple[Kind, str]] = [
            *(("racks", track.name) for track in project.cover.tracks if track.rack),
            ("voices", first),
        ]
        if not isinstance(project.cover.master.loudness_lufs, str):
            wanted.append(("masters", first))
        for kind, track in wanted:
            found.append((kind, settings_of(taken(project, kind, track, "x", ""))))
    except ProjectError:  # told of by the library
        return tuple(found)
    return tuple(found)
