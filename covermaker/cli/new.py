"""``covermaker new``: a project from a song."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from covermaker.audio.files import probe
from covermaker.cli.output import json_option, show
from covermaker.render.begin import Wishes, begin
from covermaker.units import clock


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
    wishes = Wishes(title, artist, voice, preset, master, separator, reference)
    project = begin(song, Path(), wishes, folder=folder, numbered=False)
    place, name, seconds = project.root, project.cover.title, probe(song).seconds
    text = (
        f"{project.file}: '{name}', {clock(seconds)}, voice {voice}\n"
        f"next: covermaker render {shlex.quote(str(folder or Path(place.name)))}"
    )
    show({"project": str(place), "title": name, "seconds": seconds}, as_json, text)
