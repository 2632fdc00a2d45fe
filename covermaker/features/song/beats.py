"""When the beats of a song fall, and which of them begin a bar.

Beats: the path through the onset strength that has strong onsets and distances near the tempo's beat, found by
dynamic programming (Ellis, "Beat Tracking by Dynamic Programming", Journal of New Music Research 36, 2007). It may
drift with the players.

Bars: chords change and the bass comes in on the first beat of a bar more than elsewhere. The bars are told only where
that is clear: a wrong grid is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.features.song.chroma import HOP as CHROMA_HOP
from covermaker.features.song.onsets import RATE, SAMPLE_RATE, OnsetStrength, place_of, time_of
from covermaker.features.song.tempo import sharpened

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TIGHTNESS = 100.0  # of Ellis: how much a distance that is off the beat costs, beside onsets of one deviation
_TOLD_TIGHTNESS = 1000.0  # a person's tempo is kept, also where the onsets speak for another
_BLUR = 1 / 32  # of a beat
_LEAST_END = 0.25  # of the middle strength of a beat; weaker ones at both ends are not played
_AT_START_SECONDS = 0.05
_METRES = (4, 3)
_LEAST_BARS = 6
_MOST_DEVIATIONS = 3.0
_CLEAR = 3.3  # standard errors by which first beats differ from the others


@dataclass(frozen=True, slots=True)
class Beats:
    """Beats of a song.

    Attributes
    ----------
    times : float64 array (n,)
        In seconds, rising.
    per_bar : int or None
        3 or 4; None where that is not clear.
    first : int
        Which beat is the first one of a bar, counted from 0; every `per_bar`-th from there is, too.
    bar_confidence : float
        0 to 1.
    """

    times: NDArray[np.float64]
    per_bar: int | None = None
    first: int = 0
    bar_confidence: float = 0.0


def find_beats(heard: OnsetStrength, chroma: NDArray[np.float64], bpm: float, *, told: bool = False) -> Beats:
    """Find the beats of a song whose tempo is known.

    Parameters
    ----------
    heard : OnsetStrength
        Of the whole song.
    chroma : float64 array (m, 12)
        See `chroma.ChromaFrames`.
    bpm : float
        Of the beat.
    told : bool
        A person says so.
    """
    times = _path(heard.strength, bpm, _TOLD_TIGHTNESS if told else _TIGHTNESS)
    if len(times) and heard.begins_at_once and abs(times[0] - 60.0 / bpm) <= _AT_START_SECONDS:
        times = np.concatenate([[0.0], times])
    return _with_bars(times, heard.bass, chroma)


def _path(onsets: NDArray[np.float64], bpm: float, tightness: float) -> NDArray[np.float64]:
    period = 60.0 * RATE / bpm
    if len(onsets) < 2 * period:
        return np.zeros(0)
    strength = sharpened(onsets)
    spread = strength.std()
    if not spread > 0.0:
        return np.zeros(0)
    local = _blurred(strength / spread, max(1.0, period * _BLUR))
    lags = np.arange(round(period / 2), round(2 * period) + 1)
    cost = tightness * np.log(lags / period) ** 2
    reach = int(lags[-1])
    # Padded in front: nothing costs nothing there, so the first beat may fall anywhere.
    total = np.zeros(reach + len(local))
    came = np.zeros(len(local), dtype=np.int32)
    for at, value in enumerate(local):
        scores = total[at + reach - lags] - cost
        best = int(scores.argmax())
        came[at] = at - lags[best]
        total[at + reach] = value + max(0.0, float(scores[best]))
    ends = total[reach:]
    tail = max(0, len(ends) - round(period))
    at = tail + int(ends[tail:].argmax())
    beats = []
    while at >= 0:
        beats.append(at)
        at = int(came[at])
    return time_of(_between(local, _played(local, np.array(beats[::-1]))))


def _blurred(values: NDArray[np.float64], deviation: float) -> NDArray[np.float64]:
    half = round(4 * deviation)
    window = np.exp(-0.5 * (np.arange(-half, half + 1) / deviation) ** 2)
    return np.convolve(values, window, mode="same")[: len(values)]


def _played(local: NDArray[np.float64], beats: NDArray[np.int64]) -> NDArray[np.int64]:
    """Leave out what the path needed to begin and to end where nothing is played."""
    strength = local[beats]
    heard = np.flatnonzero(strength > _LEAST_END * np.median(strength))
    return beats[heard[0] : heard[-1] + 1] if len(heard) else beats[:0]


def _between(local: NDArray[np.float64], beats: NDArray[np.int64]) -> NDArray[np.float64]:
    """Read the tops of the onset strength between its values, by the parabola through three of them."""
    inner: NDArray[np.int64] = np.clip(beats, 1, len(local) - 2)
    left, middle, right = local[inner - 1], local[inner], local[inner + 1]
    bend = left - 2.0 * middle + right
    shift = np.where(bend < -1e-9, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
    places: NDArray[np.float64] = beats.astype(np.float64) + np.where(
        inner == beats, np.clip(shift, -0.5, 0.5), 0.0
    )
    return places


def _with_bars(times: NDArray[np.float64], bass: NDArray[np.float64], chroma: NDArray[np.float64]) -> Beats:
    """Tell which beats begin a bar, if that is clear."""
    if len(times) < _LEAST_BARS * max(_METRES) or not len(chroma):
        return Beats(times)
    marks = _standard(_chord_changes(times, chroma)) + 0.5 * _standard(_bass_at(times, bass))
    clear: dict[tuple[int, int], float] = {}
    for metre in _METRES:
        for first in range(metre):
            on = np.arange(len(marks)) % metre == first
            error = marks.std() * np.sqrt(1.0 / on.sum() + 1.0 / (~on).sum())
            clear[metre, first] = float((marks[on].mean() - marks[~on].mean()) / max(error, 1e-9))
    (metre, first), best = max(clear.items(), key=lambda item: item[1])
    rival = max(value for one, value in clear.items() if one != (metre, first))
    if best < _CLEAR or best < 1.25 * rival:
        return Beats(times)
    return Beats(times, metre, first, float(np.tanh((best - max(rival, 0.0)) / 8.0)))


def _chord_changes(times: NDArray[np.float64], chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how different the notes of each beat are from those of the beat before, (n,)."""
    borders = np.append(times, 2.0 * times[-1] - times[-2]) * SAMPLE_RATE / CHROMA_HOP
    rows = np.zeros((len(times), chroma.shape[1]))
    for index in range(len(times)):
        # The second half of a beat is its own: in the first the notes before still ring.
        start, stop = int(borders[index]), max(int(borders[index]) + 1, int(borders[index + 1]))
        part = chroma[start:stop]
        rows[index] = part.mean(axis=0) if len(part) else 0.0
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    alike = (rows[1:] * rows[:-1]).sum(axis=1)
    return np.concatenate([[0.0], 1.0 - alike])


def _bass_at(times: NDArray[np.float64], bass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much the bass rises around each beat, (n,)."""
    places = np.array([round(place_of(float(time))) for time in times])
    near = np.clip(places[:, None] + np.arange(-3, 4), 0, len(bass) - 1)
    found: NDArray[np.float64] = bass[near].max(axis=1)
    return found


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = values.std()
    found = (values - values.mean()) / spread if spread > 1e-9 else values * 0.0
    # One stroke that is far louder than all others must not decide alone.
    clipped: NDArray[np.float64] = np.clip(found, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    return clipped
