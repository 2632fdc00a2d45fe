"""``covermaker presets``: racks, masters and voice settings to start from, compare, hear and keep."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from covermaker.cli.cache import store_option
from covermaker.cli.device import device_option
from covermaker.cli.output import json_option, near, show, table, words
from covermaker.effects.owners import owner_called, preset_edit, rack_of_preset, rows_of, saved_preset
from covermaker.effects.preset_edits import (
    differences,
    edit_of,
    missing_buses,
    rack_differences,
    sung_tracks,
    taken,
)
from covermaker.effects.presets import KINDS, Kind, list_presets, load_preset
from covermaker.errors import CovermakerError, UsageError, nearest
from covermaker.project.edits import apply as apply_edit
from covermaker.project.load import load
from covermaker.render.judge import judge

if TYPE_CHECKING:
    from covermaker.effects.owners import Owner
    from covermaker.effects.presets import PresetEntry
    from covermaker.project.load import Project

_SINGULAR = [kind.removesuffix("s") for kind in KINDS]
_kind_option = click.option(
    "--kind", type=click.Choice(_SINGULAR), help="Which one, when several kinds have that name."
)
_track_option = click.option(
    "--track", help="Track or group of the rack; by default the first track that a voice sings."
)
_bus_option = click.option("--bus", help="A bus or a group in place of the track: its rack alone.")
_project = click.argument("project", type=click.Path(path_type=Path))


@click.group("presets")
def command() -> None:
    """Racks, masters and voice settings: list, compare, hear, apply and keep them."""


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the presets: racks for a track, masters and voice settings for a whole song."""
    entries = [entry for kind in KINDS for entry in list_presets(kind)]
    rows = [
        (entry.kind.removesuffix("s"), entry.name, _whose(entry), entry.problem or entry.description)
        for entry in entries
    ]
    values = [
        {
            "kind": entry.kind,
            "name": entry.name,
            "description": entry.description,
            "problem": entry.problem,
            "shipped": entry.shipped,
            "hides_shipped": entry.hides,
            "file": str(entry.path),
        }
        for entry in entries
    ]
    show(values, as_json, table(rows, header=("kind", "preset", "whose", "how it sounds")))


def _whose(entry: PresetEntry) -> str:
    if entry.problem:
        return "damaged"
    return "shipped" if entry.shipped else "edited" if entry.hides else "yours"


@command.command("show")
@click.argument("name")
@_kind_option
@json_option
def show_(name: str, kind: str | None, as_json: bool) -> None:
    """Show what a preset holds."""
    preset = load_preset(*_find(name, kind))
    value = {
        "kind": preset.kind,
        "name": preset.name,
        "description": preset.description,
        "rack": list(preset.rack),
        "sends": preset.sends,
        "buses": {bus: list(rows) for bus, rows in preset.buses.items()},
        "loudness_lufs": preset.loudness_lufs,
        "true_peak_dbtp": preset.true_peak_dbtp,
        "convert": preset.convert,
    }
    show(value, as_json, preset.path.read_text(encoding="utf-8").rstrip())


@command.command("apply")
@click.argument("name")
@_project
@_track_option
@_bus_option
@_kind_option
def apply(name: str, project: Path, track: str | None, bus: str | None, kind: str | None) -> None:
    """Copy the preset NAME into PROJECT; comments in its cover.toml stay, and covermaker undo takes it back."""
    preset, opened = load_preset(*_find(name, kind)), load(project)
    track = track or sung_tracks(opened.cover)[0]
    if bus is None:
        edit = edit_of(preset, opened, track)
    else:
        edit = preset_edit(_bus(opened, bus, preset.kind), preset, opened)
    done = apply_edit(opened, edit, judge=judge)
    if bus is not None or not done.changed:
        click.echo(f"{opened.file}: {done.words}")
        return
    if preset.kind != "racks":
        what = "master" if preset.kind == "masters" else "voice settings"
        click.echo(f"{opened.file}: {what} '{name}'")
        return
    changed = [
        f"{owner_called(opened.cover, track).what} '{track}'",
        *(["its sends"] if preset.sends else []),
        *(f"bus '{bus}'" for bus in preset.buses),
    ]
    click.echo(f"{opened.file}: '{name}' replaced the rack of {', '.join(changed)}")
    missing = missing_buses(preset, opened)
    if missing:
        click.echo(f"note: the project has no bus {', '.join(missing)}; its send was left out", err=True)


