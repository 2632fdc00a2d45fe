"""``covermaker new``: a project from a song."""

from __future__ import annotations

import os
from pathlib import Path

import click

from covermaker.audio.files import probe
from covermaker.cli.output import json_option, printable, show
from covermaker.effects.presets import load_preset
from covermaker.errors import AudioInputError, UsageError, nearest
from covermaker.project.create import NewProject, create, slug
from covermaker.stems import SEPARATORS
from covermaker.units import clock
from covermaker.voices.library import find_voice

# Every project has a reverb and a delay to send to, also where the preset brings only one of them.
_BUSES: dict[str, list[dict[str, str | float]]] = {
    "reverb": [{"effect": "reverb", "wet_db": 0.0, "dry_db": -100.0}],
    "delay": [{"effect": "delay", "wet_db": 0.0, "dry_db": -100.0}],
}


@click.command("new")
@click.argument("song", type=click.Path(path_type=Path))
@click.option("--title", help="Title of the cover [default: the song's tag or file name].")
@click.option("--artist", default="", help="Who covers; goes into the tags.")
@click.option("--voice", default="demo", show_default=True, help="Who sings.")
@click.option("--preset", default="natural", show_default=True, help="Rack preset for the vocal.")
@click.option("--master", default="streaming", show_default=True, help="Master preset: loudness and ceiling.")
@click.option("--separator", default="spleeter", show_default=True, help="spleeter, demucs or provided.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where [default: a folder named after the title]."
)
@click.option("--reference", is_flag=True, help="Leave the song where it is instead of copying it.")
@json_option
def command(
    song: Path,
    title: str | None,
    artist: str,
    voice: str,
    preset: str,
    master: str,
    separator: str,
    folder: Path | None,
    reference: bool,
    as_json: bool,
) -> None:
    """Make a project from SONG: a folder with the song and a commented cover.toml."""
    info = probe(song)
    if not info.frames:
        raise AudioInputError(f"'{song}' holds no samples")
    rack = load_preset("racks", preset)
    target = load_preset("masters", master)
    if separator not in SEPARATORS:
        raise UsageError(f"unknown separator '{separator}'", hint=nearest(separator, SEPARATORS.names()))
    assert target.loudness_lufs is not None, "a master has a loudness"
    assert target.true_peak_dbtp is not None, "a master has a ceiling"
    tagged_title, tagged_artist = _tags(song)
    name = printable(title or tagged_title or song.stem)
    start = NewProject(
        title=name,
        artist=printable(artist),
        song_artist=printable(tagged_artist),
        voice=_lasting(voice),
        rack=rack.rack,
        sends=rack.sends,
        buses={**_BUSES, **rack.buses},
        separator=separator,
        loudness_lufs=target.loudness_lufs,
        true_peak_dbtp=target.true_peak_dbtp,
        master_rack=target.rack,
    )
    project = create(song, folder or Path(slug(name)), start, copy_song=not reference)
    place = project.root
    text = (
        f"{project.file}: '{name}', {clock(info.seconds)}, voice {voice}\n"
        f"next: covermaker render {_shell(folder or Path(slug(name)))}"
    )
    show({"project": str(place), "title": name, "seconds": info.seconds}, as_json, text)


def _lasting(voice: str) -> str:
    """Return how the document calls the voice: a path is read from the project's folder there, so it is made whole."""
    found = find_voice(voice)
    is_path = "/" in voice or os.sep in voice or voice.startswith("~")
    return str(found.folder.absolute()) if is_path else voice


def _tags(song: Path) -> tuple[str, str]:
    """Return title and artist from the file's tags; empty where there are none."""
    import mutagen

    try:
        found = mutagen.File(song, easy=True)
    except mutagen.MutagenError:
        return "", ""
    tags = (found and found.tags) or {}
    return tuple(str((tags.get(key) or [""])[0]) for key in ("title", "artist"))  # type: ignore[return-value]


def _shell(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
