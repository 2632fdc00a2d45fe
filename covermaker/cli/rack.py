"""``covermaker rack``: the effects of a track, a group, a bus or the master."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.cache import store_option
from covermaker.cli.output import json_option, show, table
from covermaker.cli.set import tell
from covermaker.effects import EFFECTS
from covermaker.effects.owners import owner_called, owners, rows_of, switch_all_edit, switch_edit
from covermaker.effects.plugins.row import PARAMETERS, refuse_unknown
from covermaker.effects.preset_edits import value_words
from covermaker.effects.rack import parse_rack
from covermaker.effects.typed import BYPASS_SPEC, bare, typed_as
from covermaker.errors import UsageError, nearest
from covermaker.project.edits import AddEffect, MoveEffect, RemoveEffect, apply
from covermaker.project.load import load
from covermaker.render.judge import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.effects.owners import Owner, Rows
    from covermaker.effects.rack import EffectSettings
    from covermaker.project.load import Project
    from covermaker.project.operations import Edit
    from covermaker.render.previewing import Previewed


@dataclass(frozen=True)
class _Chosen:
    """A rack, and the project that it is in."""

    project: Project
    owner: Owner
    rows: Rows

    def settings(self) -> tuple[EffectSettings, ...]:
        """Return its effects, checked."""
        with self.project.document.naming():
            return parse_rack(self.rows, where=f"{self.owner.place}.rack")

    def index(self, which: str) -> int:
        """Return the place of an effect, counted from 0, by its number as shown or by its name."""
        names = [str(row.get("effect")) for row in self.rows]
        name = self.owner.name
        if which.isdecimal():
            if 1 <= int(which) <= len(names):
                return int(which) - 1
            raise UsageError(f"{name} has no effect {which}: it has {len(names)}, counted from 1")
        if which not in names:
            raise UsageError(f"the rack of {name} has no '{which}'", hint=nearest(which, names))
        if names.count(which) > 1:
            raise UsageError(
                f"the rack of {name} has {names.count(which)} effects called '{which}'",
                hint=f"say which by its number, as in {names.index(which) + 1}",
            )
        return names.index(which)

    def change(self, edit: Edit, as_json: bool) -> None:
        """Do an edit and say what it did."""
        tell(apply(self.project, edit, judge=judge), as_json)


@click.group("rack")
def command() -> None:
    """Show, change and measure the effects of a track, a group, a bus or the master.

    Effects are named, or numbered from 1 as they are shown. Values are changed with covermaker set, presets are put on,
    compared and saved with covermaker presets, covermaker undo takes back what was done last.
    """


_project = click.argument("project", type=click.Path(path_type=Path))
_channel = click.argument("channel")


def _chosen(folder: Path, channel: str) -> _Chosen:
    """Find the rack of a track, a group, a bus or the master."""
    project = load(folder)
    return _racked(project, owner_called(project.cover, channel))


def _racked(project: Project, owner: Owner) -> _Chosen:
    return _Chosen(project, owner, rows_of(project.document.values, owner.place))


@command.command("show")
@_project
@click.argument("channel", required=False)
@json_option
def show_(project: Path, channel: str | None, as_json: bool) -> None:
    """Show the effects of CHANNEL, or of all channels."""
    if channel is None:
        _show_all(load(project), as_json)
    else:
        _show(_chosen(project, channel), as_json)


def _show_all(project: Project, as_json: bool) -> None:
    racks = [_racked(project, owner) for owner in owners(project.cover)]
    rows = [
        (
            rack.owner.name,
            rack.owner.what,
            ", ".join(f"({one.title})" if one.bypass else one.title for one in rack.settings())
            or "no effects",
        )
        for rack in racks
    ]
    value = [{"channel": rack.owner.name, "place": rack.owner.place, "rack": rack.rows} for rack in racks]
    show(value, as_json, table(rows, header=("channel", "kind", "effects, those in brackets are off")))


def _show(rack: _Chosen, as_json: bool) -> None:
    settings = rack.settings()
    rows = [
        (
            str(number),
            one.effect,
            "off" if one.bypass else "on",
            ", ".join([*([one.title] if one.title != one.effect else []), *value_words(one)])
            or "its defaults",
        )
        for number, one in enumerate(settings, start=1)
    ]
    value = [
        {"number": number, "effect": one.effect, "on": not one.bypass, "values": dict(one.values)}
        for number, one in enumerate(settings, start=1)
    ]
    empty = f"no effects yet: covermaker rack add PROJECT {rack.owner.name} EFFECT"
    show(
        value,
        as_json,
        table(rows, header=("#", "effect", "state", "what is not at its default")) if rows else empty,
    )


@command.command("add")
@_project
@_channel
@click.argument("effect")
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--at", "number", type=click.IntRange(min=1), help="Its number then; by default it is the last."
)
@json_option
def add(
    project: Path, channel: str, effect: str, values: tuple[str, ...], number: int | None, as_json: bool
) -> None:
    """Add EFFECT, with values that are not its defaults: add compressor ratio=4 release_ms=0.2s.

    Of a plug-in: add vst3 plugin=ZamCompX2 threshold_db=-20.
    """
    rack = _chosen(project, channel)
    if effect not in EFFECTS:
        raise UsageError(f"there is no effect '{effect}'", hint=nearest(effect, EFFECTS.names()))
    row = _row(effect, values)
    if "plugin" in row:
        refuse_unknown(row["plugin"])
    rack.change(AddEffect(rack.owner.place, row, None if number is None else number - 1), as_json)


def _row(effect: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return a row of what was typed, with the types that the effect's parameters have."""
    given: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"'{text}' is no value", hint="write it as in threshold_db=-20")
        given[name] = value
    row: dict[str, Any] = {"effect": effect, **{key: given.pop(key) for key in ("plugin",) if key in given}}
    setting = bare(row)
    specs = {spec.name: spec for spec in (BYPASS_SPEC, *(setting.specs() if setting else ()))}
    for name, text in given.items():
        # A plug-in's parameters are a table of their own, which may be left out here.
        spec = specs.get(name) or specs.get(f"{PARAMETERS}.{name}")
        read = None if spec is None else typed_as(spec, text)
        typed = read if read is not None else _value(text) if spec is None else text
        table_name, dot, inner = (name if spec is None else spec.name).partition(".")
        (row.setdefault(table_name, {}) if dot else row)[inner or table_name] = typed
    return row


