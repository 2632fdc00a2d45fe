"""``covermaker remove`` and ``covermaker trash``: projects taken out of a library, and brought back."""

from __future__ import annotations

import os
import shlex
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from covermaker.cli.output import json_option, near, show, table
from covermaker.errors import UsageError, nearest
from covermaker.project.library import Trash, read_row
from covermaker.tui.settings import load_settings, projects_folder
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from covermaker.project.library import Trashed


@click.command("remove")
@click.argument("projects", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PROJECT...")
@json_option
def command(projects: tuple[Path, ...], as_json: bool) -> None:
    """Move PROJECTs to the trash of their library; covermaker trash --restore brings them back."""
    places = list(dict.fromkeys(Path(os.path.abspath(project)) for project in projects))
    for place in places:
        read_row(place)  # nothing is moved when one of them is none
    home = projects_folder(load_settings()).absolute()
    batch, done, lines = uuid.uuid4().hex, [], []
    try:
        for place in places:
            one = Trash(place.parent).remove(place, batch=batch)
            done.append(one)
            lines.append(f"removed {one_line(one.title)}; {_back(place, home)}")
    finally:
        if done:  # also where a later one is refused: these are gone
            show([_value(one) for one in done], as_json, "\n".join(lines))


def _back(place: Path, home: Path) -> str:
    """Return the command that brings a project back; it names the library where that is not the one of the settings."""
    where = [] if place.parent == home else [near(str(place.parent))]
    return shlex.join(["covermaker", "trash", *where, "--restore", place.name])


@click.command("trash")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--restore", metavar="NAME", help="Bring a project back, by its folder's name; the last one first."
)
@click.option("--erase", metavar="NAME", help="Delete a project for good; the last one of that name.")
@click.option("--erase-all", is_flag=True, help="Delete everything in the trash for good.")
@json_option
def trash_command(
    folder: Path | None, restore: str | None, erase: str | None, erase_all: bool, as_json: bool
) -> None:
    """List what was removed from the library in FOLDER (by default the folder of your settings)."""
    trash = Trash((folder or projects_folder(load_settings())).absolute())
    found = trash.contents()
    if (restore is not None) + (erase is not None) + erase_all > 1:
        raise UsageError("choose one of --restore, --erase and --erase-all")
    if restore is not None:
        back = trash.restore(_named(found, restore))
        show({"project": str(back)}, as_json, f"restored {back}")
        return
    if erase is not None or erase_all:
        gone = found if erase is None else [_named(found, erase)]
        for one in gone:
            trash.erase(one)
        text = "\n".join(f"erased {one_line(one.title)}" for one in gone) or "the trash is empty"
        show([_value(one) for one in gone], as_json, text)
        return
    rows = [(one.name, one_line(one.title), one.when) for one in found]
    text = table(rows, header=("name", "title", "removed")) if rows else "the trash is empty"
    show([_value(one) for one in found], as_json, text)


def _named(found: list[Trashed], name: str) -> Trashed:
    one = next((one for one in found if one.name == name), None)
    if one is None:
        raise UsageError(f"the trash holds no '{name}'", hint=nearest(name, [one.name for one in found]))
    return one


def _value(one: Trashed) -> dict[str, str]:
    return {"name": one.name, "title": one.title, "when": one.when, "folder": str(one.place / one.name)}
