"""Mixing: tracks, groups and buses to a stereo file, as a desk would.

Signal path of a track: file (already through the track's own rack), fader, pan, its group or the mix; sends to buses
leave after fader and pan, or before them. Groups and buses run their racks here, as streams, so memory holds blocks and
not songs. Sums are float64; the file is float32 stereo.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.beside import through
from covermaker.audio.files import probe, wav_writer
from covermaker.audio.stretch import StretchReader
from covermaker.errors import AudioInputError
from covermaker.mix.desk import Desk, Gathered
from covermaker.mix.ending import TAIL_CAP_SECONDS, Ending, Tail
from covermaker.mix.strip import StripReport
from covermaker.mix.strips import MUTE, groups_above
from covermaker.progress import Progress, silent
from covermaker.units import gain_to_db

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.audio.files import AudioInfo
    from covermaker.mix.strips import Strip

_BLOCK_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """What a track plays.

    Parameters
    ----------
    path : Path
        Mono or stereo, through the track's rack; it may be longer than the song (the rack's tail).
    offset : int
        Frame of the song at which the file's first frame stands: 0 for a file of the whole song, the region's start
        for a file that was already cut to a region.
    """

    path: Path
    offset: int = 0


@dataclass(frozen=True, slots=True)
class MixReport:
    """What the mix became.

    Parameters
    ----------
    frames : int
        Length of the file.
    tail_frames : int
        How many of them come after the song's end.
    peak_dbfs : float
        Of the mix; it may be above 0, the file is float.
    faded : bool
        Whether sound still rang at the end and was faded out over 10 ms.
    latency_samples : int
        How late plug-ins and lookahead made the desk; the file is in time.
    """

    frames: int
    tail_frames: int
    peak_dbfs: float
    faded: bool
    tracks: tuple[StripReport, ...]
    groups: tuple[StripReport, ...]
    buses: tuple[StripReport, ...]
    notes: tuple[str, ...]
    latency_samples: int = 0


def mix_tracks(
    strips: Sequence[Strip],
    sources: Mapping[str, Source],
    out: Path,
    *,
    sample_rate: int,
    frames: int,
    start: int = 0,
    tail: Tail = "song",
    block_frames: int = _BLOCK_FRAMES,
    progress: Progress = silent,
) -> MixReport:
    """Mix tracks, groups and buses to a float32 stereo WAV.

    Parameters
    ----------
    strips : sequence of Strip
        Mixed in this order, which fixes the rounding.
    sources : mapping of str to Source
        What each track plays.
    out : Path
        Replaced only when the whole mix is written.
    sample_rate : int
        In Hz; every file must have it.
    frames : int
        Length of the song, or of the wanted region.
    start : int
        First frame of the region.
    tail : {"song", "full"}
        ``"song"``: exactly `frames` long; what still rings above -60 dBFS there is faded out. ``"full"``: goes on until
        everything, files and buses, stays below -90 dBFS, at most 10 s.
    block_frames : int
        Memory against speed; the result does not depend on it.

    Raises
    ------
    ProjectError
        For a send to an unknown bus, a doubled name, a pan outside -1..1, sound that goes round in a circle.
    AudioInputError
        For a file with another rate, more than two channels, NaN or infinity.
    """
    if frames < 1:
        raise AudioInputError("the song has no samples to mix")
    desk = Desk(strips, sample_rate=sample_rate, start=start)
    infos = {name: _probe(name, source.path, sample_rate=sample_rate) for name, source in sources.items()}
    total = frames
    if tail == "full":
        lasting = [
            sources[strip.name].offset + infos[strip.name].frames - (start + frames)
            for strip in strips
            if strip.kind == "track" and desk.audible[strip.node]
        ]
        total += min(
            max(0, *lasting, 0) + math.ceil(desk.tail_seconds() * sample_rate),
            round(TAIL_CAP_SECONDS * sample_rate),
        )
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    with ExitStack() as stack:
        stack.callback(unfinished.unlink, missing_ok=True)
        readers = opened(desk, sources, stack, sample_rate=sample_rate, start=start)
        # Groups and buses work beside the reading, summing and writing of other blocks. Within a block the order of
        # the sums stays the same, and so do the bits.
        played = gathered(desk, readers, frames=total + desk.latency_samples, block_frames=block_frames)
        mixed = stack.enter_context(closing(through(lambda block: desk.mix(block).mix, played)))
        with wav_writer(unfinished, sample_rate=sample_rate, channels=2) as writer:
            ending = Ending(writer, frames=frames, tail=tail, sample_rate=sample_rate)
            early = desk.latency_samples
            done = 0
            for block in mixed:
                in_time = block[:, early:].astype(np.float32)
                early = max(0, early - block.shape[1])
                ending.push(in_time)
                done += in_time.shape[1]
                progress(done / total)
            ending.close()
        os.replace(unfinished, out)
    reports = {
        node: meter.report(audible=desk.audible[node], frames=frames) for node, meter in desk.meters.items()
    }
    return MixReport(
        frames=writer.frames,
        tail_frames=writer.frames - frames,
        peak_dbfs=gain_to_db(ending.peak),
        faded=ending.faded,
        tracks=tuple(report for (kind, _), report in reports.items() if kind == "track"),
        groups=tuple(report for (kind, _), report in reports.items() if kind == "group"),
        buses=tuple(report for (kind, _), report in reports.items() if kind == "bus"),
        notes=tuple(_notes(strips, desk, faded=ending.faded)),
        latency_samples=desk.latency_samples,
    )


def opened(
    desk: Desk, sources: Mapping[str, Source], stack: ExitStack, *, sample_rate: int, start: int
) -> dict[str, StretchReader]:
    """Open what a desk needs to hear, from frame `start` of the song on, until `stack` closes.

    Raises
    ------
    AudioInputError
        For a file with another rate or more than two channels.
    """
    readers = {}
    for name in desk.needed:
        _probe(name, sources[name].path, sample_rate=sample_rate)
        reader = StretchReader(sources[name].path, offset=sources[name].offset, start=start)
        readers[name] = stack.enter_context(closing(reader))
    return readers


def gathered(
    desk: Desk, readers: Mapping[str, StretchReader], *, frames: int, block_frames: int
) -> Iterator[Gathered]:
    """Yield the blocks of the next `frames`."""
    for at in range(0, frames, block_frames):
        count = min(block_frames, frames - at)
        yield desk.gather({name: reader.take(count) for name, reader in readers.items()}, count)


def _probe(name: str, path: Path, *, sample_rate: int) -> AudioInfo:
    info = probe(path)
    if info.sample_rate != sample_rate:
        raise AudioInputError(f"track '{name}' is at {info.sample_rate} Hz, the mix at {sample_rate} Hz")
    if info.channels > 2:
        raise AudioInputError(f"track '{name}' has {info.channels} channels, a track has one or two")
    return info


def _notes(strips: Sequence[Strip], desk: Desk, *, faded: bool) -> Iterator[str]:
    tracks = [strip for strip in strips if strip.kind == "track"]
    for strip in tracks:
        if strip.mute and MUTE not in strip.moves:
            yield f"{strip.name} is muted"
        elif not desk.audible[strip.node]:
            above = next((one.name for one in groups_above(strip, strips) if one.mute), None)
            yield (
                f"{strip.name} is silent because another track is soloed"
                if above is None
                else f"{strip.name} is silent because its group {above} is muted"
            )
    for strip in strips:
        if strip.kind != "track" and strip.mute and MUTE not in strip.moves:
            yield f"{strip.kind} {strip.name} is muted"
    yield from desk.notes()
    if not any(desk.audible[strip.node] for strip in tracks):
        yield "no track is audible, the mix is silent"
    if faded:
        yield "the song does not end in silence: its last 10 ms fade out"
