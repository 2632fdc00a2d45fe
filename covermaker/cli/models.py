"""``covermaker models``: pretrained weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from covermaker.cli.output import json_option, show, table, words
from covermaker.errors import CovermakerError, UsageError, WeightsError, nearest
from covermaker.units import human_bytes
from covermaker.weights import catalog

if TYPE_CHECKING:
    from pathlib import Path


@click.group("models")
def command() -> None:
    """List, verify and pull pretrained weights."""


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every pretrained model: what for, which licence, where it is."""
    catalog.models_folder()  # a COVERMAKER_MODELS that leads nowhere is a mistake, not an empty folder
    rows, values = [], []
    for name, entry in catalog.entries().items():
        try:
            source = catalog.find(name).source
        except CovermakerError:
            source = "not here"
        size = human_bytes(entry.size) if entry.size else "?"
        rows.append((name, source, size, entry.licence, entry.role))
        values.append(
            {"name": name, "role": entry.role, "licence": entry.licence, "bytes": entry.size, "found": source}
        )
    show(values, as_json, table(rows, header=("name", "found", "size", "licence", "role")))


@command.command("verify")
@click.argument("names", nargs=-1)
@json_option
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Read the weights again and compare their sha256 with the catalog (all that are here, or NAMES)."""
    wanted = [_known(name) for name in names] or list(catalog.entries())
    rows: list[tuple[str, str]] = []
    failed: CovermakerError | None = None
    for name in wanted:
        try:
            catalog.find(name)
        except WeightsError as error:
            rows.append((name, "not here"))
            failed = failed or (error if names else None)
            continue
        try:
            found = catalog.verify(name)
            rows.append((name, f"ok ({found.source})"))
        except WeightsError as error:
            rows.append((name, "damaged"))
            failed = failed or error
    show(
        [{"name": name, "state": state} for name, state in rows],
        as_json,
        table(rows, header=("name", "state")),
    )
    if failed is not None:
        raise failed


@command.command("path")
@click.argument("name")
def path(name: str) -> None:
    """Print where the weights NAME are."""
    click.echo(str(catalog.locate(_known(name))))


@command.command("pull")
@click.argument("names", nargs=-1, required=True)
def pull(names: tuple[str, ...]) -> None:
    """Download the weights NAMES from the Hugging Face hub into the user's models folder."""
    from covermaker.weights.pull import pull as fetch

    for name in map(_known, names):
        place: Path = fetch(name)
        words(f"{name} is at {place}")


def _known(name: str) -> str:
    if name not in catalog.entries():
        raise UsageError(f"no weights are called '{name}'", hint=nearest(name, catalog.entries()))
    return name
