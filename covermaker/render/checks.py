"""What a document means: everything in it that only the rooms downstream of `project` can judge.

Run before any step, so that a mistake in the last line of a ``cover.toml`` is told in the first second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.documents.document import PlaceError, placed
from covermaker.effects.named_files import with_files
from covermaker.effects.rack import parse_rack
from covermaker.errors import AudioInputError, nearest
from covermaker.export.formats import FORMATS
from covermaker.features.pitch import METHODS
from covermaker.features.pitch.repair import check_smoothing
from covermaker.project.document import CONVERTED
from covermaker.project.places import NAMED
from covermaker.render.automation import Lanes, read_lanes, switched
from covermaker.render.music import check_key
from covermaker.render.patching import check_patch
from covermaker.render.singers import check_singing, find_singer, find_trainee
from covermaker.render.singing import seconds_of
from covermaker.render.singwork import conversion
from covermaker.render.steps import LEAD, NOBODY, ORIGINAL
from covermaker.stems import SEPARATORS
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from covermaker.effects.rack import EffectSettings
    from covermaker.project.document import Convert, Cover, Part, Stems
    from covermaker.project.load import Project
    from covermaker.render.automation import Whose
    from covermaker.render.singers import Singer, Trainee
    from covermaker.stems.base import Separator

    MakeSeparator = Callable[[str], Separator]

INSTRUMENTAL = "instrumental"


@dataclass(frozen=True)
class Checked:
    """A project whose every name has been found and every range checked.

    Attributes
    ----------
    song : Path
        The song's file.
    lead : Singer, optional
        Who sings; None when the voice is still to be trained.
    trainee : Trainee, optional
        What it is trained from.
    others : dict of str to Singer
        Those of tracks and parts, by the names there.
    guide : Path, optional
        The melody for pitch correction.
    harmonies : dict of str to Path
        The melodies of second voices, by track.
    racks : dict of tuple to tuple of EffectSettings
        By whose they are: ``("tracks", "vocals")``, ``("buses", "room")``, ``("master",)``.
    lanes : Lanes
        What moves.
    reference : Path, optional
        What the master is matched to.
    labels : dict of str to Path
        Cover and lyrics, as ``"picture"`` and ``"lyrics"``.
    separator : callable
        Makes the separator for a device.
    stems : tuple of str
        What it separates into.
    """

    project: Project
    song: Path
    lead: Singer | None
    trainee: Trainee | None
    others: dict[str, Singer]
    guide: Path | None
    harmonies: dict[str, Path]
    separator: MakeSeparator
    stems: tuple[str, ...]
    racks: dict[Whose, tuple[EffectSettings, ...]]
    lanes: Lanes
    reference: Path | None
    labels: dict[str, Path]


def check(project: Project) -> Checked:
    """Check a project.

    Raises
    ------
    PlaceError
        With the path inside the document and the nearest name or the allowed range.
    WeightsError
        When the voice's files are missing or damaged.
    """
    cover = project.cover
    _known("stems.separator", "separator", cover.stems.separator, SEPARATORS.names())
    check_convert(cover.convert)
    for index, name in enumerate(cover.export.formats):
        _known(f"export.formats[{index}]", "format", name, FORMATS.names())
    _unique("export.formats", cover.export.formats)
    _unique("tracks", [track.name for track in cover.tracks])
    _unique("groups", [group.name for group in cover.groups])
    _unique("buses", [bus.name for bus in cover.buses])
    racks = parse_racks(project)
    check_patch(cover, racks)
    _sections([section.from_seconds for section in cover.sections])
    if CONVERTED in cover.stems.files:
        raise PlaceError(
            f"stems.files.{CONVERTED}", "is taken: it is what the voice sings", hint="use another name"
        )
    repo = cover.stems.repo and str(project.path(cover.stems.repo, "stems.repo"))
    separator = make_separator(
        cover.stems.model_copy(update={"repo": repo}),
        {stem: project.path(file, f"stems.files.{stem}") for stem, file in cover.stems.files.items()},
    )
    with placed("stems"):
        stems = separator("auto").stems
    for index, track in enumerate(cover.tracks):
        _source(f"tracks[{index}].source", track.source, stems)
        _sung_track(f"tracks[{index}]", track.source, track.voice, cover)
    _parts(cover.convert.parts)
    check_key(cover.song.key)
    train = cover.voice.train
    lead = find_singer(cover.voice.name, project, "voice.name") if train is None else None
    trainee = None
    if train is not None:
        with placed("voice.train"):
            trainee = find_trainee(train, project)
    check_singing(cover.convert, lead, trainee)
    song = project.path(cover.song.file, "song.file")
    seconds = _song_seconds(song) if cover.automation or cover.sections else None
    for index, section in enumerate(cover.sections):
        if seconds is not None and section.from_seconds >= seconds:
            raise PlaceError(
                f"sections[{index}].from_seconds",
                f"= {section.from_seconds:g} is behind the end of the song",
                hint=f"it ends at {clock(seconds)}",
            )
    return Checked(
        project=project,
        song=song,
        lead=lead,
        trainee=trainee,
        others=_others(project),
        guide=find_guide(project),
        harmonies=_harmonies(project),
        separator=separator,
        stems=stems,
        racks=racks,
        lanes=read_lanes(cover.automation, project.document.values, racks, song_seconds=seconds),
        reference=_reference(project),
        labels=_label_files(project),
    )


def check_convert(convert: Convert) -> None:
    """Refuse what the model of `[convert]` does not know to be wrong, whoever sings.

    Raises
    ------
    PlaceError
        With the path inside the document.
    """
    _known("convert.pitch", "pitch method", convert.pitch, METHODS.names())
    with placed("convert.smooth_frames"):
        check_smoothing(convert.smooth_frames)
    if convert.transpose == "fit" and not convert.move_instrumental:
        raise PlaceError(
            "convert.transpose",
            "= 'fit' gives the song another key, and move_instrumental = false keeps it",
            hint="set move_instrumental = true, or transpose = 'auto'",
        )


def parse_racks(project: Project) -> dict[Whose, tuple[EffectSettings, ...]]:
    """Check every rack of a document, find its files, and return them by whose they are.

    Raises
    ------
    PlaceError
        With the path inside the document and the nearest name or the allowed range.
    """
    cover = project.cover

    def read(rows: Sequence[Mapping[str, object]], where: str, whose: Whose) -> tuple[EffectSettings, ...]:
        moving = switched(cover.automation, project.document.values, whose)
        return with_files(parse_rack(rows, where=where), project.path, where=where, switched=moving)

    found: dict[Whose, tuple[EffectSettings, ...]] = {}
    for table in NAMED:
        for index, channel in enumerate(getattr(cover, table)):
            found[table, channel.name] = read(channel.rack, f"{table}[{index}].rack", (table, channel.name))
    return {**found, ("master",): read(cover.master.rack, "master.rack", ("master",))}


def _song_seconds(song: Path) -> float:
    from covermaker.audio.files import probe

    return probe(song).seconds


def _reference(project: Project) -> Path | None:
    """Find what the master is matched to."""
    settings = project.cover.master
    if settings.match is None:
        if settings.loudness_lufs == "reference":
            raise PlaceError(
                "master.loudness_lufs",
                "= 'reference' has no reference",
                hint='name one: match = "audio/….wav"',
            )
        return None
    from covermaker.audio.files import probe

    path = _file(project, settings.match, "master.match")
    try:
        probe(path)
    except AudioInputError as error:
        raise PlaceError("master.match", f": {error.message}", hint=error.hint) from error
    return path


def _label_files(project: Project) -> dict[str, Path]:
    """Find cover and lyrics, and refuse now what the export would refuse."""
    from covermaker.export.labels import read_lyrics, read_picture

    wanted = project.cover.tags
    found = {}
    if wanted.cover is not None:
        found["picture"] = _file(project, wanted.cover, "tags.cover")
        with placed("tags.cover"):
            read_picture(found["picture"])
    if wanted.lyrics is not None:
        found["lyrics"] = _file(project, wanted.lyrics, "tags.lyrics")
        with placed("tags.lyrics"):
            read_lyrics(found["lyrics"])
    return found


def _file(project: Project, text: str, where: str) -> Path:
    """Return a file that the document names, which must be there."""
    path = project.path(text, where)
    if not path.is_file():
        raise PlaceError(where, f"= '{text}' is not there", hint="check the path; it starts at the project")
    return path


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


def _others(project: Project) -> dict[str, Singer]:
    """Find the voices of tracks and parts."""
    cover = project.cover
    wanted = {f"tracks[{index}].voice": track.voice or LEAD for index, track in enumerate(cover.tracks)}
    wanted |= {f"convert.parts[{index}].voice": part.voice for index, part in enumerate(cover.convert.parts)}
    found: dict[str, Singer] = {}
    for where, name in wanted.items():
        if name not in (LEAD, ORIGINAL, NOBODY, *found):
            found[name] = find_singer(name, project, where)
    return found


def find_guide(project: Project) -> Path | None:
    """Find the melody for pitch correction, and refuse settings that the conversion would refuse."""
    settings = project.cover.convert
    wanted = settings.pitch_correction
    if wanted.strength == 0.0 or wanted.guide is None:
        with placed("convert.pitch_correction"):
            conversion(settings, None)
        return None
    from covermaker.convert.guide import read_guide

    guide = _file(project, wanted.guide, "convert.pitch_correction.guide")
    with placed("convert.pitch_correction.guide"):
        read_guide(guide, track=wanted.guide_track)
    with placed("convert.pitch_correction"):
        conversion(settings, guide)
    return guide


def _harmonies(project: Project) -> dict[str, Path]:
    """Find the melodies of second voices, and refuse harmonies that are none."""
    from covermaker.convert.guide import read_guide
    from covermaker.convert.harmony import check_harmony, is_guide

    found: dict[str, Path] = {}
    for index, track in enumerate(project.cover.tracks):
        where = f"tracks[{index}].harmony"
        if track.harmony is None:
            continue
        if track.source != CONVERTED:
            raise PlaceError(
                where, f": '{track.source}' has no second voice", hint=f"write source = '{CONVERTED}'"
            )
        if wrong := check_harmony(track.harmony):
            end = "?" if wrong.endswith("?") else ""
            raise PlaceError(
                where,
                f"= '{track.harmony}' is no harmony",
                hint=f"{wrong.removesuffix('?')}, or a MIDI file{end}",
            )
        if is_guide(track.harmony):
            melody = _file(project, track.harmony, where)
            with placed(where):
                read_guide(melody)
            found[track.name] = melody
    return found


def _source(where: str, source: str, stems: Sequence[str]) -> None:
    known = [CONVERTED, INSTRUMENTAL, *stems]
    if source not in known:
        raise PlaceError(where, f"= '{source}' is not there", hint=nearest(source, known))


def _sung_track(where: str, source: str, voice: str | None, cover: Cover) -> None:
    if voice is None:
        return
    if source in (CONVERTED, INSTRUMENTAL):
        raise PlaceError(
            f"{where}.voice",
            f": '{source}' is no recording of one singer",
            hint="give the name of a stem as source",
        )
    if voice in (ORIGINAL, NOBODY):
        raise PlaceError(
            f"{where}.voice", f"= '{voice}' is no voice", hint="leave voice out, or write mute = true"
        )
    if source != "vocals" and any(track.source == INSTRUMENTAL for track in cover.tracks):
        raise PlaceError(
            where,
            f": the stem '{source}' would be heard twice, it is in '{INSTRUMENTAL}' too",
            hint="give each of the other stems a track of its own",
        )


def _parts(parts: list[Part]) -> None:
    before = 0.0
    spans = sorted(
        (seconds_of(part.start), seconds_of(part.stop), number) for number, part in enumerate(parts)
    )
    for start, stop, number in spans:
        if stop <= start:
            raise PlaceError(f"convert.parts[{number}]", "ends before it begins")
        if start < before:
            raise PlaceError(f"convert.parts[{number}]", f"begins before another one ends, at {start:g} s")
        before = stop


def _known(where: str, kind: str, name: str, names: Iterable[str]) -> None:
    known = list(names)
    if name not in known:
        raise PlaceError(where, f"= '{name}' is no {kind}", hint=nearest(name, known))


def _sections(begins: list[float]) -> None:
    for index, seconds in enumerate(begins):
        if seconds in begins[:index]:
            raise PlaceError(
                f"sections[{index}].from_seconds",
                f"= {seconds:g} is where another section begins",
                hint="give each its own time",
            )


def _unique(where: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise PlaceError(where, f": '{name}' stands twice", hint="give each its own name")
