"""The project of a song: made when its turn comes, brought in line with what is asked when that changes."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.audio.files import probe
from covermaker.disk import copy_file, disk_errors, file_sha256, same_content, write_text
from covermaker.documents.document import Document
from covermaker.effects.preset_edits import edit_of, sung_tracks
from covermaker.effects.presets import load_preset
from covermaker.errors import CovermakerError, ProjectError
from covermaker.project.create import slug
from covermaker.project.edits import SetValue, Together, apply
from covermaker.project.load import FILE_NAME, load, parse
from covermaker.project.operations import Put, on_text, on_values
from covermaker.render.begin import Wishes, begin
from covermaker.render.judge import judge
from covermaker.render.record import last_render
from covermaker.voices.library import find_voice, is_place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from covermaker.batch.options import Options
    from covermaker.batch.rows import Song
    from covermaker.project.load import Project
    from covermaker.project.operations import Edit

# Names that another system reads as devices; nobody there could open such a folder.
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)

# Where a wish stands in the document; presets are written by the edits of their own kind.
_PLACES: Final[Mapping[str, str]] = {
    "voice": "voice.name",
    "transpose": "convert.transpose",
    "pitch": "convert.pitch",
    "separator": "stems.separator",
    "loudness_lufs": "master.loudness_lufs",
}
_PRESETS: Final[Mapping[str, str]] = {"preset": "racks", "master": "masters"}


def folder_for(title: str, out: Path, taken: Collection[str]) -> Path:
    """Return a folder in `out` that no song has, of a name that every system can hold.

    Parameters
    ----------
    taken : collection of str
        Names that other songs of the batch have, in lower case.
    """
    name = slug(title)
    if name.partition(".")[0] in _DEVICES:
        name += "-song"
    tried, number = name, 1
    while tried in taken or os.path.lexists(out / tried):
        number += 1
        tried = f"{name}-{number}"
    return out / tried


def prepare(song: Song, options: Options, *, level: float | None = None) -> dict[str, Any]:
    """Make a song's project in the folder that its row names, or bring it in line; returns the columns that change.

    A project that was there before the batch gets what the list says of this very song, and nothing else. What a
    person has changed in a project of the batch stays: only what is asked differently from last time is written.

    Parameters
    ----------
    level : float, optional
        The integrated loudness that the song has in its album, in LUFS.

    Raises
    ------
    CovermakerError
        When the song, or what is asked for it, is refused; nothing half-made stays.
    """
    folder, before = Path(song.project), song.applied
    wanted = asked(song, options, level)
    said = {**before, "wishes": wanted, "template": _template_of(song, options)}
    if song.kept:
        _change(load(folder), wanted, before.get("wishes", {}))
        return {"applied": said}
    if not (folder / FILE_NAME).is_file():
        project, untouched = _new(song, options, folder, wanted), True
    else:
        text = (folder / FILE_NAME).read_text(encoding="utf-8")
        untouched = _sha256(text) == before.get("document")
        project = _renewed(song, options, folder, wanted, untouched=untouched)
    project = _named(project, song, before)
    if options.copy:
        _refresh(project, Path(song.place))
    said |= {"title": song.title or project.cover.title, "artist": song.artist}
    if untouched:
        said["document"] = _sha256(project.document.text)
    return {"applied": said, "title": said["title"]}


def asks_otherwise(song: Song, options: Options) -> bool:
    """Tell whether something else is asked of a song than was written into its project last.

    Raises
    ------
    CovermakerError
        When a preset that is asked for is not there.
    """
    level = song.applied.get("wishes", {}).get("loudness_lufs") if options.album else None
    before = song.applied.get("wishes", {}), song.applied.get("template", "")
    return before != (asked(song, options, level), _template_of(song, options))


def asked(song: Song, options: Options, level: float | None = None) -> dict[str, Any]:
    """Return what a song's project shall have, as the queue keeps it.

    A preset is known by its content, too, so that a changed file is a changed wish.
    """
    wishes = dict(song.wishes if song.kept else options.wanted(song.wishes))
    if level is not None:
        wishes["loudness_lufs"] = level
    return {name: _with_content(name, value) for name, value in wishes.items()}


def _template_of(song: Song, options: Options) -> str:
    return file_sha256(Path(options.template)) if options.template and not song.kept else ""


def _new(song: Song, options: Options, folder: Path, wanted: Mapping[str, Any]) -> Project:
    if folder.is_dir() and not song.applied:
        shutil.rmtree(folder)  # half-made, when the batch was killed: the row named it before it was begun
    is_new = not folder.exists()
    try:
        project = _made(song, options, folder)
        return _change(project, wanted, {} if options.template else _started(project, wanted))
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _renewed(
    song: Song, options: Options, folder: Path, wanted: Mapping[str, Any], *, untouched: bool
) -> Project:
    """Bring a project in line: made of the template anew where that changed, or a wish on top of it was taken back."""
    before: Mapping[str, Any] = song.applied.get("wishes", {})
    if options.template and (
        song.applied.get("template", "") != _template_of(song, options) or before.keys() - wanted.keys()
    ):
        if not untouched:
            raise ProjectError(
                f"{folder / FILE_NAME} was changed by hand, and the batch asks for another template now",
                hint="render it as a project of its own, or remove its folder to have it made anew",
            )
        return _change(_from_template(song, options, folder), wanted, {})
    if "loudness_lufs" in before and "loudness_lufs" not in wanted:
        before = {
            name: value for name, value in before.items() if name != "master"
        }  # it brings its own along
    return _change(load(folder), wanted, before)


def _named(project: Project, song: Song, before: Mapping[str, Any]) -> Project:
    """Write the title and the original artist where the list says something else than before."""
    edits: list[Edit] = []
    if song.title and song.title != before.get("title", project.cover.title):
        edits.append(SetValue("title", song.title))
    if song.artist and song.artist != before.get("artist", project.cover.song.artist):
        edits.append(SetValue("song.artist", song.artist))
    return apply(project, Together(tuple(edits), "batch: title"), judge=judge).project if edits else project


def _refresh(project: Project, place: Path) -> None:
    """Copy a song that was replaced since it was copied."""
    copy = project.path(project.cover.song.file, "song.file")
    if place.is_file() and not same_content(copy, place):
        copy_file(place, copy)


def _made(song: Song, options: Options, folder: Path) -> Project:
    if options.template:
        return _from_template(song, options, folder)
    wanted = options.wanted(song.wishes)
    wishes = Wishes(
        title=song.title or None,
        voice=str(wanted["voice"]),
        preset=str(wanted["preset"]),
        master=str(wanted["master"]),
        separator=str(wanted["separator"]),
        reference=not options.copy,
    )
    return begin(Path(song.place), folder.parent, wishes, folder=folder)


def _started(project: Project, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wishes that a fresh project fulfils already."""
    fresh = {"transpose": project.cover.convert.transpose, "pitch": project.cover.convert.pitch}
    made = {name: wanted[name] for name in ("voice", "preset", "master", "separator") if name in wanted}
    return {**made, **fresh}


