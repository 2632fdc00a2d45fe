"""The mixer: tracks with gain, pan, mute, solo and sends, buses with a rack, one stereo sum.

Signal flow of a track: file (already through its own rack) → gain → pan → mix, and from the same point (post-fader)
→ send level → bus. A bus: sum of sends → rack → gain → balance → mix. As on a desk, any solo silences every track
that is not soloed, muting wins over solo, a silent track sends nothing, and buses are never silenced by a solo.
Sums are float64; the file is float32 stereo.
"""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from covermaker.audio.beside import through
from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.effects.rack import Rack
from covermaker.errors import AudioInputError, ProjectError, nearest
from covermaker.mix.ending import TAIL_CAP_SECONDS, Ending, Tail
from covermaker.mix.pan import place
from covermaker.mix.strip import StripMeter, StripReport
from covermaker.progress import Progress, silent
from covermaker.units import db_to_gain, gain_to_db

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.audio.files import AudioInfo
    from covermaker.effects.rack import EffectSettings

_BLOCK_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackInput:
    """One track.

    Parameters
    ----------
    name : str
        As the project calls it.
    path : Path
        Mono or stereo file, already through the track's rack; it may be longer than the song (the rack's tail).
    gain_db : float
        Fader.
    pan : float
        -1 (left) to 1 (right); see `covermaker.mix.pan`.
    mute, solo : bool
        As on a desk.
    sends : mapping of str to float
        Bus name to level in dB, after fader and pan.
    offset : int
        Frame of the song at which the file's first frame stands: 0 for a file of the whole song, the region's start
        for a file that was already cut to a region.
    """

    name: str
    path: Path
    gain_db: float = 0.0
    pan: float = 0.0
    mute: bool = False
    solo: bool = False
    sends: Mapping[str, float] = field(default_factory=dict)
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BusInput:
    """One send bus: its rack should return wet sound only."""

    name: str
    rack: Sequence[EffectSettings] = ()
    gain_db: float = 0.0
    pan: float = 0.0
    mute: bool = False


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
    """

    frames: int
    tail_frames: int
    peak_dbfs: float
    faded: bool
    tracks: tuple[StripReport, ...]
    buses: tuple[StripReport, ...]
    notes: tuple[str, ...]


def mix_tracks(
    tracks: Sequence[TrackInput],
    buses: Sequence[BusInput],
    out: Path,
    *,
    sample_rate: int,
    frames: int,
    start: int = 0,
    tail: Tail = "song",
    block_frames: int = _BLOCK_FRAMES,
    progress: Progress = silent,
) -> MixReport:
    """Mix tracks and buses to a float32 stereo WAV.

    Parameters
    ----------
    tracks, buses : sequences
        Mixed in this order, which fixes the rounding.
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
        For a send to an unknown bus, a doubled name or a pan outside -1..1.
    AudioInputError
        For a file with another rate, more than two channels, NaN or infinity.
    """
    _check(tracks, buses, frames=frames)
    infos = [_probe(track, sample_rate=sample_rate) for track in tracks]
    soloed = any(track.solo for track in tracks)
    audible = [not track.mute and (track.solo or not soloed) for track in tracks]
    racks = [Rack(bus.rack, sample_rate=sample_rate, channels=2) for bus in buses]
    total = frames
    if tail == "full":
        lasting = [
            track.offset + info.frames - (start + frames)
            for track, info, heard in zip(tracks, infos, audible, strict=True)
            if heard
        ]
        ringing = max((rack.tail_seconds() for rack in racks), default=0.0)
        total += min(
            max(0, *lasting) + math.ceil(ringing * sample_rate), round(TAIL_CAP_SECONDS * sample_rate)
        )
    # A bus that nothing is sent to stays silent, whatever its rack.
    fed = {name for track, heard in zip(tracks, audible, strict=True) if heard for name in track.sends}
    fed -= {bus.name for bus in buses if bus.mute}
    track_meters = [StripMeter(track.name) for track in tracks]
    bus_meters = [StripMeter(bus.name) for bus in buses]
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    with ExitStack() as stack:
        stack.callback(unfinished.unlink, missing_ok=True)
        sources = [
            stack.enter_context(
                closing(_cut(track, info, start=start, frames=total, block_frames=block_frames))
            )
            for track, info in zip(tracks, infos, strict=True)
        ]
        heard_ones = [
            (track, meter, source)
            for track, meter, source, heard in zip(tracks, track_meters, sources, audible, strict=True)
            if heard
        ]
        fed_ones = [
            (bus, meter, rack)
            for bus, meter, rack in zip(buses, bus_meters, racks, strict=True)
            if bus.name in fed
        ]
        # The buses work beside the reading, summing and writing of other blocks. Within a block the order of the sums
        # stays the same, and so do the bits.
        summed = _summed(heard_ones, fed, frames=total, block_frames=block_frames)
        mixed = stack.enter_context(closing(through(lambda block: _with_buses(*block, fed_ones), summed)))
        with wav_writer(unfinished, sample_rate=sample_rate, channels=2) as writer:
            ending = Ending(writer, frames=frames, tail=tail, sample_rate=sample_rate)
            done = 0
            for block in mixed:
                ending.push(block)
                done += block.shape[1]
                progress(done / total)
            ending.close()
        os.replace(unfinished, out)
    return MixReport(
        frames=writer.frames,
        tail_frames=writer.frames - frames,
        peak_dbfs=gain_to_db(ending.peak),
        faded=ending.faded,
        tracks=tuple(
            meter.report(audible=heard, frames=frames)
            for meter, heard in zip(track_meters, audible, strict=True)
        ),
        buses=tuple(
            meter.report(audible=not bus.mute, frames=frames)
            for meter, bus in zip(bus_meters, buses, strict=True)
        ),
        notes=tuple(_notes(tracks, buses, audible, faded=ending.faded)),
    )


def _summed(
    tracks: Sequence[tuple[TrackInput, StripMeter, Iterator[Samples]]],
    fed: Set[str],
    *,
    frames: int,
    block_frames: int,
) -> Iterator[tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]]:
    """Yield for each block the sum of the tracks and what goes to each of the buses `fed`."""
    for at in range(0, frames, block_frames):
        count = min(block_frames, frames - at)
        mix = np.zeros((2, count))
        sends = {name: np.zeros((2, count)) for name in fed}
        for track, meter, source in tracks:
            placed = place(next(source), gain=db_to_gain(track.gain_db), pan=track.pan)
            meter.push(placed)
            mix += placed
            for name in fed & track.sends.keys():
                sends[name] += placed * db_to_gain(track.sends[name])
        yield mix, sends


def _with_buses(
    mix: NDArray[np.float64],
    sends: Mapping[str, NDArray[np.float64]],
    buses: Sequence[tuple[BusInput, StripMeter, Rack]],
) -> Samples:
    """Return a finished block: the sum of its tracks and the buses."""
    for bus, meter, rack in buses:
        wet = rack.process(sends[bus.name].astype(np.float32))
        placed = place(wet, gain=db_to_gain(bus.gain_db), pan=bus.pan)
        meter.push(placed)
        mix += placed
    return mix.astype(np.float32)


def _check(tracks: Sequence[TrackInput], buses: Sequence[BusInput], *, frames: int) -> None:
    if frames < 1:
        raise AudioInputError("the song has no samples to mix")
    bus_names = [bus.name for bus in buses]
    for kind, names in (("tracks", [track.name for track in tracks]), ("buses", bus_names)):
        for name in names:
            if names.count(name) > 1:
                raise ProjectError(f"two {kind} are called '{name}'", hint="give each its own name")
    strips: list[TrackInput | BusInput] = [*tracks, *buses]
    for strip in strips:
        if not -1.0 <= strip.pan <= 1.0:
            raise ProjectError(f"'{strip.name}' has pan {strip.pan:g}, it must be -1 (left) to 1 (right)")
    for track in tracks:
        for name in track.sends:
            if name not in bus_names:
                raise ProjectError(
                    f"track '{track.name}' sends to '{name}', which is no bus", hint=nearest(name, bus_names)
                )


def _probe(track: TrackInput, *, sample_rate: int) -> AudioInfo:
    info = probe(track.path)
    if info.sample_rate != sample_rate:
        raise AudioInputError(
            f"track '{track.name}' is at {info.sample_rate} Hz, the mix at {sample_rate} Hz"
        )
    if info.channels > 2:
        raise AudioInputError(f"track '{track.name}' has {info.channels} channels, a track has one or two")
    return info


def _cut(
    track: TrackInput, info: AudioInfo, *, start: int, frames: int, block_frames: int
) -> Generator[Samples, None, None]:
    """Yield `frames` of the song from `start` in blocks, with silence where the file has nothing."""
    first = start - track.offset  # the file's frame at the region's start
    begin = min(max(first, 0), info.frames)
    lead = min(max(-first, 0), frames)
    body = min(info.frames - begin, frames - lead)
    pieces = chain(
        _silence(lead, channels=info.channels, block_frames=block_frames),
        blocks(track.path, block_frames=block_frames, start=begin, frames=body),
        _silence(frames - lead - body, channels=info.channels, block_frames=block_frames),
    )
    held = np.zeros((info.channels, 0), np.float32)
    for piece in pieces:
        held = np.concatenate([held, piece], axis=1)
        while held.shape[-1] >= block_frames:
            yield held[:, :block_frames]
            held = held[:, block_frames:]
    if held.shape[-1]:
        yield held


def _silence(frames: int, *, channels: int, block_frames: int) -> Iterator[Samples]:
    for at in range(0, frames, block_frames):
        yield np.zeros((channels, min(block_frames, frames - at)), np.float32)


def _notes(
    tracks: Sequence[TrackInput], buses: Sequence[BusInput], audible: Sequence[bool], *, faded: bool
) -> Iterator[str]:
    for track, heard in zip(tracks, audible, strict=True):
        if track.mute:
            yield f"{track.name} is muted"
        elif not heard:
            yield f"{track.name} is silent because another track is soloed"
    for bus in buses:
        if bus.mute:
            yield f"bus {bus.name} is muted"
    if not any(audible):
        yield "no track is audible, the mix is silent"
    if faded:
        yield "the song does not end in silence: its last 10 ms fade out"
