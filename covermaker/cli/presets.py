"""``covermaker presets``: racks and masters to start from."""

from __future__ import annotations

from pathlib import Path

import click

from covermaker.cli.output import json_option, show, table
from covermaker.effects.presets import KINDS, Kind, Preset, list_presets, load_preset
from covermaker.errors import UsageError, nearest
from covermaker.project.edits import SetMaster, SetRack
from covermaker.project.edits import apply as apply_edit
from covermaker.project.load import load
from covermaker.render.judge import judge

_kind_option = click.option(
    "--kind", type=click.Choice(["rack", "master"]), help="Which one, when both have that name."
)


@click.group("presets")
def command() -> None:
    """List, show and apply presets."""


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the presets: racks for a vocal, masters for a whole song."""
    entries = [entry for kind in KINDS for entry in list_presets(kind)]
    rows = [
        (entry.kind.removesuffix("s"), entry.name, entry.problem or entry.description) for entry in entries
    ]
    values = [
        {"kind": entry.kind, "name": entry.name, "description": entry.description, "problem": entry.problem}
        for entry in entries
    ]
    show(values, as_json, table(rows, header=("kind", "preset", "how it sounds")))


@command.command("show")
@click.argument("name")
@_kind_option
@json_option
def show_(name: str, kind: str | None, as_json: bool) -> None:
    """Show what a preset holds."""
    preset = _find(name, kind)
    value = {
        "kind": preset.kind,
        "name": preset.name,
        "description": preset.description,
        "rack": list(preset.rack),
        "sends": preset.sends,
        "buses": {bus: list(rows) for bus, rows in preset.buses.items()},
        "loudness_lufs": preset.loudness_lufs,
        "true_peak_dbtp": preset.true_peak_dbtp,
    }
    show(value, as_json, preset.path.read_text(encoding="utf-8").rstrip())


@command.command("apply")
@click.argument("name")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--track", default="vocals", show_default=True, help="Track that gets the rack.")
@_kind_option
def apply(name: str, project: Path, track: str, kind: str | None) -> None:
    """Copy the preset NAME into PROJECT; comments in its cover.toml stay."""
    preset, opened = _find(name, kind), load(project)
    if preset.kind == "racks":
        apply_edit(opened, SetRack(track, preset.rack, preset.sends, preset.buses, name=name), judge=judge)
        missing = sorted(set(preset.sends) - set(preset.buses) - {bus.name for bus in opened.cover.buses})
        changed = [
            f"track '{track}'",
            *(["its sends"] if preset.sends else []),
            *(f"bus '{bus}'" for bus in preset.buses),
        ]
        click.echo(f"{opened.file}: '{name}' replaced the rack of {', '.join(changed)}")
        if missing:
            click.echo(f"note: the project has no bus {', '.join(missing)}; its send was left out", err=True)
        return
    levels = {"loudness_lufs": preset.loudness_lufs, "true_peak_dbtp": preset.true_peak_dbtp}
    apply_edit(opened, SetMaster(levels, preset.rack, name=name), judge=judge)
    click.echo(f"{opened.file}: master '{name}'")


def _find(name: str, chosen: str | None) -> Preset:
    names: dict[str, list[Kind]] = {}
    for kind in KINDS:
        if chosen is None or kind == f"{chosen}s":
            for entry in list_presets(kind):
                names.setdefault(entry.name, []).append(kind)
    if name not in names:
        raise UsageError(f"unknown preset '{name}'", hint=nearest(name, names))
    if len(names[name]) > 1:
        raise UsageError(f"a rack and a master are called '{name}'", hint="add --kind rack or --kind master")
    return load_preset(names[name][0], name)
