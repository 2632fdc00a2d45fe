"""What a document means: everything in it that only the rooms downstream of `project` can judge.

Run before any step, so that a mistake in the last line of a ``cover.toml`` is told in the first second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.effects.rack import parse_rack
from covermaker.errors import ProjectError, WeightsError, nearest
from covermaker.export.formats import FORMATS
from covermaker.features.pitch import METHODS
from covermaker.stems import SEPARATORS
from covermaker.voices.library import find_voice
from covermaker.weights import catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from covermaker.effects.rack import EffectSettings
    from covermaker.project.document import Stems
    from covermaker.project.load import Project
    from covermaker.stems.base import Separator
    from covermaker.voices.voice import Voice

    MakeSeparator = Callable[[str], Separator]

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
    separator : callable
        Makes the separator for a device.
    stems : tuple of str
        What it separates into.
    """

    project: Project
    song: Path
    voice: Voice
    separator: MakeSeparator
    stems: tuple[str, ...]
    racks: dict[str, tuple[EffectSettings, ...]]
    bus_racks: dict[str, tuple[EffectSettings, ...]]
    master_rack: tuple[EffectSettings, ...]


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
    if CONVERTED in cover.stems.files:
        raise ProjectError(
            f"stems.files.{CONVERTED} is taken: it is what the voice sings", hint="use another name"
        )
    repo = cover.stems.repo and str(project.path(cover.stems.repo, "stems.repo"))
    separator = make_separator(
        cover.stems.model_copy(update={"repo": repo}),
        {stem: project.path(file, f"stems.files.{stem}") for stem, file in cover.stems.files.items()},
    )
    return Checked(
        project=project,
        song=project.path(cover.song.file, "song.file"),
        voice=_voice(project),
        separator=separator,
        stems=separator("auto").stems,
        racks={
            track.name: parse_rack(track.rack, where=f"tracks[{index}].rack")
            for index, track in enumerate(cover.tracks)
        },
        bus_racks={
            bus.name: parse_rack(bus.rack, where=f"buses[{index}].rack")
            for index, bus in enumerate(cover.buses)
        },
        master_rack=parse_rack(cover.master.rack, where="master.rack"),
    )


def make_separator(stems: Stems, provided: Mapping[str, Path]) -> MakeSeparator:
    """Return what makes the separator that a document asks for; `provided` are the user's own stems."""
    options: dict[str, dict[str, Any]] = {
        "demucs": stems.model_dump(include={"model", "repo", "shifts", "overlap", "segment"}),
        "provided": {"files": dict(provided)},
    }
    kind: Any = SEPARATORS.load(stems.separator)

    def make(device: str) -> Separator:
        made: Separator = kind(device=device, **options.get(stems.separator, {}))
        return made

    return make


def _voice(project: Project) -> Voice:
    name = project.cover.voice.name
    if "/" in name:
        project.path(name, "voice.name")
    voice = find_voice(name, project.root)
    check_content(voice)
    return voice


def check_content(voice: Voice) -> None:
    """Refuse a voice that was trained on another content encoder: it would sing noise.

    Raises
    ------
    WeightsError
        When the encoder on the voice's card is not here, or is not the very same.
    """
    content = voice.card.content
    if catalog.fingerprint(content.encoder) != content.sha256:
        raise WeightsError(
            f"the voice '{voice.name}' was trained on another '{content.encoder}' than the one that is installed",
            hint=f"compare the card with: covermaker models path {content.encoder}",
        )


def _known(where: str, kind: str, name: str, names: Iterable[str]) -> None:
    known = list(names)
    if name not in known:
        raise ProjectError(f"{where} = '{name}' is no {kind}", hint=nearest(name, known))


def _unique(where: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ProjectError(f"{where}: '{name}' stands twice", hint="give each its own name")
