"""``covermaker desk``: tracks, groups, buses, what is sent where, and what moves over the song."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.output import json_option, show, table
from covermaker.cli.set import refuse_bare, tell
from covermaker.effects.able import refuse_still
from covermaker.effects.owners import owner_called, owners, rows_of
from covermaker.effects.typed import effect_at, typed
from covermaker.errors import UsageError, nearest
from covermaker.project.edits import (
    AddBus,
    AddGroup,
    AddTrack,
    MoveChannel,
    RemoveBus,
    RemoveGroup,
    RemoveLane,
    RemoveTrack,
    ResetValue,
    SetLane,
    SetSend,
    SetValue,
    apply,
)
from covermaker.project.lanes import lane_of, pointed, unpointed
from covermaker.project.load import load
from covermaker.project.places import parse_place
from covermaker.project.words import written
from covermaker.render.judge import judge
from covermaker.units import clock, parse_clock, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.effects.owners import Owner
    from covermaker.project.load import Project
    from covermaker.project.operations import Edit
    from covermaker.tui.project_channels import Channel

_ADDS = ("track", "group", "bus")
_REMOVES: dict[str, Any] = {"track": RemoveTrack, "group": RemoveGroup, "bus": RemoveBus}
_SAME_SECONDS = 0.005  # a point at a time that was typed


@click.group("desk")
def command() -> None:
    """Show and change the mixing desk: tracks, groups, buses, sends, automation.

    Faders, pans, mutes and names are changed with covermaker set, racks with covermaker rack; covermaker undo takes
    back what was done last.
    """


_project = click.argument("project", type=click.Path(path_type=Path))


def _do(project: Project, edit: Edit, as_json: bool) -> None:
    tell(apply(project, edit, judge=judge), as_json)


def _channel(project: Project, name: str, *, without: str = "") -> Owner:
    """Find a channel by its name or place; the master is none."""
    owner = owner_called(project.cover, name)
    if owner.what in ("master", without):
        raise UsageError(f"'{name}' is {'the master' if owner.what == 'master' else f'a {owner.what}'}", hint=(
            "name a track or a group" if without else "name a track, a group or a bus"
        ))  # fmt: skip
    return owner


@command.command("show")
@_project
@json_option
def show_(project: Path, as_json: bool) -> None:
    """Show every channel: level, pan, where it goes, what is sent, its rack, what moves of it."""
    from covermaker.tui.project_channels import channels

    found = channels(load(project).cover)
    header = ("channel", "kind", "level", "pan", "state", "sends", "rack", "moves")
    show([_value(one) for one in found], as_json, table([_cells(one) for one in found], header=header))


def _cells(one: Channel) -> tuple[str, ...]:
    from covermaker.tui.project_channels import move_words, pan_words

    unit = "LUFS" if one.kind == "master" else "dB"
    states = [word for word, holds in (("muted", one.mute), ("solo", one.solo)) if holds]
    sends = [
        f"{bus} {level:.1f} dB{' pre-fader' if bus in one.pre_fader else ''}"
        for bus, level in (one.sends or {}).items()
    ]
    return (
        "  " * one.depth + one.name,
        one.kind,
        one.loudness if one.value is None else f"{one.value:.1f} {unit}",
        "" if one.kind == "master" else pan_words(one.pan),
        ", ".join(states),
        ", ".join(sends),
        one.rack.removeprefix("rack ").replace("no rack", ""),
        ", ".join(f"{move_words(key)} ({len(course.points)})" for key, course in one.moves.items()),
    )


def _value(one: Channel) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "place": one.place,
        "loudness_lufs" if one.kind == "master" else "gain_db": one.value,
        "pan": one.pan,
        "mute": one.mute,
        "solo": one.solo,
        "group": one.group or None,
        "sends": dict(one.sends or {}),
        "pre_fader": list(one.pre_fader),
        "effects": one.effects,
        "moves": {
            key: {"points": [list(point) for point in course.points], "shape": course.shape}
            for key, course in one.moves.items()
        },
    }


@command.command("add")
@_project
@click.argument("kind", type=click.Choice(_ADDS))
@click.argument("name")
@click.option("--source", help="Of a track: converted, instrumental, or a stem's name.")
@click.option("--voice", help="Of a track: who sings its stem; lead for the voice of the project.")
@click.option("--harmony", help="Of a track of the converted vocal: a second voice, as third_above.")
@click.option("--tracks", help="Of a group: which tracks go to it, with commas.")
@click.option("--group", help="Of a track or a group: the group that it goes to.")
@click.option("--copy-rack", metavar="CHANNEL", help="Begin with the rack of another channel.")
@json_option
def add(
    project: Path,
    kind: str,
    name: str,
    source: str | None,
    voice: str | None,
    harmony: str | None,
    tracks: str | None,
    group: str | None,
    copy_rack: str | None,
    as_json: bool,
) -> None:
    """Add a track, a group or a bus called NAME."""
    opened = load(project)
    told = {"source": source, "voice": voice, "harmony": harmony, "tracks": tracks, "group": group}
    wrong = [key for key, value in told.items() if value is not None and kind not in _MAY[key]]
    if wrong:
        raise UsageError(f"a {kind} has no --{wrong[0]}", hint=f"that is for: {', '.join(_MAY[wrong[0]])}")
    if kind == "track":
        known = _sources(opened)
        if source is None:
            raise UsageError("a track needs --source", hint=f"known: {', '.join(known)}")
        if source not in known:
            raise UsageError(f"'{source}' is not there", hint=nearest(source, known))
    row: dict[str, Any] = {"name": name}
    row |= {key: value for key, value in told.items() if value is not None and key != "tracks"}
    if copy_rack is not None:
        row["rack"] = rows_of(opened.document.values, owner_called(opened.cover, copy_rack).place)
    if kind == "group":
        _do(
            opened,
            AddGroup(row, tuple(one.strip() for one in (tracks or "").split(",") if one.strip())),
            as_json,
        )
    else:
        _do(opened, AddTrack(row) if kind == "track" else AddBus(row), as_json)


def _sources(project: Project) -> list[str]:
    """List what a track can play."""
    from covermaker.project.document import CONVERTED
    from covermaker.render.checks import INSTRUMENTAL, check

    return [CONVERTED, INSTRUMENTAL, *check(project).stems]


_MAY = {
    "source": ("track",),
    "voice": ("track",),
    "harmony": ("track",),
    "tracks": ("group",),
    "group": ("track", "group"),
}


@command.command("remove")
@_project
@click.argument("channel")
@json_option
def remove(project: Path, channel: str, as_json: bool) -> None:
    """Take CHANNEL away, and whatever names it: sends, groups, side chains, automation."""
    opened = load(project)
    owner = _channel(opened, channel)
    _do(opened, _REMOVES[owner.what](owner.name), as_json)


@command.command("move")
@_project
@click.argument("channel")
@click.option("--to", "number", type=int, help="Its number then among its like, counted from 1.")
@click.option("--before", metavar="CHANNEL", help="In front of this one, a channel of the same kind.")
@json_option
def move(project: Path, channel: str, number: int | None, before: str | None, as_json: bool) -> None:
    """Give CHANNEL another place among the tracks, the groups or the buses."""
    if (number is None) == (before is None):
        raise UsageError("say where to", hint="--to NUMBER, or --before CHANNEL")
    opened = load(project)
    owner = _channel(opened, channel)
    names = [one.name for one in owners(opened.cover) if one.what == owner.what]
    to = number - 1 if number is not None else _in_front(names, owner, _channel(opened, str(before)))
    _do(opened, MoveChannel(owner.place, to), as_json)


def _in_front(names: Sequence[str], owner: Owner, other: Owner) -> int:
    if other.what != owner.what:
        raise UsageError(
            f"'{other.name}' is a {other.what}, '{owner.name}' a {owner.what}",
            hint=f"name one of: {', '.join(names)}",
        )
    to = names.index(other.name)
    return to - (names.index(owner.name) < to)


@command.command("group")
@_project
@click.argument("channel")
@click.argument("group", required=False)
@json_option
def group_(project: Path, channel: str, group: str | None, as_json: bool) -> None:
    """Put CHANNEL into GROUP; without one, straight into the mix."""
    opened = load(project)
    place = f"{_channel(opened, channel, without='bus').place}.group"
    known = [one.name for one in opened.cover.groups]
    if group is not None and group not in known:
        hint = nearest(group, known) if known else f"make it: covermaker desk add PROJECT group {group}"
        raise UsageError(f"the project has no group '{group}'", hint=hint)
    _do(opened, ResetValue(place) if group is None else SetValue(place, group), as_json)


# A level may begin with a minus.
@command.command("send", context_settings={"ignore_unknown_options": True})
@_project
@click.argument("channel")
@click.argument("bus")
@click.argument("level")
@click.option("--pre/--post", default=None, help="Before the fader, or behind it.  [default: as it is]")
@json_option
def send(project: Path, channel: str, bus: str, level: str, pre: bool | None, as_json: bool) -> None:
    """Send CHANNEL to BUS at LEVEL in dB, or off."""
    opened = load(project)
    owner = _channel(opened, channel)
    known = [one.name for one in opened.cover.buses]
    if bus not in known:
        hint = nearest(bus, known) if known else f"make it: covermaker desk add PROJECT bus {bus}"
        raise UsageError(f"the project has no bus '{bus}'", hint=hint)
    if owner.what == "bus" and pre:
        raise UsageError("a bus sends behind its fader", hint="leave --pre out")
    level_db = None if level == "off" else _number(level, quantity(level, "dB"))
    _do(opened, SetSend(owner.place, bus, level_db, pre), as_json)


@command.command("automate", context_settings={"ignore_unknown_options": True})
@_project
@click.argument("target")
@click.argument("points", nargs=-1, metavar="[TIME=VALUE]...")
@click.option(
    "--shape",
    type=click.Choice(["linear", "smooth", "hold"]),
    help="From point to point.  [default: as it is]",
)
@click.option(
    "--add", "beside", is_flag=True, help="Keep the points that there are; one at the same time goes."
)
@click.option("--without", metavar="TIME", help="Take the point at TIME away.")
@click.option("--clear", is_flag=True, help="Let it stay what it is.")
@json_option
def automate(
    project: Path,
    target: str,
    points: tuple[str, ...],
    shape: str | None,
    beside: bool,
    without: str | None,
    clear: bool,
    as_json: bool,
) -> None:
    """Let TARGET move over the song: a value at a time each, as in 0:30=-6 1:12=0.

    TARGET is gain_db, pan, mute or a send of a channel, or a parameter of a rack: tracks.vocals.gain_db,
    groups.music.mute, tracks.vocals.sends.reverb, tracks.vocals.rack.eq.band1_db, buses.echo.rack.delay.bypass,
    tracks.vocals.rack.ZamCompX2.threshold_db; effects also by their numbers, counted from 1: master.rack.2.ratio.
    Without points it is shown.
    """
    opened = load(project)
    refuse_bare(target, opened)
    if clear and (points or shape or without):
        raise UsageError("--clear takes everything away", hint="leave the rest out")
    if clear:
        _do(opened, RemoveLane(target), as_json)
        return
    lane = lane_of(opened.document.values, target)
    before = lane["points"] if lane is not None else []
    if not points and shape is None and without is None:
        _show_lane(target, lane, as_json)
        return
    _refuse_still(target, opened)
    wanted = [_point(text, target, opened) for text in points]
    if beside or not points:
        found = list(before)
        for time, value in wanted:
            found = pointed(found, _seconds(time), value, within_seconds=_SAME_SECONDS)
    else:
        found = sorted((list(point) for point in wanted), key=lambda point: _seconds(point[0]))
    if without is not None:
        left = unpointed(found, parse_clock(without), within_seconds=_SAME_SECONDS)
        if left == found:
            known = ", ".join(clock(_seconds(time)) for time, _ in found) or "none"
            raise UsageError(f"{target} has no point at {without}", hint=f"points: {known}")
        found = left
    if lane is None and not found:
        raise UsageError(f"nothing moves at '{target}'", hint="give points, as in 0:30=-6 1:12=0")
    if not found:
        _do(opened, RemoveLane(target), as_json)
        return
    _do(opened, SetLane(target, found, shape or (lane or {}).get("shape", "linear")), as_json)


def _refuse_still(target: str, project: Project) -> None:
    """Refuse what cannot move before its points are read: a word is no number."""
    values = project.document.values
    setting, name = effect_at(parse_place(target, values), values)
    if setting is not None:
        with project.document.naming():
            refuse_still(setting, name, target)


def _show_lane(target: str, lane: dict[str, Any] | None, as_json: bool) -> None:
    if lane is None:
        show(None, as_json, f"{target} does not move: covermaker desk automate PROJECT {target} 0:30=VALUE")
        return
    shape = lane.get("shape", "linear")
    rows = [(clock(_seconds(time)), written(value)) for time, value in lane["points"]]
    show({"target": lane["target"], "points": lane["points"], "shape": shape}, as_json, "\n".join(
        [table(rows, header=("time", "value")), f"shape: {shape}"]
    ))  # fmt: skip


def _point(text: str, target: str, project: Project) -> tuple[float | str, float | bool]:
    """Read ``1:12=-3.5``, ``1:12=-3.5dB``, ``0=on``."""
    time, sign, value = text.partition("=")
    if not sign:
        raise UsageError(f"'{text}' is no point", hint="write time and value, as in 0:30=-6")
    seconds = parse_clock(time)
    number = _number(value, typed(target, value, project))
    return (time.strip() if ":" in time else seconds), number


def _number(text: str, read: object) -> float | bool:
    if isinstance(read, (bool, float, int)):
        return read
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"'{text}' is no value", hint="a number, as in -6; of switches on or off") from None


def _seconds(time: float | str) -> float:
    return parse_clock(time) if isinstance(time, str) else float(time)