def _value(text: str) -> str | float | bool:
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


@command.command("remove")
@_project
@_channel
@click.argument("effect")
@json_option
def remove(project: Path, channel: str, effect: str, as_json: bool) -> None:
    """Take EFFECT out."""
    rack = _chosen(project, channel)
    rack.change(RemoveEffect(rack.owner.place, rack.index(effect)), as_json)


@command.command("move")
@_project
@_channel
@click.argument("effect")
@click.argument("number", type=int)
@json_option
def move(project: Path, channel: str, effect: str, number: int, as_json: bool) -> None:
    """Move EFFECT to the place NUMBER."""
    rack = _chosen(project, channel)
    rack.change(MoveEffect(rack.owner.place, rack.index(effect), rack.index(str(number))), as_json)


@command.command("on")
@_project
@_channel
@click.argument("effect")
@json_option
def on_(project: Path, channel: str, effect: str, as_json: bool) -> None:
    """Turn EFFECT on, or every one: on all."""
    _turn(_chosen(project, channel), effect, True, as_json)


@command.command("off")
@_project
@_channel
@click.argument("effect")
@json_option
def off(project: Path, channel: str, effect: str, as_json: bool) -> None:
    """Turn EFFECT off, or every one: off all."""
    _turn(_chosen(project, channel), effect, False, as_json)


def _turn(rack: _Chosen, effect: str, on: bool, as_json: bool) -> None:
    if effect == "all":
        edit = switch_all_edit(rack.owner, rack.rows, [on] * len(rack.rows))
    else:
        edit = switch_edit(rack.owner, rack.rows, rack.index(effect), on=on)
    rack.change(edit, as_json)


@command.command("measure")
@_project
@_channel
@click.option("--start", default="0:00", show_default=True, help="Where in the song, as in 1:20.")
@click.option("--for", "length", default="12", show_default=True, help="For how long, 30 s at most.")
@click.option("--difference", is_flag=True, help="Write to --out what the rack adds and takes away.")
@click.option("--out", type=click.Path(path_type=Path), help="Write what comes out of the rack, as WAV.")
@click.option("--dry", type=click.Path(path_type=Path), help="Write what goes into it.")
@store_option
@json_option
def measure(
    project: Path,
    channel: str,
    start: str,
    length: str,
    difference: bool,
    out: Path | None,
    dry: Path | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Measure a stretch on its way through the rack: level behind each effect, and how far it turns down.

    To hear it, write both sides and compare them: covermaker play DRY OUT --match. A bus hears what is sent to it, the
    master the mix.
    """
    from covermaker.cli.stretches import drop_stretch, make_stretches, write_stretch
    from covermaker.render.previewing import Wish, rack_of
    from covermaker.units import parse_clock

    if difference and out is None:
        raise UsageError("--difference needs --out", hint="name the file to write")
    rack = _chosen(project, channel)
    wish = Wish(1, parse_clock(start), parse_clock(length), rack_of(rack.owner.place), difference=difference)
    (made,) = make_stretches(rack.project, [wish], store)
    if out is not None:
        write_stretch(out, Path(made.file), made, begins_seconds=made.start_seconds)
    if dry is not None:
        write_stretch(dry, Path(made.against), made, begins_seconds=made.against_start_seconds)
    drop_stretch(made)
    value = {
        "start_seconds": made.start_seconds, "seconds": made.seconds, "instead": made.instead,
        "in_lufs": made.in_lufs, "out_lufs": made.out_lufs, "level_db": made.level_db, "points": made.points,
        "spectrum_hz": made.spectrum_hz, "reductions": made.reductions, "reduction_seconds": made.reduction_seconds,
    }  # fmt: skip
    show(value, as_json, _measured(made, rack.settings()))


def _measured(made: Previewed, settings: tuple[EffectSettings, ...]) -> str:
    down = {row["index"]: row["maximum_db"] for row in made.reductions}
    rows = []
    for point in made.points:
        index = point["index"]
        name = "(in)" if index < 0 else f"{index + 1} {settings[index].effect}"
        turned = f"{down[index]:.1f} dB" if index in down else ""
        rows.append((name, _level(point["lufs"], "LUFS"), _level(point["peak_dbfs"], "dBFS"), turned))
    lines = [table(rows, header=("behind", "loudness", "peak", "turned down at most"))]
    if made.level_db:
        lines.append(f"the rack hears its source at {made.level_db:+.1f} dB")
    if made.instead:
        lines.append(f"heard on {made.instead}")
    return "\n".join(lines)


def _level(value: float | None, unit: str) -> str:
    return "silence" if value is None else f"{value:.1f} {unit}"
