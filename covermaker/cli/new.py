"""``covermaker new``: a project from a song, or one from each of several."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.audio.files import probe
from covermaker.audio.names import each_song
from covermaker.cli.output import json_option, near, printable, show, words
from covermaker.errors import CovermakerError, ExitCode, UsageError
from covermaker.render.begin import Wishes, begin
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.project.load import Project


@click.command("new")
@click.argument("songs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SONG...")
@click.option("--title", help="Title of the cover [default: the song's tag or file name].")
@click.option("--artist", default="", help="Who covers; goes into the tags.")
@click.option("--voice", default="demo", show_default=True, help="Who sings.")
@click.option("--preset", default="natural", show_default=True, help="Rack preset for the vocal.")
@click.option("--master", default="streaming", show_default=True, help="Master preset: loudness and ceiling.")
@click.option("--separator", default="spleeter", show_default=True, help="spleeter, demucs or provided.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where [default: a folder named after the title]; of several songs, the folder to make them all in.",
)
@click.option("--reference", is_flag=True, help="Leave the song where it is instead of copying it.")
@json_option
def command(
    songs: tuple[Path, ...],
    title: str | None,
    artist: str,
    voice: str,
    preset: str,
    master: str,
    separator: str,
    folder: Path | None,
    reference: bool,
    as_json: bool,
) -> int:
    """Make a project from SONG: a folder with the song and a commented cover.toml.

    Of several SONGs, or a folder with songs in it, each becomes a project of its own; one that is refused does not
    stop the others.
    """
    wishes = Wishes(title, artist, voice, preset, master, separator, reference)
    if len(songs) > 1 or os.path.isdir(songs[0]):  # as `each_song` asks
        return _several(each_song(songs), wishes, folder or Path(), as_json)
    project = begin(songs[0], Path(), wishes, folder=folder, numbered=False)
    value = _value(project, songs[0])
    text = (
        f"{project.file}: '{value['title']}', {clock(value['seconds'])}, voice {voice}\n"
        f"next: covermaker render {shlex.quote(str(folder or Path(project.root.name)))}"
    )
    show(value, as_json, text)
    return int(ExitCode.OK)


def _value(project: Project, song: Path) -> dict[str, Any]:
    return {"project": str(project.root), "title": project.cover.title, "seconds": probe(song).seconds}


def _several(songs: Sequence[Path], wishes: Wishes, place: Path, as_json: bool) -> int:
    """Make a project of each song; returns the exit code."""
    if wishes.title is not None and len(songs) > 1:
        raise UsageError(
            f"one title for {len(songs)} songs",
            hint="leave --title out: each is called as its tag or file says",
        )
    values: list[dict[str, Any]] = []
    made: list[str] = []
    for song in songs:
        try:
            values.append({"song": str(song), **_value(begin(song, place, wishes, numbered=False), song)})
            made.append(near(values[-1]["project"]))
            if not as_json:
                click.echo(printable(f"{made[-1]}: '{values[-1]['title']}', {clock(values[-1]['seconds'])}"))
        except CovermakerError as error:
            values.append({"song": str(song), "project": None, "problem": error.message, "hint": error.hint})
            if not as_json:
                words(f"failed: {printable(str(error))}")
    if as_json:
        show(values, as_json, "")
    else:
        click.echo(f"{len(made)} of {len(songs)} made")
        if made:
            click.echo(printable(f"next: covermaker render {shlex.join(made)}"))
    return int(ExitCode.OK if len(made) == len(songs) else ExitCode.BATCH_PARTLY_FAILED)
