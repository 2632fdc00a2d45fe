"""Conversions between the units that names carry: dB, cents, Hz, MIDI notes, seconds, clock times."""

from __future__ import annotations

import math
import re

from covermaker.errors import UsageError

A4_HZ = 440.0
_NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
CLOCK_PATTERN = r"^(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$"


def db_to_gain(db: float) -> float:
    """Return the amplitude factor of a level in dB; ``-inf`` is 0."""
    return 0.0 if db == -math.inf else float(10.0 ** (db / 20.0))


def gain_to_db(gain: float) -> float:
    """Return the level in dB of an amplitude factor; 0 and below is ``-inf``."""
    return 20.0 * math.log10(gain) if gain > 0.0 else -math.inf


def hz_to_midi(hz: float) -> float:
    """Return the (fractional) MIDI note number of a frequency; A4 = 440 Hz = 69."""
    return 69.0 + 12.0 * math.log2(hz / A4_HZ)


def note_name(hz: float) -> str:
    """Return the nearest note's name: ``note_name(440.0) == "A4"``."""
    number = round(hz_to_midi(hz))
    return f"{_NOTES[number % 12]}{number // 12 - 1}"


def cents(hz: float, reference_hz: float) -> float:
    """Return the interval from `reference_hz` up to `hz` in cents."""
    return 1200.0 * math.log2(hz / reference_hz)


def clock(seconds: float) -> str:
    """Write a duration as people read it: ``3:07``, ``1:02:09``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"


def parse_clock(text: str) -> float:
    """Read ``"12.5"``, ``"0:30"`` or ``"1:02:09"`` as seconds.

    Raises
    ------
    UsageError
        When the text is no time.
    """
    match = re.fullmatch(CLOCK_PATTERN, text.strip())
    if match is None:
        raise UsageError(f"'{text}' is no time", hint="write seconds or m:ss, as in 0:30")
    hours, minutes, seconds = match.groups(default="0")
    return int(hours) * 3600.0 + int(minutes) * 60.0 + float(seconds)


def human_bytes(count: int) -> str:
    """Write a size as people read it: ``1.3 GB`` (decimal)."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000.0:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000.0
    return f"{size:.1f} TB"
