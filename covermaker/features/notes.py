"""The notes of a sung melody: from a pitch curve and a loudness curve, with a beginning and an end each.

A voice sings a note a syllable, mostly. So a note ends where the voice does, where its pitch goes to another semitone
and stays there, and where on one pitch the loudness dips as it does between two syllables.

Pitch: the cheapest path through the semitones (Viterbi), where a frame costs its distance and a change costs
`CHANGE_COST`; neither vibrato nor a slide makes notes of its own. Semitones are counted in the singer's own tuning.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.features.clock import FRAME_RATE
from covermaker.units import A4_HZ

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

VERSION = 1
CHANGE_COST = (
    4.5  # semitones x frames: half a vibrato of +-1 (3.9) is no note, 100 ms a semitone away are one
)
SHORTEST_FRAMES = 6  # 60 ms; what is shorter is on its way to a note
_BRIDGED_FRAMES = 4  # a gap in the pitch that is no consonant
_BRIDGED_SEMITONES = 1.0
_LOWEST, _HIGHEST = 24, 108  # C1 to C8, MIDI
_FAR_SEMITONES = 4.0  # a slip of the pitch reading costs no more than this a frame
_DIP_DB = 15.0  # what "b" and "d" leave of a voice; "l" and "m" leave more
_DIP_FRAMES = 12  # a dip lies between two summits within so far


@dataclass(frozen=True, slots=True)
class Note:
    """A sung note.

    Attributes
    ----------
    start, stop : int
        Frames of the feature clock; `stop` is the first one behind it.
    number : int
        MIDI number, in the tuning that was asked for.
    pitch : float
        The middle of what is sung, as a MIDI number of A4 = 440 Hz with its fraction.
    level_db : float
        The loudest of its frames, dBFS.
    """

    start: int
    stop: int
    number: int
    pitch: float
    level_db: float

    @property
    def start_seconds(self) -> float:
        """When it begins."""
        return self.start / FRAME_RATE

    @property
    def stop_seconds(self) -> float:
        """When it ends."""
        return self.stop / FRAME_RATE


def read_notes(
    f0_hz: NDArray[np.floating[Any]],
    loudness_db: NDArray[np.floating[Any]],
    *,
    a4_hz: float = A4_HZ,
    classes: Collection[int] = range(12),
) -> list[Note]:
    """Read the notes of a melody.

    Parameters
    ----------
    f0_hz, loudness_db : arrays (n,)
        On the feature clock; 0 Hz where nothing is sung.
    a4_hz : float
        Tuning of the singer.
    classes : collection of int
        Pitch classes that a note may have, 0 = C; what is sung beside them counts as the nearest.

    Returns
    -------
    list of Note
        In order, none over another.
    """
    f0 = np.asarray(f0_hz, dtype=np.float64)
    level_db = np.asarray(loudness_db, dtype=np.float64)
    pitch = np.where(f0 > 0, 69.0 + 12.0 * np.log2(np.where(f0 > 0, f0, a4_hz) / a4_hz), np.nan)
    sounding = _bridged(pitch)
    allowed = np.array([number for number in range(_LOWEST, _HIGHEST + 1) if number % 12 in classes])
    found: list[Note] = []
    for start, stop in _runs(~np.isnan(sounding)):
        numbers = _path(sounding[start:stop], allowed)
        for first, last in _joined(numbers, sounding[start:stop]):
            for begin, end in _split(level_db[start + first : start + last]):
                here = slice(start + first + begin, start + first + end)
                middle = float(np.median(sounding[here]))
                number = int(allowed[np.abs(allowed - middle).argmin()])
                sung = middle + 12.0 * float(np.log2(a4_hz / A4_HZ))
                found.append(Note(here.start, here.stop, number, sung, float(level_db[here].max())))
    return [note for note in found if note.stop - note.start >= SHORTEST_FRAMES]


def _bridged(pitch: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill the gaps that are only the pitch reading's."""
    filled = pitch.copy()
    for start, stop in _runs(np.isnan(pitch)):
        if start and stop < len(pitch) and stop - start <= _BRIDGED_FRAMES:
            before, after = pitch[start - 1], pitch[stop]
            if abs(before - after) <= _BRIDGED_SEMITONES:
                filled[start:stop] = np.linspace(before, after, stop - start + 2)[1:-1]
    return filled


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where marked frames begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _path(pitch: NDArray[np.float64], allowed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the note of each frame of a voiced run (n,), one of the allowed numbers."""
    near = (allowed >= pitch.min() - 12) & (allowed <= pitch.max() + 12)
    number = allowed[near] if near.any() else allowed
    costs = np.minimum(np.abs(pitch[:, None] - number), _FAR_SEMITONES)
    came = np.empty(costs.shape, dtype=np.int16)
    own = np.arange(len(number))
    total = costs[0]
    for index in range(1, len(pitch)):
        best = int(total.argmin())
        change = total[best] + CHANGE_COST
        came[index] = np.where(total <= change, own, best)
        total = np.minimum(total, change) + costs[index]
    path = np.empty(len(pitch), dtype=np.int64)
    state = int(total.argmin())
    for index in range(len(pitch) - 1, -1, -1):
        path[index] = number[state]
        state = int(came[index, state])
    return path


def _joined(numbers: NDArray[np.int64], pitch: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return where the notes of a run begin and end; what is too short goes to the neighbour that is nearer."""
    borders = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    names = numbers[borders[:-1]].tolist()
    while len(names) > 1:
        lengths = np.diff(borders)
        short = int(lengths.argmin())
        if lengths[short] >= SHORTEST_FRAMES:
            break
        middle = float(np.median(pitch[borders[short] : borders[short + 1]]))
        beside = [index for index in (short - 1, short + 1) if 0 <= index < len(names)]
        names[short] = names[min(beside, key=lambda index: abs(names[index] - middle))]
        kept = [index for index in range(len(names)) if not index or names[index] != names[index - 1]]
        borders = [*(borders[index] for index in kept), borders[-1]]
        names = [names[index] for index in kept]
    return list(pairwise(borders))


def _split(level_db: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Cut a note where its loudness dips as between two syllables."""
    cuts: list[int] = []
    for at in range(SHORTEST_FRAMES, len(level_db) - SHORTEST_FRAMES):
        before = level_db[max(cuts[-1] if cuts else 0, at - _DIP_FRAMES) : at]
        after = level_db[at + 1 : at + 1 + _DIP_FRAMES]
        lowest = (
            level_db[at] <= before[-SHORTEST_FRAMES:].min() and level_db[at] < after[:SHORTEST_FRAMES].min()
        )
        if lowest and min(before.max(), after.max()) - level_db[at] >= _DIP_DB:
            cuts.append(at)
    borders = [0, *cuts, len(level_db)]
    return list(pairwise(borders))
