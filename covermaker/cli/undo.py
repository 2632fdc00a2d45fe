"""``covermaker undo`` and ``covermaker redo``: edits of a project taken back, and made again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from covermaker.cli.output import json_option, show, table
from covermaker.cli.set import tell
from covermaker.errors import UsageError
from covermaker.project.history import history, redo, undo
from covermaker.project.load import load
from covermaker.project.saved import Saved, chosen, go_back, saved_states
from covermaker.render.judge import judge

if TYPE_CHECKING:
    from covermaker.project.log import Entry

project_argument = click.argument("project", type=click.Path(path_type=Path))
anyway_option = click.option(
    "--anyway", is_flag=True, help="Also where the same value has been changed again by other means."
)


@click.command("undo")
@project_argument
@anyway_option
@click.option("--list", "listing", is_flag=True, help="Only say what can be undone and redone.")
@click.option(
    "--saved", is_flag=True, help="Only list the states that --to can go back to, by their numbers."
)
@click.option(
    "--to",
    "number",
    type=int,
    metavar="NUMBER",
    help="Go back to a whole state, also from a broken cover.toml.",
)
@json_option
def command(
    project: Path, anyway: bool, listing: bool, saved: bool, number: int | None, as_json: bool
) -> None:
    """Take back the last edit of PROJECT, made here or in the studio; what stands by hand elsewhere stays."""
    given = {"--anyway": anyway, "--list": listing, "--saved": saved, "--to": number is not None}
    named = [name for name, is_given in given.items() if is_given]
    if len(named) > 1:
        raise UsageError(f"choose one of {' and '.join(named)}")
    if saved:
        _show_states(saved_states(project), as_json)
        return
    if number is not None:
        tell(go_back(project, chosen(saved_states(project), number), judge=judge), as_json)
        return
    opened = load(project)
    if not listing:
        tell(undo(opened, anyway=anyway, judge=judge), as_json)
        return
    stacks = history(opened)
    value = {"undo": _values(stacks.done[::-1]), "redo": _values(stacks.undone[::-1])}
    rows = [(kind, row["when"], row["words"]) for kind in ("undo", "redo") for row in value[kind]]
    show(value, as_json, table(rows) if rows else "there is nothing to undo")


@click.command("redo")
@project_argument
@anyway_option
@json_option
def redo_command(project: Path, anyway: bool, as_json: bool) -> None:
    """Make the edit of PROJECT again that was undone last."""
    tell(redo(load(project), anyway=anyway, judge=judge), as_json)


def _show_states(states: list[Saved], as_json: bool) -> None:
    value = [{"number": n, "when": one.when, "words": one.words} for n, one in enumerate(states, start=1)]
    rows = [(str(row["number"]), str(row["when"]), str(row["words"])) for row in value]
    show(value, as_json, table(rows) if rows else "there is no earlier state")


def _values(entries: list[Entry]) -> list[dict[str, str]]:
    return [{"words": entry.words, "when": entry.when} for entry in entries]
