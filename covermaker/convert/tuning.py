"""Pitch correction: a sung curve is drawn towards the notes of a scale or of a MIDI melody, as far as one asks.

What is corrected is a note's centre, not its every moment. First the curve is read as notes: the cheapest path
through the allowed ones (Viterbi), where a frame costs its distance in semitones and a change of note costs
`CHANGE_COST`, so neither vibrato nor a slide is taken for notes of its own. Then, inside each note, the curve's
running mean over the retune time is moved onto the note. What is quicker than that, vibrato above all, stays; with a
retune time of 0 nothing stays. A target is the allowed note next to what is sung, so nothing ever moves by an octave;
a guide's notes are taken in the singer's octave.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from covermaker.convert.guide import guide_classes, read_guide
from covermaker.convert.scales import CHROMATIC, scale_classes
from covermaker.errors import ProjectError
from covermaker.features.clock import FRAME_RATE
from covermaker.units import A4_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CHANGE_COST = (
    4.5  # semitones x frames: half a vibrato of +-1 (3.9) is no note, 100 ms a semitone away are one
)
LOWEST_A4_HZ, HIGHEST_A4_HZ = 400.0, 480.0
LONGEST_RETUNE_MS = 1_000.0
_EASE_FRAMES = 2  # a correction changes over 40 ms from one note to the next
_CLEAR_TUNING = 0.15  # mean resultant length from which a singer's tuning counts as told
_NOTES = 128


@dataclass(frozen=True, slots=True)
class PitchCorrection:
    """What a person may set; the names are those of ``[convert.pitch_correction]``.

    Parameters
    ----------
    strength : float
        0..1: share of each note's error that is taken away; 0 leaves the pitch as it is.
    scale : str or sequence of str
        See `scale_classes`. Not read when there is a guide.
    guide : Path, optional
        A MIDI file whose melody lies on the song's time.
    guide_track : str or int, optional
        Name or number of its track; by default the one with most notes sung one at a time.
    retune_ms : float
        0..1000. What changes quicker than this stays: 200 keeps vibrato, 0 is the hard effect.
    a4_hz : float or "auto"
        Tuning of A4, 400..480 Hz; ``"auto"`` asks `detect_a4_hz`.

    Raises
    ------
    ProjectError
        When a value is out of its range or the scale unknown.
    """

    strength: float = 0.0
    scale: str | Sequence[str] = CHROMATIC
    guide: Path | None = None
    guide_track: str | int | None = None
    retune_ms: float = 200.0
    a4_hz: float | Literal["auto"] = A4_HZ
    classes: frozenset[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, high in (("strength", 1.0), ("retune_ms", LONGEST_RETUNE_MS)):
            value = getattr(self, name)
            if not 0.0 <= value <= high:
                raise ProjectError(f"convert.pitch_correction.{name} must lie in 0..{high:g}, not {value:g}")
        if self.a4_hz != "auto" and not LOWEST_A4_HZ <= self.a4_hz <= HIGHEST_A4_HZ:
            raise ProjectError(
                f"convert.pitch_correction.a4_hz must be 'auto' or lie in {LOWEST_A4_HZ:g}..{HIGHEST_A4_HZ:g}, "
                f"not {self.a4_hz:g}"
            )
        object.__setattr__(self, "classes", scale_classes(self.scale))


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected curve.

    Parameters
    ----------
    f0_hz : float64 array (n,)
        0 stays 0.
    a4_hz : float
        The tuning that was used.
    median_cents, largest_cents : float
        Of what was moved, absolute, over voiced frames.
    """

    f0_hz: NDArray[np.float64]
    a4_hz: float
    median_cents: float
    largest_cents: float


