"""The steps that hear single channels of the finished desk: what each adds to the mix, and what racks make of a sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from covermaker.effects.rack import rack_params
from covermaker.errors import ProjectError
from covermaker.export.names import safe_name
from covermaker.graph.step import From
from covermaker.mix.strips import groups_above
from covermaker.progress import part
from covermaker.project.document import CONVERTED
from covermaker.render.finishing import part_tags, tags
from covermaker.render.patching import strips_of
from covermaker.render.steps import make_step
from covermaker.render.work import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from covermaker.graph.step import Report, Step, Work
    from covermaker.mix.strips import Node, Strip
    from covermaker.project.document import Cover
    from covermaker.render.checks import Checked
    from covermaker.render.mixing import Patch
    from covermaker.render.mixwork import Setting
    from covermaker.render.singers import Singer


@dataclass(frozen=True)
class Channel:
    """What a file of a channel is called, and whether a trained voice is heard in it."""

    name: str
    sung: bool


def mix_stems_step(checked: Checked, patch: Patch, mix: Step, singers: Mapping[str, Singer]) -> Step:
    """Write what each channel adds to the mix."""
    texts = part_tags(tags(checked, singers.values()))
    channels = _channels(checked, patch.setting.strips)
    # How the desk is set stands in the key of the mix, which is an input.
    params: dict[str, Any] = {
        "channels": {" ".join(node): [one.name, one.sung] for node, one in channels.items()},
        "tags": texts,
    }
    return make_step(
        "mix stems", "mix-stems", params, {**patch.inputs, "mix": From(mix, "mix.wav")},
        partial(mix_stems, setting=patch.setting, channels=channels, tags=texts),
    )  # fmt: skip


def bounces_step(patch: Patch, mix: Step) -> Step:
    """Keep what is behind the racks of groups and buses that another program cannot make itself; see `bounced`."""
    nodes = bounced(patch.setting.strips)
    return make_step(
        "bounces", "bounces", {"nodes": [list(node) for node in nodes]},
        {**patch.inputs, "mix": From(mix, "mix.wav")},
        partial(bounces, setting=patch.setting, nodes=nodes),
    )  # fmt: skip


def bounced(strips: Sequence[Strip]) -> list[Node]:
    """List the groups and buses that only a recording can stand for in another program.

    Those whose rack does anything; and buses that hear a channel which is silent there, because it stands in such a
    group and so is in its recording already.
    """
    found = {strip.node for strip in strips if rack_params(strip.rack, strip.rack_moves)}
    found |= {("bus", name) for strip in strips if silenced(strip, strips, found) for name in strip.sends}
    return [strip.node for strip in strips if strip.node in found]


def silenced(strip: Strip, strips: Sequence[Strip], bounced: set[Node]) -> bool:
    """Tell whether a channel is in the recording of a group above it."""
    return any(group.node in bounced for group in groups_above(strip, strips))


def bounce_name(node: Node) -> str:
    """Return the name of the file that `bounces` makes of a group or a bus."""
    return f"{node[0]} {node[1]}.wav"


def mix_stems(
    work: Work, *, setting: Setting, channels: Mapping[Node, Channel], tags: Mapping[str, str]
) -> Report:
    """Tracks, groups, buses and the mix -> one file for each that enters it; their sum is the mix."""
    from covermaker.export.labels import Labels
    from covermaker.export.mix_stems import write_mix_stems
    from covermaker.mix.parts import Part, entering

    nodes = [strip.node for strip in entering(setting.strips)]
    if not nodes:
        raise ProjectError(
            "no channel is audible, so the mix has no stems", hint="take the mutes away, or one of them"
        )
    mix, raw = work.inputs["mix"], work.folder / ".raw"
    raw.mkdir()
    files: dict[Path, Path] = {}
    labels: dict[Path, Labels] = {}
    parts: dict[Path, Part] = {}
    for number, node in enumerate(nodes):
        channel = channels[node]
        file = work.folder / f"{safe_name(channel.name)}.wav"
        files[file] = raw / f"{number}.wav"
        parts[files[file]] = Part(node)
        own = {name: text for name, text in tags.items() if channel.sung or name != "comment"}
        labels[file] = Labels({**own, "title": f"{tags.get('title', '')} ({channel.name})".strip()})
    try:
        _write_parts(work, setting, parts, until=0.7)
        done = write_mix_stems(files, mix, labels=labels, progress=part(work.progress, 0.7, 1.0))
    finally:
        for file in files.values():
            file.unlink(missing_ok=True)
        raw.rmdir()
    return {**plain(done), "notes": _notes(done.error_steps)}


def bounces(work: Work, *, setting: Setting, nodes: Sequence[Node]) -> Report:
    """Tracks, groups, buses and the mix -> what is behind the racks of `nodes`, in a file each, if they are heard."""
    from covermaker.mix.parts import Part
    from covermaker.mix.strips import sounding

    sounds = sounding(setting.strips)
    heard = [node for node in nodes if sounds[node]]
    parts = {work.folder / bounce_name(node): Part(node, racked=True) for node in heard}
    if parts:
        _write_parts(work, setting, parts, until=1.0)
    return {"bounced": [list(node) for node in heard]}


def _write_parts(work: Work, setting: Setting, parts: Mapping[Path, Any], *, until: float) -> None:
    from covermaker.mix.parts import write_parts

    _, start, _ = setting.span(work)
    strips, _ = setting.strips_in_time(work)
    write_parts(
        strips, setting.sources(work, start), work.inputs["mix"], parts,
        start=start, progress=part(work.progress, 0.0, until),
    )  # fmt: skip


def _notes(error_steps: float) -> list[str]:
    if error_steps <= 1.0:
        return []
    return [
        f"the stems differ from the mix by up to {error_steps:.0f} steps of 24 bits: an effect does not sound the same "
        "twice"
    ]


def _channels(checked: Checked, numbered: Sequence[Strip]) -> dict[Node, Channel]:
    """Name the channels of the desk, whose tracks are numbered."""
    cover = checked.project.cover
    strips = strips_of(cover, checked.racks, checked.lanes)
    names, sung = channel_names(strips), sung_channels(cover, strips)
    return {
        desk.node: Channel(names[strip.node], strip.node in sung)
        for desk, strip in zip(numbered, strips, strict=True)
    }


def channel_names(strips: Sequence[Strip]) -> dict[Node, str]:
    """Return the channels' names as names of files; a bus may have the name of another channel."""
    taken = {strip.name for strip in strips if strip.kind != "bus"}
    return {
        strip.node: f"{strip.name} (bus)" if strip.kind == "bus" and strip.name in taken else strip.name
        for strip in strips
    }


def sung_channels(cover: Cover, strips: Sequence[Strip]) -> set[Node]:
    """Return the channels in which a trained voice may be heard: they are marked as such."""
    found: set[Node] = {
        ("track", track.name)
        for track in cover.tracks
        if track.source == CONVERTED or track.voice is not None
    }
    while True:
        before = len(found)
        for strip in strips:
            if strip.node in found:
                found |= {("bus", name) for name in strip.sends}
                found |= {group.node for group in groups_above(strip, strips)}
        if len(found) == before:
            return found
