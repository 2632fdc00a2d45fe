"""``covermaker status``: which steps of a project are done."""

from __future__ import annotations

from pathlib import Path

import click

from covermaker.cli.cache import open_store, store_option
from covermaker.cli.output import json_option, show, table
from covermaker.graph.run import plan
from covermaker.project.load import load
from covermaker.render.pipeline import build
from covermaker.render.record import compare, last_render
from covermaker.units import human_bytes


@click.command("status")
@click.argument("project", type=click.Path(path_type=Path))
@store_option
@json_option
def command(project: Path, store: Path | None, as_json: bool) -> None:
    """Show which steps of PROJECT are done, and what they found."""
    opened = load(project)
    river = build(opened)
    where = open_store(store)
    verdicts = compare(plan(where, river.targets()), last_render(opened.out), opened.cover)
    rows, values = [], []
    for verdict in verdicts:
        entry = where.get(verdict.step.key)
        size = human_bytes(entry.bytes) if entry else ""
        seconds = f"{entry.meta['seconds']:.1f} s" if entry else ""
        rows.append((verdict.step.name, verdict.state, seconds, size, verdict.brief))
        values.append(
            {
                "name": verdict.step.name,
                "key": verdict.step.key,
                "state": verdict.state,
                "reasons": list(verdict.reasons),
                "report": entry.meta["report"] if entry else None,
            }
        )
    head = f"{opened.cover.title}  ({opened.root})"
    text = f"{head}\n\n" + table(rows, header=("step", "state", "took", "size", "why"))
    show({"title": opened.cover.title, "project": str(opened.root), "steps": values}, as_json, text)
