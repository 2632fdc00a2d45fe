"""Note lengths: what follows the tempo of the song.

An effect that can has a choice `sync`: a note length, or ``"off"``. It works by its own `time_ms` or `rate_hz`; whoever
knows the tempo puts the synced value there before the effect is made.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.effects.spec import Value

SYNC_OFF = "off"

# Lengths in quarter notes; d is dotted, t a triplet.
_BASES = {"1/1": 4.0, "1/2": 2.0, "1/4": 1.0, "1/8": 0.5, "1/16": 0.25, "1/32": 0.125}
_KINDS = {"": 1.0, "d": 1.5, "t": 2.0 / 3.0}
_QUARTERS = {
    f"{base}{kind}": length * part for base, length in _BASES.items() for kind, part in _KINDS.items()
}

SYNCS: tuple[str, ...] = (SYNC_OFF, *_QUARTERS)


def is_synced(values: Mapping[str, Value]) -> bool:
    """Tell whether an effect with these values follows the tempo."""
    return values.get("sync", SYNC_OFF) != SYNC_OFF


def synced_ms(sync: str, tempo_bpm: float) -> float:
    """Return how long a note lasts, in ms, at `tempo_bpm` quarter notes a minute.

    Raises
    ------
    ValueError
        When `sync` is no note length, or the tempo no positive number.
    """
    if sync not in _QUARTERS:
        raise ValueError(f"'{sync}' is no note length")
    if not (math.isfinite(tempo_bpm) and tempo_bpm > 0.0):
        raise ValueError(f"a tempo of {tempo_bpm} beats a minute")
    return _QUARTERS[sync] * 60000.0 / tempo_bpm


def with_tempo(values: Mapping[str, Value], tempo_bpm: float) -> dict[str, Value]:
    """Return the values of an effect with its `time_ms`, or `rate_hz`, set to the tempo if it is synced."""
    filled = dict(values)
    if is_synced(values):
        note_ms = synced_ms(str(values["sync"]), tempo_bpm)
        if "time_ms" in values:
            filled["time_ms"] = note_ms
        if "rate_hz" in values:
            filled["rate_hz"] = 1000.0 / note_ms
    return filled
