"""Conversions between the units that names carry: dB, cents, Hz, MIDI notes, seconds, clock times."""

from __future__ import annotations

import math
import re

from covermaker.errors import UsageError

A4_HZ = 440.0
_NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_QUANTITY = re.compile(r"([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+))\s*(.*)", re.DOTALL)
# Other ways to write a unit, in lower case, and how much of it each is.
_WRITTEN: dict[str, dict[str, float]] = {
    "Hz": {"k": 1000.0, "khz": 1000.0},
    "ms": {"s": 1000.0, "sec": 1000.0, "msec": 1.0},
    "s": {"ms": 0.001, "sec": 1.0, "seconds": 1.0, "min": 60.0},
    "dBTP": {"db": 1.0},
    "LUFS": {"lu": 1.0, "lkfs": 1.0, "db": 1.0},
    "dB/oct": {"db": 1.0},
    "semitones": {"semitone": 1.0, "st": 1.0},
    "cents": {"cent": 1.0, "ct": 1.0},
    "°": {"deg": 1.0, "degrees": 1.0},
    ":1": {": 1": 1.0, "to 1": 1.0},
    "bit": {"bits": 1.0},
    "bpm": {},
}
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


def quantity(text: str, unit: str, *, of_one: bool = False) -> float | None:
    """Read a number with or without its unit: ``-6``, ``-6 dB``, ``1,2 kHz``, ``1.2 s`` of milliseconds, ``50 %``.

    Parameters
    ----------
    text : str
        As a person typed it.
    unit : str
        What the number is in; ``""`` for one without unit.
    of_one : bool
        Of a number without unit: whether a share of 1 may be written in percent.

    Returns
    -------
    float or None
        None where there is no number.

    Raises
    ------
    UsageError
        When the unit is another.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        return None
    number, written = float(match[1].replace(",", ".")), match[2].strip().lower()
    factor = 1.0 if written in ("", unit.lower()) else _WRITTEN.get(unit, {}).get(written)
    if factor is None and written == "%" and not unit and of_one:
        factor = 0.01
    if factor is None:
        wanted = f"write it in {unit}" if unit else "write the number alone"
        raise UsageError(f"'{text.strip()}' has the wrong unit", hint=wanted)
    # What binary fractions leave is dropped: 0.30000000000000004 is 0.3.
    return float(f"{number * factor:.10g}")


def share(fraction: float) -> str:
    """Write a share of the whole: ``62 %``; 100 % is all of it."""
    return f"{math.floor(100.0 * min(max(fraction, 0.0), 1.0) + 1e-9)} %"


def human_bytes(count: int) -> str:
    """Write a size as people read it: ``1.3 GB`` (decimal)."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000.0:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000.0
    return f"{size:.1f} TB"