def correct_pitch(f0_hz: NDArray[np.floating[Any]], wanted: PitchCorrection) -> Corrected:
    """Draw a pitch curve on the feature clock towards the wanted notes.

    Parameters
    ----------
    f0_hz : array (n,)
        Hz, 0 where unvoiced.
    wanted : PitchCorrection
        What to do.

    Raises
    ------
    ProjectError
        When the guide cannot be read or has no such track.
    """
    f0 = np.asarray(f0_hz, dtype=np.float64)
    a4_hz = detect_a4_hz(f0) if wanted.a4_hz == "auto" else float(wanted.a4_hz)
    voiced = np.flatnonzero(f0 > 0)
    if wanted.guide is not None:
        allowed = guide_classes(read_guide(wanted.guide, track=wanted.guide_track), len(f0))
    else:
        allowed = np.zeros((1, 12), dtype=bool)
        allowed[0, sorted(wanted.classes)] = True
    if wanted.strength == 0.0 or not len(voiced):
        return Corrected(f0.copy(), a4_hz, 0.0, 0.0)
    pitch = 69.0 + 12.0 * np.log2(np.where(f0 > 0, f0, a4_hz) / a4_hz)
    moved = np.zeros(len(f0))
    for run in np.split(voiced, np.flatnonzero(np.diff(voiced) > 1) + 1):
        here = allowed[run] if len(allowed) > 1 else np.broadcast_to(allowed, (len(run), 12))
        notes = _notes(pitch[run], here)
        moved[run] = _eased(_errors(pitch[run], notes, wanted.retune_ms), notes)
    moved *= wanted.strength
    change = 100.0 * np.abs(moved[voiced])
    return Corrected(
        np.where(f0 > 0, f0 * 2.0 ** (moved / 12.0), 0.0),
        a4_hz,
        float(np.median(change)),
        float(change.max()),
    )


def detect_a4_hz(f0_hz: NDArray[np.floating[Any]]) -> float:
    """Return the A4 that puts most of the singing onto semitones, within half a semitone of 440 Hz.

    The circular mean of every voiced frame's place between two semitones. A curve that is nowhere long, or that
    lies everywhere between the notes alike, gives 440.
    """
    f0 = np.asarray(f0_hz, dtype=np.float64)
    f0 = f0[f0 > 0]
    if not len(f0):
        return A4_HZ
    mean = complex(np.exp(2j * np.pi * 12.0 * np.log2(f0 / A4_HZ)).mean())
    if abs(mean) < _CLEAR_TUNING:
        return A4_HZ
    return float(A4_HZ * 2.0 ** (math.atan2(mean.imag, mean.real) / (2 * math.pi * 12.0)))


def _notes(pitch: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Read a voiced run (n,) as MIDI notes (n,), -1 where no note is allowed; `allowed` is (n, 12)."""
    number = np.arange(_NOTES)
    notes = np.full(len(pitch), -1)
    free: NDArray[np.bool_] = ~np.asarray(allowed.any(axis=1))
    borders = np.flatnonzero(np.diff(free)) + 1
    for part in np.split(np.arange(len(pitch)), borders):
        if free[part[0]]:
            continue
        costs = np.where(allowed[part][:, number % 12], np.abs(pitch[part][:, None] - number), np.inf)
        total = costs[0]
        came = np.empty((len(part), _NOTES), dtype=np.int16)
        came[0] = number
        for i in range(1, len(part)):
            best = int(np.argmin(total))
            change = total[best] + CHANGE_COST
            came[i] = np.where(total <= change, number, best)
            total = np.minimum(total, change) + costs[i]
        note = int(np.argmin(total))
        for i in range(len(part) - 1, -1, -1):
            notes[part[i]] = note
            note = int(came[i, note])
    return notes


def _errors(pitch: NDArray[np.float64], notes: NDArray[np.int64], retune_ms: float) -> NDArray[np.float64]:
    """Return by how many semitones each frame's note lies above the running mean of what is sung in it."""
    half = round(retune_ms / 1000.0 * FRAME_RATE)
    window = np.hanning(2 * half + 3)[1:-1]
    errors = np.zeros(len(pitch))
    for part in np.split(np.arange(len(pitch)), np.flatnonzero(np.diff(notes)) + 1):
        note = notes[part[0]]
        if note < 0:
            continue
        inside = np.pad(pitch[part] - note, half)
        count = np.pad(np.ones(len(part)), half)
        mean = np.convolve(inside, window, mode="valid") / np.convolve(count, window, mode="valid")
        errors[part] = -mean
    return errors


def _eased(errors: NDArray[np.float64], notes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Round off the steps of the correction at the borders of notes, and there alone."""
    width = 2 * _EASE_FRAMES + 1
    smooth = np.convolve(np.pad(errors, _EASE_FRAMES, mode="edge"), np.full(width, 1.0 / width), mode="valid")
    border = np.zeros(len(errors), dtype=bool)
    for change in np.flatnonzero(np.diff(notes)):
        border[max(0, change + 1 - _EASE_FRAMES) : change + 1 + _EASE_FRAMES] = True
    return np.where(border, smooth, errors)
