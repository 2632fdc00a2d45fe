"""A second voice: a sung curve is moved note by note, a third above in the key, or onto the notes of a MIDI melody.

The curve is read as notes of the key (`features.notes`). Each note moves by the interval that the key has there: a
third above C major's C is four semitones, above its D three. Within a note the move is constant, so vibrato and
slides stay what they are; from one note to the next it changes over `EASE_FRAMES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from covermaker.convert.guide import EARLY_LATE_SECONDS
from covermaker.convert.scales import scale_classes
from covermaker.convert.tuning import detect_a4_hz
from covermaker.features.clock import FRAME_RATE
from covermaker.features.notes import Note, read_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from covermaker.convert.guide import GuideNote

VERSION = 1

# Steps of the key.
INTERVALS: Final = {
    "third_above": 2, "fourth_above": 3, "fifth_above": 4, "sixth_above": 5, "octave_above": 7,
    "third_below": -2, "fourth_below": -3, "fifth_below": -4, "sixth_below": -5, "octave_below": -7,
}  # fmt: skip
GUIDES: Final = (".mid", ".midi")

EASE_FRAMES = 8  # 80 ms from one note's move to the next
_FADE_FRAMES = 5
_STEPS = 7  # of a key
_OCTAVE = 12


@dataclass(frozen=True, slots=True)
class Harmony:
    """What the second voice sings.

    Attributes
    ----------
    f0_hz : float32 array (n,)
        Its pitch; 0 where nothing is sung.
    heard : float32 array (n,)
        0 to 1: where it is silent, because its melody rests.
    semitones : float
        The median of the move over voiced frames.
    notes : int
        How many notes were moved.
    """

    f0_hz: NDArray[np.float32]
    heard: NDArray[np.float32]
    semitones: float
    notes: int


def is_guide(harmony: str) -> bool:
    """Tell whether a harmony is a MIDI file."""
    return harmony.lower().endswith(GUIDES)


def needs_key(harmony: str) -> bool:
    """Tell whether an interval depends on the key: an octave is one everywhere."""
    return not is_guide(harmony) and INTERVALS[harmony] % _STEPS != 0


def in_interval(
    f0_hz: NDArray[np.floating[Any]], loudness_db: NDArray[np.floating[Any]], harmony: str, key: str | None
) -> Harmony:
    """Move a melody by an interval of its key.

    Parameters
    ----------
    f0_hz, loudness_db : arrays (n,)
        On the feature clock.
    harmony : str
        A name of `INTERVALS`.
    key : str or None
        Of seven notes, see `scales.scale_classes`; not read where the interval is an octave.
    """
    steps = INTERVALS[harmony]
    f0 = np.asarray(f0_hz, dtype=np.float64)
    if not needs_key(harmony):
        move = np.full(len(f0), _OCTAVE * (steps // _STEPS), dtype=np.float64)
        return _moved(f0, move, np.ones(len(f0)), len(read_notes(f0, loudness_db)))
    assert key is not None
    classes = sorted(scale_classes(key))
    notes = read_notes(f0, loudness_db, a4_hz=detect_a4_hz(f0), classes=classes)
    spans = [(note.start, note.stop, float(_interval(note.number, classes, steps))) for note in notes]
    return _moved(f0, _curve(spans, len(f0)), np.ones(len(f0)), len(notes))


def on_guide(
    f0_hz: NDArray[np.floating[Any]],
    loudness_db: NDArray[np.floating[Any]],
    guide: Sequence[GuideNote],
) -> Harmony:
    """Move a melody onto the notes of another one; where that one rests, the second voice does.

    The other one is sung as it is written, or by whole octaves nearer where it lies more than one away. A singer may
    be `EARLY_LATE_SECONDS` early or late: a change of note within that time of a sung one happens with it.
    """
    f0 = np.asarray(f0_hz, dtype=np.float64)
    notes = read_notes(f0, loudness_db, a4_hz=detect_a4_hz(f0))
    pieces = [(note, *piece) for note in notes for piece in _under(note, guide)]
    octaves = _octaves([number - note.number for note, _, _, number in pieces])
    spans = [(start, stop, float(number + octaves - note.number)) for note, start, stop, number in pieces]
    heard = np.zeros(len(f0))
    for start, stop, _ in spans:
        # A consonant before a note is sung with it.
        heard[max(0, start - 2 * _FADE_FRAMES) : stop + _FADE_FRAMES] = 1.0
    return _moved(f0, _curve(spans, len(f0)), _smooth(heard, _FADE_FRAMES), len(spans))


def _interval(number: int, classes: Sequence[int], steps: int) -> int:
    """Return how many semitones so many steps of the key are, from a note of it."""
    place = classes.index(number % _OCTAVE)
    octaves, wanted = divmod(place + steps, len(classes))
    return classes[wanted] + _OCTAVE * octaves - classes[place]


def _under(note: Note, guide: Sequence[GuideNote]) -> list[tuple[int, int, int]]:
    """Return which parts of a sung note a guide has notes for: first frame, frame behind the last, number."""
    late = EARLY_LATE_SECONDS
    begin, end = note.start_seconds, note.stop_seconds

    def shared(other: GuideNote) -> float:
        return min(other.stop, end) - max(other.start, begin)

    near = [other for other in guide if shared(other) > -late]
    # What a sung note only touches belongs to its neighbours.
    meant = [other for other in near if shared(other) >= min(late, 0.5 * (end - begin))]
    meant = meant or sorted(near, key=shared)[-1:]
    pieces = []
    for index, other in enumerate(meant):
        after = meant[index + 1].start if index + 1 < len(meant) else end
        start = begin if other.start <= begin + late else other.start
        stop = after if other.stop >= after - late else other.stop
        first, last = round(start * FRAME_RATE), round(min(stop, end) * FRAME_RATE)
        if last > first:
            pieces.append((first, last, other.number))
    return pieces


def _octaves(differences: Sequence[int]) -> int:
    """Return by how many semitones, whole octaves, a part moves to lie at most an octave away."""
    if not differences:
        return 0
    middle = float(np.median(differences))
    return 0 if abs(middle) <= _OCTAVE else -_OCTAVE * round(middle / _OCTAVE)


def _curve(spans: Sequence[tuple[int, int, float]], frames: int) -> NDArray[np.float64]:
    """Return the move at each frame: that of its note, beside notes that of the nearest, without steps."""
    if not spans:
        return np.zeros(frames)
    at = np.array([(start, stop - 1) for start, stop, _ in spans], dtype=np.float64).ravel()
    moves = np.array([move for _, _, move in spans])
    # The nearest note of a frame: borders lie half way between one note's end and the next one's beginning.
    middles = (at[1:-1:2] + at[2::2]) / 2.0
    curve = moves[np.searchsorted(middles, np.arange(frames))]
    return _smooth(curve, EASE_FRAMES // 2)


def _smooth(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    if not len(values):
        return values
    window = np.hanning(2 * half + 3)[1:-1]
    smooth: NDArray[np.float64] = np.convolve(
        np.pad(values, half, mode="edge"), window / window.sum(), mode="valid"
    )
    return smooth


def _moved(
    f0: NDArray[np.float64], move: NDArray[np.float64], heard: NDArray[np.float64], notes: int
) -> Harmony:
    voiced = f0 > 0
    return Harmony(
        np.where(voiced, f0 * 2.0 ** (move / 12.0), 0.0).astype(np.float32),
        heard.astype(np.float32),
        float(np.median(move[voiced])) if voiced.any() else 0.0,
        notes,
    )


def check_harmony(harmony: str) -> str | None:
    """Return what is wrong with the name of a harmony, as a hint; None when nothing is."""
    from covermaker.errors import nearest

    return None if is_guide(harmony) or harmony in INTERVALS else nearest(harmony, INTERVALS)
