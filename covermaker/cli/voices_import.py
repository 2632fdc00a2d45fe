"""``covermaker voices import``: a model of RVC or so-vits-svc becomes a voice."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Any

import click

from covermaker.cli.alone import run_alone
from covermaker.cli.output import json_option, show, table
from covermaker.cli.progress import unless_quiet
from covermaker.errors import UsageError
from covermaker.voices.library import call_of
from covermaker.voices.rights import RIGHTS

_file = click.Path(path_type=Path)


@click.command("import")
@click.argument("path", type=_file, metavar="FILE|FOLDER|ZIP")
@click.option(
    "--name",
    default="",
    help="What the voice is called, or a folder for it (./…); the file's name by default.",
)
@click.option(
    "--rights", type=click.Choice([*RIGHTS, "unknown"]), default="unknown", show_default=True,
    help="Why you may sing with it.",
)  # fmt: skip
@click.option("--statement", default="", help="Who agreed to what; goes onto the voice's card.")
@click.option("--index", type=_file, help="Its .index, where that does not lie beside it.")
@click.option(
    "--clusters", type=_file, help="Its kmeans_….pt (so-vits-svc); of a single file it is not looked for."
)
@click.option("--config", type=_file, help="Its config.json, where that does not.")
@click.option("--dry-run", is_flag=True, help="Say what it is, and write nothing.")
@click.option("--force", is_flag=True, help="Put an imported voice of that name into the trash first.")
@json_option
def import_(path: Path, dry_run: bool, force: bool, as_json: bool, **wishes: Any) -> None:
    """Take in a voice of RVC, Applio or so-vits-svc: its model file, or a folder or zip file with it.

    What a file is, is read from its content; nothing that it names is run.
    """
    request = {name: _absolute(value) for name, value in wishes.items() if value}
    request |= {"path": _absolute(path), "dry_run": dry_run, "replace": force}
    with unless_quiet(quiet=as_json) as listener:
        done = run_alone("import-voice", request, listener=listener)
    card = done["card"]
    rows = [
        ("voice", done["name"]),
        ("folder", f"{done['folder']}{' (not written)' if dry_run else ''}"),
        ("what", card["origin"].removeprefix("imported: ")),
        ("content", card["content"]["encoder"]),
        ("singers", ", ".join(card["singers"])),
        ("index", _index_words(card["training"])),
        ("rights", card["rights"]),
    ]
    text = table([row for row in rows if row[1]])
    if not dry_run:
        text += f"\nnext: covermaker convert VOCAL --voice {quote(call_of(Path(done['folder'])))}"
    show(done, as_json, text)
    if "problem" in done:  # of a rehearsal, which has said what the file is all the same
        raise UsageError(done["problem"], hint=done["hint"])


def _absolute(value: Any) -> Any:
    # Not resolved: a link is called by its own name.
    return str(value.absolute()) if isinstance(value, Path) else value


def _index_words(training: dict[str, Any]) -> str:
    return f"{training['index_rows']} rows of {training['index']}" if "index" in training else "none"
