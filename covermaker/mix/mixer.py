"""The mixer: tracks with gain, pan, mute, solo and sends, buses with a rack, one stereo sum.

Signal flow of a track: file (already through its own rack) → gain → pan → mix, and from the same point (post-fader)
→ send level → bus. A bus: sum of sends → rack → gain → balance → mix. As on a desk, any solo silences every track
that is not soloed, muting wins over solo, a silent track sends nothing, and buses are never silenced by a solo.
Sums are float64; the file is float32 stereo.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.effects.rack import Rack
from covermaker.errors import AudioInputError, ProjectError, nearest
from covermaker.mix.pan import place
from covermaker.progress import Progress, silent
from covermaker.units import db_to_gain, gain_to_db

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.audio.files import Writer
    from covermaker.effects.rack import EffectSettings

_BLOCK_FRAMES = 1 << 15
_TAIL_CAP_SECONDS = 10.0
_TAIL_FLOOR = 10.0 ** (-90.0 / 20.0)
_RINGING = 10.0 ** (-60.0 / 20.0)
_FADE_SECONDS = 0.010


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
class StripReport:
    """Level of one track or bus as it enters the mix, in dBFS; ``-inf`` for silence."""

    name: str
    audible: bool
    peak_dbfs: float
    rms_dbfs: float


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
    tail: Literal["song", "full"] = "song",
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
    _check(tracks, buses, sample_rate=sample_rate)
    soloed = any(track.solo for track in tracks)
    audible = [not track.mute and (track.solo or not soloed) for track in tracks]
    track_strips = [_Strip(track.name) for track in tracks]
    bus_strips = [_Strip(bus.name) for bus in buses]
    racks = [Rack(bus.rack, sample_rate=sample_rate, channels=2) for bus in buses]
    longest = frames + (round(_TAIL_CAP_SECONDS * sample_rate) if tail == "full" else 0)
    sources = [
        _cut(track, start=start, frames=longest, block_frames=block_frames) if heard else None
        for track, heard in zip(tracks, audible, strict=True)
    ]
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    with ExitStack() as stack:
        stack.callback(unfinished.unlink, missing_ok=True)
        with wav_writer(unfinished, sample_rate=sample_rate, channels=2) as writer:
            end = _End(writer, frames=frames, tail=tail, sample_rate=sample_rate)
            for at in range(0, longest, block_frames):
                count = min(block_frames, longest - at)
                mix = np.zeros((2, count))
                sends = [np.zeros((2, count)) for _ in buses]
                for track, strip, source in zip(tracks, track_strips, sources, strict=True):
                    if source is None:
                        continue
                    placed = place(next(source), gain=db_to_gain(track.gain_db), pan=track.pan)
                    strip.meter(placed, song_frames=frames - at)
                    mix += placed
                    for bus, into in zip(buses, sends, strict=True):
                        if bus.name in track.sends:
                            into += placed * db_to_gain(track.sends[bus.name])
                for bus, strip, rack, into in zip(buses, bus_strips, racks, sends, strict=True):
                    wet = rack.process(into.astype(np.float32))
                    if not bus.mute:
                        placed = place(wet, gain=db_to_gain(bus.gain_db), pan=bus.pan)
                        strip.meter(placed, song_frames=frames - at)
                        mix += placed
                end.push(mix.astype(np.float32))
                progress(min(1.0, (at + count) / max(frames, 1)))
            end.close()
        os.replace(unfinished, out)
    return MixReport(
        frames=writer.frames,
        tail_frames=writer.frames - frames,
        peak_dbfs=gain_to_db(end.peak),
        faded=end.faded,
        tracks=tuple(strip.report(heard) for strip, heard in zip(track_strips, audible, strict=True)),
        buses=tuple(strip.report(not bus.mute) for strip, bus in zip(bus_strips, buses, strict=True)),
        notes=tuple(_notes(tracks, buses, audible, end)),
    )
