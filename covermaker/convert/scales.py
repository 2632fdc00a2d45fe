"""Which notes a pitch may be drawn to: a key and its mode, a list of notes, or all twelve."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from covermaker.errors import ProjectError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

# Semitones above the tonic.
MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
}
CHROMATIC = "chromatic"
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_NOTE = re.compile(r"([A-Ga-g])([#♯b♭]?)")


def scale_classes(scale: str | Sequence[str]) -> frozenset[int]:
    """Return the pitch classes, 0 = C .. 11 = B, of a scale.

    Parameters
    ----------
    scale : str or sequence of str
        ``"chromatic"``, a tonic and a mode of `MODES` (``"F# minor"``, ``"Bb major"``), or notes: ``["C", "Eb", "G"]``
        or the same in one string, ``"C Eb G"``.

    Raises
    ------
    ProjectError
        When it is none of these.
    """
    if isinstance(scale, str):
        text = scale.strip()
        if text.lower() == CHROMATIC:
            return frozenset(range(12))
        first, _, rest = text.partition(" ")
        mode = " ".join(rest.lower().split())
        if mode in MODES:
            tonic = _pitch_class(first, scale)
            return frozenset((tonic + step) % 12 for step in MODES[mode])
        notes = [part for part in re.split(r"[\s,]+", text) if part]
        if len(notes) < 2 or not all(_NOTE.fullmatch(note) for note in notes[1:]):
            raise ProjectError(
                f"unknown scale '{scale}'",
                hint=(nearest(mode, list(MODES)) if mode else None)
                or "write a key ('C major'), 'chromatic', or notes ('C Eb G')",
            )
    else:
        notes = list(scale)
    if not notes:
        raise ProjectError("a scale needs at least one note")
    return frozenset(_pitch_class(note, scale) for note in notes)


def _pitch_class(note: str, scale: str | Sequence[str]) -> int:
    match = _NOTE.fullmatch(note.strip())
    if match is None:
        raise ProjectError(
            f"'{note}' is no note, in the scale {scale!r}", hint="C, F#, Bb …, without an octave"
        )
    return (_LETTERS[match[1].upper()] + _SIGNS[match[2]]) % 12
