"""A new project: a folder, the song in it, and a commented ``cover.toml``."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.disk import copy_file, disk_errors, write_text
from covermaker.errors import ProjectError
from covermaker.project.document import SCHEMA
from covermaker.project.load import FILE_NAME, Project, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TEMPLATE = """\
# A Covermaker project. Render it with:  covermaker render .
# Every key, its unit and its range: docs/project-file.md
schema = {schema}
title = {title}
artist = {artist}                  # who covers; goes into the tags

[song]
file = {file}
artist = {song_artist}             # the original artist

[stems]
separator = {separator}            # spleeter | demucs | provided

[voice]
name = {voice}

[convert]
transpose = "auto"                 # semitones, "auto" (octaves towards the voice), "fit" (its key, too) or "off"
pitch = "fcpe"                     # {methods}

# The mixer, a table a track. Racks are copied from presets, so that a project never changes by itself.
[[tracks]]
name = "vocals"
source = "converted"
gain_db = 0.0
pan = 0.0
sends = {sends}
rack = {rack}

[[tracks]]
name = "instrumental"
source = "instrumental"
gain_db = 0.0
{buses}
[master]
loudness_lufs = {lufs}             # integrated, ITU-R BS.1770; or "off"
true_peak_dbtp = {ceiling}
rack = {master_rack}

[export]
formats = ["wav24"]                # wav16 | wav24 | wav32f | flac | flac16 | mp3 | mp3-v0 | mp3-192 | ogg | opus | m4a
stems = false
"""


@dataclass(frozen=True)
class NewProject:
    """What a new project starts from; racks and levels come from presets, names of methods from their registry."""

    title: str
    voice: str
    rack: Sequence[Mapping[str, Any]]
    sends: Mapping[str, float]
    buses: Mapping[str, Sequence[Mapping[str, Any]]]
    artist: str = ""
    song_artist: str = ""
    separator: str = "spleeter"
    loudness_lufs: float = -14.0
    true_peak_dbtp: float = -1.0
    master_rack: Sequence[Mapping[str, Any]] = ()
    pitch_methods: Sequence[str] = ()


def create(song: Path, folder: Path, start: NewProject, *, copy_song: bool = True) -> Project:
    """Make a project folder.

    Parameters
    ----------
    song : Path
        Copied into ``audio/`` unless `copy_song` is false; then its absolute path is written. A name that is not
        UTF-8 is replaced by one made of the title.
    folder : Path
        Must not exist, or be empty.

    Raises
    ------
    ProjectError
        When the folder holds something already, or a path is to be written that is not UTF-8.
    ResourceError
        When it cannot be written; then nothing of it stays.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder} exists already", hint="choose another place with --folder")
    existed = folder.exists()
    file = f"audio/{_utf8_name(song, start.title)}" if copy_song else str(song.resolve())
    text = _fill(start, file)
    _refuse_other_than_utf8(text)
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if copy_song:
            copy_file(song, folder / file)
        write_text(folder / FILE_NAME, text)
        return load(folder)
    except BaseException:
        if existed:
            shutil.rmtree(folder / "audio", ignore_errors=True)
            (folder / FILE_NAME).unlink(missing_ok=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def slug(title: str) -> str:
    """Return a folder name for a title: lower case, letters and digits of any script, dashes."""
    text = unicodedata.normalize("NFKC", title).lower()
    return re.sub(r"[^\w]+", "-", text).strip("-_")[:60] or "cover"


def _utf8_name(song: Path, title: str) -> str:
    """Return the song's name, or one made of the title when TOML cannot hold it."""
    if _is_utf8(song.name):
        return song.name
    return slug(title) + (song.suffix if _is_utf8(song.suffix) else "")


def _refuse_other_than_utf8(document: str) -> None:
    for line in document.splitlines():
        if not _is_utf8(line):
            raise ProjectError(
                f"{FILE_NAME} cannot hold a name that is not UTF-8: {line.partition('  #')[0]!a}",
                hint="rename the file or folder",
            )


def _is_utf8(text: str) -> bool:
    """Tell whether a name has no bytes that the file system gave us and no encoding explains."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fill(start: NewProject, file: str) -> str:
    buses = "".join(
        f"\n[[buses]]\nname = {toml_value(name)}\nrack = {_rows(rows)}\n"
        for name, rows in start.buses.items()
    )
    return _TEMPLATE.format(
        schema=SCHEMA,
        methods=" | ".join(start.pitch_methods) or "docs/project-file.md has the others",
        title=toml_value(start.title),
        artist=toml_value(start.artist),
        song_artist=toml_value(start.song_artist),
        file=toml_value(file),
        separator=toml_value(start.separator),
        voice=toml_value(start.voice),
        sends=toml_value(dict(start.sends)),
        rack=_rows(start.rack),
        buses=buses,
        lufs=toml_value(start.loudness_lufs),
        ceiling=toml_value(start.true_peak_dbtp),
        master_rack=_rows(start.master_rack),
    )


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    return "[\n" + "".join(f"    {toml_value(dict(row))},\n" for row in rows) + "]" if rows else "[]"


def toml_value(value: Any) -> str:
    """Write a value as inline TOML."""
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are a subset of TOML's basic strings, save for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
