"""``covermaker export``: parts of a cover for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from covermaker.cli.cache import store_option
from covermaker.cli.device import device_option
from covermaker.cli.output import json_option, near, show, table
from covermaker.cli.progress import unless_quiet
from covermaker.errors import UsageError


@click.command("export")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--stems", is_flag=True, help="What each channel adds to the mix: WAV files that sum to it.")
@click.option("--reaper", is_flag=True, help="A REAPER project with its clips.")
@click.option("--dawproject", is_flag=True, help="A session for Bitwig, Studio One, Cubase and others.")
@click.option("--instrumental", is_flag=True, help="The mastered cover without the singing, as WAV.")
@click.option("--melody", is_flag=True, help="What the voice sings, as a MIDI file with pitch bend.")
@click.option("--original", is_flag=True, help="With --melody: what is sung in the song itself.")
@click.option("--labels", is_flag=True, help="Parts and beats of the song, as label tracks (text).")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to [default: PROJECT/out].")
@click.option("--force", is_flag=True, help="Replace a session that another program has saved since.")
@click.option("--strict", is_flag=True, help="Fail where a plug-in is missing or fails; else it is left out.")
@click.option("--dry-run", is_flag=True, help="Say what would be made first, and stop.")
@store_option
@device_option
@json_option
def command(
    project: Path,
    out: Path | None,
    store: Path | None,
    device: str,
    as_json: bool,
    original: bool,
    force: bool,
    strict: bool,
    dry_run: bool,
    **parts: bool,
) -> None:
    """Export parts of PROJECT for other programs; what they need and is not done yet is rendered first."""
    wanted = [name for name, is_wanted in parts.items() if is_wanted]
    if not wanted:
        known = ", ".join(f"--{name.replace('_', '-')}" for name in parts)
        raise UsageError("nothing to export is named", hint=f"one or several of {known}")
    if original and "melody" not in wanted:
        raise UsageError("--original does nothing without --melody", hint="see: covermaker export --help")
    request: dict[str, Any] = {
        "job": "export",
        "project": str(project),
        "parts": wanted,
        "original": original,
        "force": force,
        "strict": strict,
        "out": str(out) if out else None,
        "store": str(store) if store else None,
        "device": device,
    }
    if dry_run:
        _dry_run(request, as_json)
        return
    from covermaker.jobs.launch import launch
    from covermaker.project.load import hidden_folder

    with unless_quiet(quiet=as_json) as listener:
        result = launch(request, listener=listener, log=hidden_folder(project) / "export.log")
    show(result, as_json, table(_rows(result)))


def _dry_run(request: dict[str, Any], as_json: bool) -> None:
    """Say what an export would make. Makes nothing and writes nothing."""
    from covermaker.graph.run import plan
    from covermaker.render.exporting import ordered
    from covermaker.render.tasks import summary

    order = ordered(request)
    steps = plan(order.store, order.targets)
    rows = [(one.step.name, "would run" if one.will_run else "kept") for one in steps]
    value = {"out": str(order.out), "parts": list(order.parts), "steps": summary(steps)}
    show(value, as_json, f"{table(rows, header=('step', 'state'))}\n\nwould write to {near(str(order.out))}")


def _rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what was written, and what a person wants to know of it."""
    reports = result["reports"]
    rows: list[tuple[str, str]] = []
    melody = next((report for name, report in reports.items() if name.startswith("melody")), None)
    if melody is not None:
        rows.append(("notes", f"{melody['notes_found']}, tuned to A4 = {melody['a4_hz']:g} Hz"))
    rows += [(name, text) for name, text in result["music"] or ()]
    stems = reports.get("mix stems")
    if stems is not None:
        kind = "24 bits" if stems["bits"] == 24 else "32-bit float, since one of them is above full scale"
        rows.append(("stems", f"{len(stems['files'])}, {kind}, their sum is the mix"))
    files = result["files"]
    return rows + [("file" if index == 0 else "", near(file)) for index, file in enumerate(files)]
