"""How far the melody moves so that it sits where the voice sings: whole octaves, so the song keeps its key.

``auto`` compares middles: the median of the vocal's voiced frames with that of what the voice was trained to sing (its
takes and what training makes of them), both as pitches. The nearest whole octave would flip at half an octave away,
where neither choice is good; a move has to gain at least `CLEAR_GAIN_OCTAVES` over staying, or bring clearly more of
the frames into the voice's range; and it may not bring clearly more of them out of it.

``fit`` gives the song another key, as singers do whom a song lies too high or too low: first `fitting_key`, then
octaves as above. Everything else that is sung or played has to take the same key.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from covermaker.errors import ProjectError
from covermaker.units import note_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.voices.card import F0Part

MAX_SEMITONES = 36
MAX_OCTAVES = 3

# A move must bring the middles this much closer: 0 = half an octave apart is enough, 1 = only a full one.
CLEAR_GAIN_OCTAVES = 0.25
# Or, between that and no gain at all, this much more of the singing must fall into the voice's range.
CLEAR_GAIN_SHARE = 0.25
# So far the middles may be apart before the song gets another key: the less it is moved, the better it sounds.
KEY_KEPT_SEMITONES = 2.0
# The card's range holds the middle 90 % of what was trained; a voice goes a little beyond on both sides.
RANGE_MARGIN_SEMITONES = 2.0


@dataclass(frozen=True, slots=True)
class Transposition:
    """By how many semitones the melody moves, and one sentence that says why.

    Parameters
    ----------
    semitones : int
        Above 0 is up: -36..36, and a key's -6..5 on top of whole octaves.
    why : str
        For people.
    range_share : float
        Share of the voiced frames, 0..1, that lie inside the voice's range after the move.
    """

    semitones: int
    why: str
    range_share: float


def choose_transposition(
    wanted: int | Literal["auto", "fit", "off"],
    f0_hz: NDArray[np.floating[Any]],
    voice_range: F0Part,
    *,
    key_semitones: int | None = None,
    assumed: bool = False,
) -> Transposition:
    """Decide the transposition of a vocal.

    Parameters
    ----------
    wanted : int, "auto", "fit" or "off"
        Semitones in -36..36, or ``"auto"``: whole octaves towards the voice, or ``"fit"``: a key that suits the
        voice, and octaves, or ``"off"``: none.
    f0_hz : array (n,)
        The vocal's pitch in Hz, 0 where unvoiced.
    voice_range : F0Part
        Low, median and high pitch of the voice.
    key_semitones : int, optional
        For ``"fit"``: the song's key moves by this, -6..5; by default by `fitting_key`.
    assumed : bool
        Nobody measured the voice's range: ``"auto"`` moves nothing then, and for ``"fit"`` `why` says it.

    Raises
    ------
    ProjectError
        When `wanted` is none of these.
    """
    voiced = np.log2(np.asarray(f0_hz, dtype=np.float64)[np.asarray(f0_hz) > 0])
    if wanted == "off":
        return Transposition(0, "transposition is off", _share(voiced, 0, voice_range))
    if wanted not in ("auto", "fit"):
        if isinstance(wanted, bool) or not isinstance(wanted, int) or abs(wanted) > MAX_SEMITONES:
            raise ProjectError(
                f"convert.transpose must be 'auto', 'fit', 'off' or whole semitones from "
                f"-{MAX_SEMITONES} to {MAX_SEMITONES}, not {wanted!r}"
            )
        return Transposition(
            wanted, f"set to {wanted:+d} semitones", _share(voiced, wanted / 12, voice_range)
        )
    if not len(voiced):
        return Transposition(0, "the vocal has no pitch to move", 0.0)
    if assumed and wanted == "auto":
        why = "the voice came without its range: nothing moves; set transpose, or the range on its card"
        return Transposition(0, why, _share(voiced, 0, voice_range))
    chosen = _towards(voiced, f0_hz, voice_range, wanted, key_semitones)
    if not assumed:
        return chosen
    return replace(chosen, why=f"{chosen.why}; the voice's range is assumed, it came without")


def _towards(
    voiced: NDArray[np.float64],
    f0_hz: NDArray[np.floating[Any]],
    voice_range: F0Part,
    wanted: Literal["auto", "fit"],
    key_semitones: int | None,
) -> Transposition:
    if wanted == "auto":
        return _automatic(voiced, voice_range)
    key = fitting_key(f0_hz, voice_range) if key_semitones is None else key_semitones
    octaves = _automatic(voiced + key / 12, voice_range)
    why = f"the song's key moves by {key:+d} semitones; there {octaves.why}" if key else octaves.why
    return Transposition(key + octaves.semitones, why, octaves.range_share)


def fitting_key(f0_hz: NDArray[np.floating[Any]], voice_range: F0Part) -> int:
    """Return by how many semitones, -6..5, a song's key moves so that its melody sits in the middle of the takes.

    0 when whole octaves alone bring the middles within `KEY_KEPT_SEMITONES`, or nothing is sung.
    """
    voiced = np.asarray(f0_hz, dtype=np.float64)
    voiced = voiced[voiced > 0]
    if not len(voiced):
        return 0
    middle_hz = voice_range.takes_median_hz or voice_range.median_hz
    distance = 12.0 * math.log2(middle_hz / float(np.median(voiced)))
    left = distance - 12.0 * round(distance / 12.0)
    return 0 if abs(left) <= KEY_KEPT_SEMITONES else (round(left) + 6) % 12 - 6


def shift_pitch(f0_hz: NDArray[np.floating[Any]], semitones: int) -> NDArray[np.float64]:
    """Move a pitch curve (n,) in Hz by semitones; 0 stays 0."""
    moved: NDArray[np.float64] = np.asarray(f0_hz, dtype=np.float64) * 2.0 ** (semitones / 12)
    return moved


def _automatic(voiced: NDArray[np.float64], voice_range: F0Part) -> Transposition:
    middle = float(np.median(voiced))
    distance = math.log2(voice_range.median_hz) - middle
    octaves = max(-MAX_OCTAVES, min(MAX_OCTAVES, round(distance)))
    stay, move = _share(voiced, 0, voice_range), _share(voiced, octaves, voice_range)
    gain = abs(distance) - abs(distance - octaves)
    clear = gain >= CLEAR_GAIN_OCTAVES
    leaves = move - stay <= -CLEAR_GAIN_SHARE
    fits = gain > 0 and move - stay >= CLEAR_GAIN_SHARE
    apart = f"the vocal's middle is {_pitch(2.0**middle)}, the voice's is {_pitch(voice_range.median_hz)}"
    if octaves == 0:
        return Transposition(0, f"{apart}: that is its own octave, nothing moves", stay)
    if clear and leaves:
        return Transposition(0, f"{apart}: an octave would leave the voice's range, nothing moves", stay)
    if not clear and not fits:
        return Transposition(0, f"{apart}: an octave would bring them no clearly closer, nothing moves", stay)
    count = {1: "one octave", 2: "two octaves", 3: "three octaves"}[abs(octaves)]
    return Transposition(12 * octaves, f"{apart}: {count} {'up' if octaves > 0 else 'down'}", move)


def _share(voiced: NDArray[np.float64], octaves: float, voice_range: F0Part) -> float:
    """Return the share of log2 pitches inside the voice's range after a move."""
    if not len(voiced):
        return 0.0
    margin = RANGE_MARGIN_SEMITONES / 12
    low, high = math.log2(voice_range.low_hz) - margin, math.log2(voice_range.high_hz) + margin
    moved = voiced + octaves
    return float(np.mean((moved >= low) & (moved <= high)))


def _pitch(hz: float) -> str:
    return f"{note_name(hz)} ({hz:.0f} Hz)"