@command.command("diff")
@click.argument("name")
@_project
@_track_option
@_bus_option
@_kind_option
@json_option
def diff(
    name: str, project: Path, track: str | None, bus: str | None, kind: str | None, as_json: bool
) -> None:
    """Say what applying the preset NAME would change in PROJECT."""
    preset, opened = load_preset(*_find(name, kind)), load(project)
    if bus is None:
        lines = differences(preset, opened, track or sung_tracks(opened.cover)[0])
    else:
        owner = _bus(opened, bus, preset.kind)
        rows = rows_of(opened.document.values, owner.place)
        lines = rack_differences(rows, rack_of_preset(owner, preset))
    values = [{"sign": line.sign, "words": line.words} for line in lines]
    show(values, as_json, "\n".join(f"{line.sign} {line.words}" for line in lines) or "the same")


@command.command("users")
@click.argument("name")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@_kind_option
@json_option
def users(name: str, folder: Path | None, kind: str | None, as_json: bool) -> None:
    """List the projects that have the values of NAME, or began with it: in FOLDER, or in your projects folder."""
    from covermaker.effects import preset_users
    from covermaker.project.library import scan
    from covermaker.tui.settings import load_settings, projects_folder

    id_ = _find(name, kind)
    load_preset(*id_)  # one that is damaged has the values of none
    found = preset_users.users(preset_users.entries(), scan(folder or projects_folder(load_settings())))[id_]
    rows = [(title, "the same", near(str(place))) for place, title in found.same]
    rows += [(title, "edited", near(str(place))) for place, title in found.edited]
    values = [{"title": title, "state": state, "folder": place} for title, state, place in rows]
    show(
        values, as_json, table(rows, header=("title", "settings", "folder")) if rows else "no project has it"
    )


