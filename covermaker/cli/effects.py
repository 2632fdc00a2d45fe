"""``covermaker effects``: what a rack can hold."""

from __future__ import annotations

import click

from covermaker.cli.output import json_option, show, table
from covermaker.effects import EFFECTS
from covermaker.effects.spec import describe


@click.group("effects")
def command() -> None:
    """List and show effects."""


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every effect."""
    rows = [(name, EFFECTS.load(name).HELP) for name in EFFECTS.names()]
    show(
        [{"name": name, "help": text} for name, text in rows],
        as_json,
        table(rows, header=("effect", "what it does")),
    )


@command.command("show")
@click.argument("name")
@json_option
def show_(name: str, as_json: bool) -> None:
    """Show the parameters of an effect: unit, range, default."""
    effect = EFFECTS.load(name)
    rows = describe(effect)
    cells = [(r["parameter"], r["allowed"], r["default"], r["help"]) for r in rows]
    text = f"{name}: {effect.HELP}\n\n" + table(
        cells, header=("parameter", "allowed", "default", "what it does")
    )
    show({"name": name, "help": effect.HELP, "parameters": rows}, as_json, text)
