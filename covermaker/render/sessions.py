"""A project as a session of another program; see `covermaker.export.session`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.audio.files import probe
from covermaker.errors import UsageError
from covermaker.export import dawproject, reaper
from covermaker.export.files import export_file
from covermaker.export.label_track import section_labels
from covermaker.export.names import safe_name
from covermaker.export.session import Channel, Clip, Send, Session
from covermaker.export.tempo_map import tempo_map
from covermaker.features.song.music import read_music
from covermaker.mix.ending import fade_frames
from covermaker.mix.strips import GAIN, MUTE, PAN
from covermaker.render.finishing import part_tags
from covermaker.render.music import FILE_NAME, told
from covermaker.render.parting import bounce_name, bounced, channel_names, silenced, sung_channels
from covermaker.render.patching import strips_of
from covermaker.render.settling import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from covermaker.effects.rack import EffectSettings
    from covermaker.graph.step import Step
    from covermaker.graph.store import Entry
    from covermaker.mix.strips import Node, Strip
    from covermaker.project.document import Master
    from covermaker.render.pipeline import River

MEDIA = "media"  # folder of a session's clips, beside it
_TABLES = {"track": "tracks", "group": "groups", "bus": "buses"}


def session_steps(river: River) -> list[Step]:
    """List the steps that a session is made of: music, mix, recordings of groups and buses, and the tracks."""
    tracks = dict.fromkeys(source.step for source in river.patch.tracks.values())
    return [river.music, river.mix, river.bounces, *tracks]


def read_session(river: River, entries: Mapping[str, Entry]) -> Session:
    """Return the session of a project whose `session_steps` are made; `entries` are theirs by key."""
    checked, cover = river.checked, river.checked.project.cover
    mix = entries[river.mix.key]
    info = probe(mix.folder / "mix.wav")
    music = told(read_music(entries[river.music.key].folder / FILE_NAME), cover)
    strips = _strips(river)
    recorded = set(bounced(strips))
    fade = fade_frames(info.sample_rate) / info.sample_rate if mix.meta["report"]["faded"] else 0.0
    names = channel_names(strips)
    channels = []
    for strip in strips:
        source = _source(river, entries, strip)
        rack = checked.racks[_TABLES[strip.kind], strip.name]
        clip = None
        if source is not None:
            held = probe(source)
            clip = Clip(
                source, f"{safe_name(names[strip.node])}.wav", held.sample_rate, held.channels, held.seconds,
                sounds=not silenced(strip, strips, recorded),
                # A recording fades as the mix does already.
                fade_seconds=fade if strip.kind == "track" else 0.0,
            )  # fmt: skip
        channels.append(_channel(strip, recorded, rack, clip))
    return Session(
        title=cover.title,
        sample_rate=info.sample_rate,
        seconds=info.seconds,
        channels=channels,
        tempo=tempo_map(music),
        sections=section_labels(music),
        tags=part_tags(river.export.params["tags"]),
        notes=_notes(channels, recorded, cover.master, checked.racks["master",]),
    )


def _source(river: River, entries: Mapping[str, Entry], strip: Strip) -> Path | None:
    """Return what a channel plays; nothing for a group or a bus that is mixed there, or that nothing comes out of."""
    if strip.kind == "track":
        source = river.patch.tracks[strip.name]
        return entries[source.step.key].folder / source.file
    file = entries[river.bounces.key].folder / bounce_name(strip.node)
    return file if file.is_file() else None


def _channel(strip: Strip, recorded: set[Node], rack: Sequence[EffectSettings], clip: Clip | None) -> Channel:
    sends = [
        Send(
            bus,
            gain_db,
            bus in strip.pre_fader,
            ("bus", bus) not in recorded,
            strip.moves.get(f"sends.{bus}"),
        )
        for bus, gain_db in strip.sends.items()
    ]
    return Channel(
        name=strip.name,
        kind=strip.kind,
        gain_db=strip.gain_db,
        pan=strip.pan,
        mute=strip.mute,
        solo=strip.solo,
        group=strip.group,
        sends=sends,
        moves={name: strip.moves[name] for name in (GAIN, PAN, MUTE) if name in strip.moves},
        rack=rack,
        clip=clip,
    )


def _notes(
    channels: Sequence[Channel], recorded: set[Node], master: Master, rack: Sequence[EffectSettings]
) -> list[str]:
    """Tell the person who opens a session what it is."""
    notes = ["What tracks play comes from behind their effects; faders, pans and sends are live."]
    names = [f"{kind} '{name}'" for kind, name in sorted(recorded)]
    if names:
        notes.append(
            f"Recordings stand for {', '.join(names)}: sends to them, and clips inside them, are off, since they are "
            "in them."
        )
    notes += [
        f"{channel.kind} '{channel.name}' is behind: {channel.effects()}."
        for channel in channels
        if channel.rack
    ]
    loudness = master.loudness_lufs
    level = f"{loudness:g} LUFS" if isinstance(loudness, float) else f"loudness '{loudness}'"
    effects = Channel(name="master", rack=rack).effects()
    behind = f" behind: {effects}" if effects else ""
    notes.append(f"The master is not in it: {level}, at most {master.true_peak_dbtp:g} dBTP{behind}.")
    return notes


def reaper_file(river: River, out: Path) -> Path:
    """Return where `write_reaper_session` writes to."""
    return out / "reaper" / f"{safe_name(river.checked.project.cover.title)}{reaper.SUFFIX}"


def write_reaper_session(river: River, entries: Mapping[str, Entry], out: Path) -> list[Path]:
    """Write a project as a REAPER project with its clips beside it; return the files, the project first.

    Clips of channels that are gone go, where they are as they were written.
    """
    session, file = read_session(river, entries), reaper_file(river, out)
    hashes: dict[Path, str] = {}
    sung = sung_channels(river.checked.project.cover, _strips(river))
    written = [file]
    for channel in session.channels:
        if channel.clip:
            texts = {"title": f"{session.title} ({channel.name})"}
            if (channel.kind, channel.name) in sung:
                texts = {**session.tags, **texts}
            clip = file.parent / MEDIA / channel.clip.file
            made = export_file(channel.clip.source, clip, format="wav32f", tags=texts, seed=0)
            hashes[clip] = made.sha256
            written.append(clip)
    reaper.write_reaper(session, file, media=MEDIA)
    settle(river.checked.project.hidden, file.parent / MEDIA, hashes)
    return written


def dawproject_file(river: River, out: Path) -> Path:
    """Return where `write_dawproject_session` writes to."""
    return out / f"{safe_name(river.checked.project.cover.title)}{dawproject.SUFFIX}"


def write_dawproject_session(river: River, entries: Mapping[str, Entry], out: Path) -> list[Path]:
    """Write a project as a DAWproject; return its file."""
    file = dawproject_file(river, out)
    dawproject.write_dawproject(read_session(river, entries), file)
    return [file]


def refuse_foreign(file: Path, is_ours: Callable[[Path], bool]) -> None:
    """Refuse to write over a session that another program has saved.

    Raises
    ------
    UsageError
        With the way around it.
    """
    if file.exists() and not is_ours(file):
        raise UsageError(
            f"'{file}' has been saved by another program since",
            hint="--out elsewhere, or --force to replace it",
        )


def _strips(river: River) -> list[Strip]:
    checked = river.checked
    return strips_of(checked.project.cover, checked.racks, checked.lanes)