@command.command("hear")
@click.argument("name")
@_project
@click.option(
    "--stretch", help="Which stretch of the song, as 1:20-1:30.  [default: 8 s, a third into the song]"
)
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Folder for the two files.")
@_track_option
@_kind_option
@store_option
@device_option
@json_option
def hear(
    name: str,
    project: Path,
    stretch: str | None,
    out: Path,
    track: str | None,
    kind: str | None,
    store: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Write a stretch of PROJECT as it is and with the preset NAME, equally loud, to compare; changes nothing else.

    With voice settings, the stretch is sung anew.
    """
    from covermaker.cli.progress import unless_quiet
    from covermaker.cli.render import parse_region
    from covermaker.cli.stretches import drop_stretch, make_stretches, write_stretch
    from covermaker.effects.preset_edits import changes_of
    from covermaker.render.previewing import Wish, heard_on, matched, usual_stretch

    preset, opened = load_preset(*_find(name, kind)), load(project)
    start, seconds = parse_region(stretch) if stretch else usual_stretch(_song_seconds(opened))
    what = heard_on(preset.kind)
    changes = changes_of(preset, opened, track or sung_tracks(opened.cover)[0])
    wishes = (Wish(1, start, seconds, what), Wish(2, start, seconds, what, changes))
    with unless_quiet(quiet=as_json) as listener:
        made = make_stretches(opened, wishes, store, device=device, listener=listener)
    # A pair of their own: another preset may be heard on another stretch.
    files = [out / f"{opened.root.name} {side} {preset.name}.wav" for side in ("without", "with")]
    for one, gain_db, file in zip(made, matched(*made), files, strict=True):
        write_stretch(file, Path(one.file), one, begins_seconds=one.start_seconds, gain_db=gain_db)
        drop_stretch(one)
    listen = shlex.join(["covermaker", "play", *(near(str(file)) for file in files)])
    value = {"files": [str(file) for file in files], "preset": name, "stretch": [start, start + seconds]}
    show(value, as_json, "\n".join([*(near(str(file)) for file in files), f"compare them: {listen}"]))


def _song_seconds(project: Project) -> float:
    from covermaker.audio.files import probe

    return probe(project.path(project.cover.song.file, "song.file")).seconds


@command.command("save")
@click.argument("name")
@_project
@_track_option
@_bus_option
@click.option(
    "--kind", type=click.Choice(_SINGULAR), default="rack", show_default=True, help="What is saved."
)
@click.option("--description", help="How it sounds, in a sentence.")
@click.option("--replace", is_flag=True, help="Update a preset of yours that has this name.")
def save(
    name: str,
    project: Path,
    track: str | None,
    bus: str | None,
    kind: str,
    description: str | None,
    replace: bool,
) -> None:
    """Save what PROJECT has as a preset of your own: a track's rack, the master, or the voice settings."""
    from covermaker.effects.preset_files import entry_of, write_preset

    opened, plural = load(project), _plural(kind)
    before = entry_of(plural, name) if replace else None
    said = description or (before.description if before is not None else "") or f"As in {opened.cover.title}."
    if bus is None:
        preset = taken(opened, plural, track or sung_tracks(opened.cover)[0], name, said)
    else:
        preset = saved_preset(_bus(opened, bus, plural), opened, name, said)
    click.echo(f"{write_preset(preset, replace=replace).path}: {kind} '{name}'")


@command.command("copy")
@click.argument("name")
@click.argument("to")
@_kind_option
def copy(name: str, to: str, kind: str | None) -> None:
    """Copy the preset NAME to one of your own, called TO. A copy of the same name stands in place of a shipped one."""
    from covermaker.effects.preset_files import copy_preset

    click.echo(f"{copy_preset(*_find(name, kind), to).path}: copied from '{name}'")


@command.command("rename")
@click.argument("name")
@click.argument("to")
@_kind_option
def rename(name: str, to: str, kind: str | None) -> None:
    """Give the preset NAME of yours the name TO."""
    from covermaker.effects.preset_files import rename_preset

    click.echo(f"{rename_preset(*_find(name, kind), to).path}: was '{name}'")


@command.command("edit")
@click.argument("name")
@_kind_option
def edit(name: str, kind: str | None) -> None:
    """Open the file of a preset of yours in your editor (VISUAL, EDITOR), and say afterwards whether it can be used."""
    from covermaker.effects.preset_files import own
    from covermaker.tui.editor import edit_file

    id_ = _find(name, kind)
    file = own(*id_).path
    edit_file(file)
    try:
        load_preset(*id_)
    except CovermakerError:
        again = shlex.quote(name) + (f" --kind {kind}" if kind else "")
        words(f"'{id_[1]}' cannot be used like this; to mend it: covermaker presets edit {again}")
        raise
    click.echo(f"'{id_[1]}' can be used: {near(str(file))}")


@command.command("remove")
@click.argument("name")
@_kind_option
def remove(name: str, kind: str | None) -> None:
    """Move a preset of yours into the trash; covermaker presets restore brings it back."""
    from covermaker.effects.preset_files import remove_preset

    removed = remove_preset(*_find(name, kind))
    click.echo(f"'{name}' is in the trash: {removed.file}")


@command.command("restore")
@click.argument("name", required=False)
@_kind_option
@json_option
def restore(name: str | None, kind: str | None, as_json: bool) -> None:
    """Bring the preset NAME back from the trash, the last removed of that name; without NAME, list the trash."""
    from covermaker.effects.preset_files import restore_preset, trashed

    found = [one for plural in KINDS if kind in {None, plural.removesuffix("s")} for one in trashed(plural)]
    if name is None:
        rows = [(one.kind.removesuffix("s"), one.name, str(one.file)) for one in found]
        values = [{"kind": one.kind, "name": one.name, "file": str(one.file)} for one in found]
        show(
            values, as_json, table(rows, header=("kind", "preset", "file")) if rows else "the trash is empty"
        )
        return
    named = [one for one in found if one.name == name]
    if not named:
        raise UsageError(
            f"no preset '{name}' is in the trash", hint=nearest(name, {one.name for one in found})
        )
    if len({one.kind for one in named}) > 1:
        raise _ambiguous(name, [one.kind for one in named])
    one = named[0]
    restore_preset(one)
    show({"kind": one.kind, "name": name, "file": str(one.place)}, as_json, f"'{name}' is back")


def _find(name: str, chosen: str | None) -> tuple[Kind, str]:
    """Return kind and name of a preset that is there, damaged or not."""
    names: dict[str, list[Kind]] = {}
    for kind in KINDS:
        if chosen is None or kind == f"{chosen}s":
            for entry in list_presets(kind):
                names.setdefault(entry.name, []).append(kind)
    if name not in names:
        raise UsageError(f"unknown preset '{name}'", hint=nearest(name, names))
    if len(names[name]) > 1:
        raise _ambiguous(name, names[name])
    return names[name][0], name


def _ambiguous(name: str, kinds: list[Kind]) -> UsageError:
    found = [kind.removesuffix("s") for kind in dict.fromkeys(kinds)]
    return UsageError(
        f"{' and '.join(f'a {kind}' for kind in found)} are called '{name}'",
        hint="add " + " or ".join(f"--kind {kind}" for kind in found),
    )


def _bus(project: Project, name: str, kind: Kind) -> Owner:
    """Find a bus or a group that a preset of a kind is put on or taken from."""
    if kind != "racks":
        raise UsageError(f"a {kind.removesuffix('s')} preset goes on no bus", hint=f"leave --bus {name} out")
    groups = [group.name for group in project.cover.groups]
    buses = [bus.name for bus in project.cover.buses]
    known = [*buses, *groups]
    if name not in known:
        raise UsageError(f"the project has no bus or group '{name}'", hint=nearest(name, known))
    return owner_called(project.cover, f"{'buses' if name in buses else 'groups'}.{name}")


def _plural(kind: str) -> Kind:
    return next(plural for plural in KINDS if plural == f"{kind}s")
