"""What a document means: everything in it that only the rooms downstream of `project` can judge.

Run before any step, so that a mistake in the last line of a ``cover.toml`` is told in the first second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.effects.rack import parse_rack
from covermaker.errors import ProjectError, nearest
from covermaker.export.formats import FORMATS
from covermaker.features.pitch import METHODS
from covermaker.stems import SEPARATORS
from covermaker.voices.library import find_voice

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from covermaker.effects.rack import EffectSettings
    from covermaker.project.load import Project
    from covermaker.voices.voice import Voice

CONVERTED = "converted"
INSTRUMENTAL = "instrumental"


@dataclass(frozen=True)
class Checked:
    """A project whose every name has been found and every range checked.

    Attributes
    ----------
    song : Path
        The song's file.
    voice : Voice
        Who sings.
    racks, bus_racks : dict of str to tuple of EffectSettings
        By track and by bus.
    master_rack : tuple of EffectSettings
        The master's.
    provided : dict of str to Path
        Stems that the user brings, by name.
    """

    project: Project
    song: Path
    voice: Voice
    racks: dict[str, tuple[EffectSettings, ...]]
    bus_racks: dict[str, tuple[EffectSettings, ...]]
    master_rack: tuple[EffectSettings, ...]
    provided: dict[str, Path]


def check(project: Project) -> Checked:
    """Check a project.

    Raises
    ------
    ProjectError
        With the path inside the document and the nearest name or the allowed range.
    WeightsError
        When the voice's files are missing or damaged.
    """
    cover = project.cover
    _known("stems.separator", "separator", cover.stems.separator, SEPARATORS.names())
    _known("convert.pitch", "pitch method", cover.convert.pitch, METHODS.names())
    for index, name in enumerate(cover.export.formats):
        _known(f"export.formats[{index}]", "format", name, FORMATS.names())
    _unique("export.formats", cover.export.formats)
    _unique("tracks", [track.name for track in cover.tracks])
    _unique("buses", [bus.name for bus in cover.buses])
    for index, track in enumerate(cover.tracks):
        for bus in track.sends:
            _known(f"tracks[{index}].sends", "bus", bus, [bus.name for bus in cover.buses])
    return Checked(
        project=project,
        song=project.path(cover.song.file, "song.file"),
        voice=find_voice(cover.voice.name, project.root),
        racks={
            track.name: parse_rack(track.rack, where=f"tracks[{index}].rack")
            for index, track in enumerate(cover.tracks)
        },
        bus_racks={
            bus.name: parse_rack(bus.rack, where=f"buses[{index}].rack")
            for index, bus in enumerate(cover.buses)
        },
        master_rack=parse_rack(cover.master.rack, where="master.rack"),
        provided={
            stem: project.path(file, f"stems.files.{stem}")
            for stem, file in sorted(cover.stems.files.items())
        },
    )


def _known(where: str, kind: str, name: str, names: Iterable[str]) -> None:
    known = list(names)
    if name not in known:
        raise ProjectError(f"{where} = '{name}' is no {kind}", hint=nearest(name, known))


def _unique(where: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ProjectError(f"{where}: '{name}' stands twice", hint="give each its own name")
