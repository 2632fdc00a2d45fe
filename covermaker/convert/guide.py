"""The melody of a MIDI file on the song's time, for pitch correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.errors import ProjectError, nearest
from covermaker.features.clock import FRAME_RATE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

EARLY_LATE_SECONDS = 0.15  # singers start before and end after what is written
_EXPORT_AGAIN = "is it a MIDI file? export it again, as a standard MIDI file of type 0 or 1"
_DRUMS = 9  # General MIDI's percussion channel, counted from 0


@dataclass(frozen=True, slots=True)
class GuideNote:
    """A note of the guide: MIDI number 0..127, from `start` to `stop` in seconds."""

    start: float
    stop: float
    number: int


def read_guide(path: Path, *, track: str | int | None = None) -> list[GuideNote]:
    """Read one track of a MIDI file, tempo changes included.

    Parameters
    ----------
    path : Path
        A standard MIDI file of type 0 or 1.
    track : str or int, optional
        Its name or number (from 0). By default the track whose notes sound for the longest time with no other of the
        same track beside them: a melody, not chords.

    Raises
    ------
    ProjectError
        When the file cannot be read, holds no notes, or has no such track.
    """
    import mido

    whose = f"the guide '{path.name}'"
    if not path.is_file():
        raise ProjectError(f"{whose} is not there", hint="check the path; it starts at the project")
    try:
        file = mido.MidiFile(path)
    except OSError as error:
        raise ProjectError(_unread(whose, error.strerror or str(error)), hint=_EXPORT_AGAIN) from error
    except EOFError as error:
        raise ProjectError(_unread(whose, "it ends too soon"), hint=_EXPORT_AGAIN) from error
    except (ValueError, KeyError, IndexError, mido.KeySignatureError) as error:
        raise ProjectError(_unread(whose, str(error)), hint=_EXPORT_AGAIN) from error
    if file.type == 2:
        raise ProjectError(
            f"{whose} is MIDI of type 2: its tracks share no clock", hint="export it as type 1"
        )
    if file.ticks_per_beat <= 0:
        raise ProjectError(f"{whose} counts time in film frames", hint="export it in beats")
    tempi = _tempi(file)
    found = {
        number: _track_notes(part, tempi, file.ticks_per_beat) for number, part in enumerate(file.tracks)
    }
    found = {number: notes for number, notes in found.items() if notes}
    if not found:
        raise ProjectError(f"{whose} holds no notes", hint="percussion does not count: export the melody")
    if track is None:
        return max(found.values(), key=_alone)
    names = {number: file.tracks[number].name.strip() for number in found}
    chosen = [number for number, name in names.items() if track in (number, name)]
    if not chosen:
        known = ", ".join(f"{number} ('{name}')" if name else str(number) for number, name in names.items())
        near = nearest(track, list(names.values())) if isinstance(track, str) else None
        raise ProjectError(
            f"{whose} has no notes on a track {track!r}", hint=near or f"tracks with notes: {known}"
        )
    return found[chosen[0]]


def guide_classes(notes: list[GuideNote], frames: int) -> NDArray[np.bool_]:
    """Return which pitch classes are allowed in each frame as (frames, 12), none away from all notes.

    A note counts `EARLY_LATE_SECONDS` longer on both sides; where two overlap, both are allowed.
    """
    allowed = np.zeros((frames, 12), dtype=bool)
    for note in notes:
        first = max(0, round((note.start - EARLY_LATE_SECONDS) * FRAME_RATE))
        last = round((note.stop + EARLY_LATE_SECONDS) * FRAME_RATE)
        allowed[first : last + 1, note.number % 12] = True
    return allowed


def _unread(whose: str, why: str) -> str:
    return f"{whose} cannot be read as MIDI: {why.rstrip('.') or 'it is damaged'}"


def _tempi(file: object) -> list[tuple[int, int]]:
    """Return (tick, microseconds a beat) in order, from all tracks."""
    changes = [(0, 500_000)]
    for track in file.tracks:  # type: ignore[attr-defined]
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "set_tempo":
                changes.append((tick, message.tempo))
    return sorted(changes, key=lambda change: change[0])


def _track_notes(track: object, tempi: list[tuple[int, int]], ticks_per_beat: int) -> list[GuideNote]:
    tick = 0
    sounding: dict[tuple[int, int], int] = {}
    spans: list[tuple[int, int, int]] = []
    for message in track:  # type: ignore[attr-defined]
        tick += message.time
        if message.type not in ("note_on", "note_off") or message.channel == _DRUMS:
            continue
        begun = sounding.pop((message.channel, message.note), None)
        if begun is not None and tick > begun:
            spans.append((begun, tick, message.note))
        if message.type == "note_on" and message.velocity > 0:
            sounding[message.channel, message.note] = tick
    if not spans:
        return []
    at = np.array(tempi, dtype=np.float64)
    lengths = np.diff(at[:, 0]) * at[:-1, 1]
    begins = np.concatenate([[0.0], np.cumsum(lengths)])  # microseconds x ticks_per_beat

    def seconds(value: int) -> float:
        part = int(np.searchsorted(at[:, 0], value, side="right")) - 1
        return float(begins[part] + (value - at[part, 0]) * at[part, 1]) / ticks_per_beat / 1e6

    return [GuideNote(seconds(begun), seconds(ended), note) for begun, ended, note in sorted(spans)]


def _alone(notes: list[GuideNote]) -> float:
    """Return for how many seconds exactly one note sounds, less those with several."""
    edges = sorted([(note.start, 1) for note in notes] + [(note.stop, -1) for note in notes])
    total, sounding, before = 0.0, 0, 0.0
    for at, step in edges:
        if sounding:
            total += (at - before) * (1.0 if sounding == 1 else -1.0)
        sounding, before = sounding + step, at
    return total
