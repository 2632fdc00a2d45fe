"""A sung melody as a MIDI file: notes on the song's beats, what the voice does within them as pitch bend.

Standard MIDI file of type 1 (RP-001): a track with tempo and metre, a track with the melody. The range of the pitch
bend is told by RPN 0. Every note starts on the tick of its onset, so that a word a note can be written beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import replacing
from covermaker.export.tempo_map import TICKS_PER_BEAT, tempo_map
from covermaker.features.clock import FRAME_RATE
from covermaker.units import A4_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.features.notes import Note
    from covermaker.features.song.music import Music

VERSION = 1
TRACK_NAME = "melody"
_RANGES = (2, 12, 24)  # semitones of pitch bend; 2 is what every synthesizer has without being told
_CENTRE, _LEAST_STEP = 8192, 1.0  # of 14 bits; cents
_MAJOR = frozenset(["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"])
_MINOR = frozenset(["Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#"])
_MIDDLE_VELOCITY, _VELOCITY_PER_DB = 90, 2.0


def write_melody(
    file: Path,
    notes: Sequence[Note],
    f0_hz: NDArray[np.floating[Any]],
    music: Music,
    *,
    title: str = "",
) -> dict[str, Any]:
    """Write notes as MIDI.

    Parameters
    ----------
    file : Path
        Written whole or not at all.
    notes : sequence of Note
        In order, see `features.notes`.
    f0_hz : array (n,)
        The curve that they were read from.
    music : Music
        Tempo, metre and key.
    title : str
        Of the song.

    Returns
    -------
    dict
        ``bend_range`` in semitones, ``tempo_changes``.
    """
    import mido

    grid = tempo_map(music)
    bends = [_bends(note, f0_hz) for note in notes]
    wide = max((float(np.abs(bend).max()) for bend in bends if len(bend)), default=0.0)
    bend_range = next((one for one in _RANGES if one >= wide), _RANGES[-1])
    made = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    made.tracks.append(_conductor(grid, music, title))
    events = [(0, _named(TRACK_NAME)), *((0, message) for message in _bend_range(bend_range))]
    middle_db = float(np.median([note.level_db for note in notes])) if notes else 0.0
    for index, (note, bend) in enumerate(zip(notes, bends, strict=True)):
        start = grid.ticks(note.start_seconds)
        # A note is at least a tick long, and over before the next one begins.
        stop = max(start + 1, grid.ticks(note.stop_seconds))
        if index + 1 < len(notes):
            stop = max(start + 1, min(stop, grid.ticks(notes[index + 1].start_seconds)))
        number = min(max(note.number, 0), 127)
        velocity = round(_MIDDLE_VELOCITY + _VELOCITY_PER_DB * (note.level_db - middle_db))
        events += _bend_events(bend, note.start, start, stop, bend_range, grid)
        events.append((start, mido.Message("note_on", note=number, velocity=min(max(velocity, 20), 127))))
        events.append((stop, mido.Message("note_off", note=number, velocity=64)))
    made.tracks.append(_track(events))
    with replacing(file) as temporary:
        made.save(temporary)
    return {"bend_range": bend_range, "tempo_changes": len(grid.tempi)}


def _conductor(grid: Any, music: Music, title: str) -> Any:
    """Return the track of tempo, metre and key."""
    import mido

    events = [(0, _named(title))] if title else []
    events += [
        (tick, mido.MetaMessage("time_signature", numerator=beats, denominator=4))
        for tick, beats in grid.metres
    ]
    signature = _signature(music.key)
    if signature:
        events.append((0, mido.MetaMessage("key_signature", key=signature)))
    events += [(tick, mido.MetaMessage("set_tempo", tempo=length)) for tick, length in grid.tempi]
    events += [
        (grid.ticks(section.from_seconds), mido.MetaMessage("marker", text=section.name))
        for section in music.sections
    ]
    return _track(events)


def _signature(key: str | None) -> str:
    """Return a key as MIDI writes it, "" where MIDI has no such."""
    tonic, _, mode = (key or "").partition(" ")
    tonic = tonic.capitalize()
    known = {"major": _MAJOR, "minor": _MINOR}.get(mode, ())
    return tonic + ("m" if mode == "minor" else "") if tonic in known else ""


def _named(name: str) -> Any:
    import mido

    return mido.MetaMessage("track_name", name=name)


def _bend_range(semitones: int) -> list[Any]:
    """Return the messages that set the range of the pitch bend: RPN 0, then none."""
    import mido

    rows = ((101, 0), (100, 0), (6, semitones), (38, 0), (101, 127), (100, 127))
    return [mido.Message("control_change", control=control, value=value) for control, value in rows]


def _bends(note: Note, f0_hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return by how many semitones each frame of a note is off its number; gaps hold what came before."""
    f0 = np.asarray(f0_hz[note.start : note.stop], dtype=np.float64)
    known = np.flatnonzero(f0 > 0)
    if not len(known):
        return np.full(len(f0), note.pitch - note.number)
    off = 69.0 + 12.0 * np.log2(f0[known] / A4_HZ) - note.number
    held: NDArray[np.float64] = np.interp(np.arange(len(f0)), known, off)
    return held


def _bend_events(
    bend: NDArray[np.float64], first_frame: int, start: int, stop: int, bend_range: int, grid: Any
) -> list[tuple[int, Any]]:
    """Return the pitch bends of a note; the first stands before its beginning, on the same tick."""
    import mido

    values = np.clip(np.round(bend / bend_range * _CENTRE), -_CENTRE, _CENTRE - 1).astype(int)
    least = _LEAST_STEP / 100.0 / bend_range * _CENTRE
    events: list[tuple[int, Any]] = []
    last: int | None = None
    for frame, value in enumerate(values.tolist()):
        if last is not None and abs(value - last) < least:
            continue
        tick = start if last is None else grid.ticks((first_frame + frame) / FRAME_RATE)
        if last is None or start < tick < stop:
            events.append((tick, mido.Message("pitchwheel", pitch=value)))
            last = value
    return events


def _track(events: Sequence[tuple[int, Any]]) -> Any:
    """Return a track of (tick, message); of what is on one tick, notes end first, and the given order holds."""
    import mido

    track = mido.MidiTrack()
    at = 0
    for tick, message in sorted(events, key=lambda event: (event[0], event[1].type != "note_off")):
        track.append(message.copy(time=tick - at))
        at = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    return track