def _from_template(song: Song, options: Options, folder: Path) -> Project:
    """Write a copy of the template as a song's document, with the song's file, title and artist."""
    template = Path(options.template)
    document = Document.read(template, missing=ProjectError(f"there is no template at {template}"))
    place = Path(song.place)
    probe(place)  # refused now, not in the middle of a render
    file = f"audio/{place.name}" if options.copy else str(place)
    operations = [Put(("song", "file"), file), Put(("title",), song.title or place.stem)]
    if song.artist:
        operations.append(Put(("song", "artist"), song.artist))
    values = document.values
    text = on_text(document.text, operations, on_values(values, operations))
    parse(text, FILE_NAME)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    others = {name: value for name, value in values.items() if name != "song"}
    for named in _files_of(others):
        source = template.parent / named
        if source.is_file() and not same_content(folder / named, source):
            copy_file(source, folder / named)
    if options.copy:
        copy_file(place, folder / file)
    write_text(folder / FILE_NAME, text)
    return load(folder)


def _files_of(value: Any) -> list[str]:
    """List the relative paths that a document names, of files that may lie beside it: impulse responses, guides."""
    if isinstance(value, dict):
        return [found for one in value.values() for found in _files_of(one)]
    if isinstance(value, list):
        return [found for one in value for found in _files_of(one)]
    named = isinstance(value, str) and Path(value).suffix and not Path(value).is_absolute()
    return [value] if named and ".." not in Path(value).parts else []


def _change(project: Project, wanted: Mapping[str, Any], before: Mapping[str, Any]) -> Project:
    """Write what is asked differently from before, as one edit that can be undone."""
    differing = {name: value for name, value in wanted.items() if before.get(name) != value}
    edits = [
        edit for name, make in _EDITS.items() if name in differing for edit in make(project, wanted[name])
    ]
    # A master preset brings a loudness along; the one that is asked for by itself has the last word.
    if "master" in differing and "loudness_lufs" in wanted and "loudness_lufs" not in differing:
        edits += _EDITS["loudness_lufs"](project, wanted["loudness_lufs"])
    return apply(project, Together(tuple(edits), "batch"), judge=judge).project if edits else project


def _with_content(name: str, value: Any) -> Any:
    kind = _PRESETS.get(name)
    if kind is None:
        return value
    preset = load_preset(kind, str(value))  # type: ignore[arg-type]
    return [value, file_sha256(preset.path)]


def _preset_edit(kind: str) -> Callable[[Project, Any], list[Edit]]:
    def make(project: Project, value: Any) -> list[Edit]:
        preset = load_preset(kind, str(value[0]))  # type: ignore[arg-type]
        return [edit_of(preset, project, next(iter(sung_tracks(project.cover)), ""))]

    return make


def _value_edit(place: str, read: Callable[[Any], Any]) -> Callable[[Project, Any], list[Edit]]:
    return lambda project, value: [SetValue(place, read(value))]


def _semitones(value: Any) -> Any:
    try:
        return int(value)
    except ValueError:
        return value


def _voice(value: Any) -> str:
    name = str(value)
    return str(find_voice(name).folder.absolute()) if is_place(name) else name


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "voice": _voice,
    "transpose": _semitones,
    "pitch": str,
    "separator": str,
    "loudness_lufs": float,
}
# In this order: a loudness of its own comes after the master that brings one.
_EDITS: Final[Mapping[str, Callable[[Project, Any], list[Edit]]]] = {
    "preset": _preset_edit("racks"),
    "master": _preset_edit("masters"),
    **{name: _value_edit(_PLACES[name], read) for name, read in _READ.items()},
}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def refused(error: CovermakerError) -> dict[str, Any]:
    """Return the columns of a song that could not be prepared."""
    return {"state": "failed", "cause": error.message, "hint": error.hint, "exit_code": int(error.exit_code)}


def mix_key(project: Path) -> str:
    """Return the key of the mix that a project's cover was made of; "" where that is not known."""
    return str(last_render(project / "out").get("mix", {}).get("key", ""))


def length_of(project: Path) -> float | None:
    """Return how long a project's song is, in seconds."""
    opened = load(project)
    return probe(opened.path(opened.cover.song.file, "song.file")).seconds
