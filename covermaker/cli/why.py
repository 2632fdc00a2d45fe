"""``covermaker why``: what would be rendered again, and which parameter or file changed."""

from __future__ import annotations

from pathlib import Path

import click

from covermaker.cli.cache import open_store, store_option
from covermaker.cli.output import json_option, show
from covermaker.graph.run import plan
from covermaker.project.load import load
from covermaker.render.pipeline import build
from covermaker.render.record import compare, last_render


@click.command("why")
@click.argument("project", type=click.Path(path_type=Path))
@store_option
@json_option
def command(project: Path, store: Path | None, as_json: bool) -> None:
    """Say which steps of PROJECT the next render makes again, and what changed since the last one."""
    opened = load(project)
    steps = plan(open_store(store), build(opened).targets())
    verdicts = compare(steps, last_render(opened.out), opened.cover)
    stale = [verdict for verdict in verdicts if verdict.state == "to do"]
    lines = [line for one in stale for line in (one.step.name, *(f"  {words}" for words in one.words))]
    values = [{"name": verdict.step.name, "reasons": list(verdict.reasons)} for verdict in stale]
    show(values, as_json, "\n".join(lines) if lines else "everything is up to date")
