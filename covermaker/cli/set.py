"""``covermaker set``: change one value of a project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.output import json_option, show
from covermaker.effects.plugins.row import refuse_unknown
from covermaker.effects.typed import typed
from covermaker.errors import ProjectError, UsageError
from covermaker.project.edits import ResetValue, SetValue, apply
from covermaker.project.load import load
from covermaker.project.places import KINDS
from covermaker.project.saving import Conflict
from covermaker.render.judge import judge

if TYPE_CHECKING:
    from covermaker.project.load import Project
    from covermaker.project.saving import Applied


# A value may begin with a minus.
@click.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("place")
@click.argument("value", required=False)
@click.option("--default", "reset", is_flag=True, help="Take the key out, so that it has its default again.")
@json_option
def command(project: Path, place: str, value: str | None, reset: bool, as_json: bool) -> None:
    """Set PLACE of PROJECT to VALUE; comments in its cover.toml stay, and covermaker undo takes it back.

    PLACE is a key of the document, tracks, groups, buses and effects by their names: title, tracks.vocals.gain_db,
    tracks.vocals.sends.reverb, groups.music.rack.compressor.ratio; effects also by their numbers, counted from 1:
    tracks.vocals.rack.3.ratio. VALUE is a text, a number, with its unit if you like (-6dB, 1.2kHz, 50%), on or off, or
    whatever TOML can write.
    """
    if reset == (value is not None):
        raise UsageError("give a value, or --default", hint="see: covermaker set --help")
    opened = load(project)
    refuse_bare(place, opened)
    if value is None:
        tell(apply(opened, ResetValue(place), judge=judge), as_json)
        return
    tell(_set(opened, place, value), as_json)


def refuse_bare(place: str, project: Project) -> None:
    """Refuse a place that begins with the name of a channel, and say how it is written."""
    from covermaker.project.document import Cover

    first = re.split(r"[.\[]", place, maxsplit=1)[0]
    names = {field.alias or name for name, field in Cover.model_fields.items()}
    for table, kind in KINDS.items():
        if first not in names and any(one.name == first for one in getattr(project.cover, table)):
            raise UsageError(f"'{first}' is a {kind}", hint=f"did you mean '{table}.{place}'?")


def tell(done: Applied, as_json: bool) -> None:
    """Say what an edit did."""
    value = {
        "project": str(done.project.root),
        "words": done.words,
        "changed": done.changed,
        "merged": list(done.merged),
    }
    show(value, as_json, done.words)


def _set(project: Project, place: str, text: str) -> Applied:
    if place.rpartition(".")[2] == "plugin":
        refuse_unknown(text)
    value = _parsed(text)
    read = typed(place, value, project) if isinstance(value, str) else None
    value = value if read is None else read
    try:
        return apply(project, SetValue(place, value), judge=judge)
    except Conflict:
        raise
    except ProjectError:
        if isinstance(value, str):
            raise
        try:
            # A text that looks like a number: a song may be called 1999.
            return apply(project, SetValue(place, text), judge=judge)
        except ProjectError:
            pass
        raise


def _parsed(text: str) -> Any:
    """Read a value as TOML, or as the text that it is."""
    try:
        values = tomllib.loads(f"value = {text}\n")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    value = values.pop("value", text)
    return value if not values and isinstance(value, (str, bool, int, float, list, dict)) else text
