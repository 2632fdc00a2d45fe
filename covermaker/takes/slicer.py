"""Where a take is cut into clips: at its pauses, else at the quietest point; what is sung is neither lost nor doubled.

Everything happens on the feature clock (100 frames a second). A frame is *active* when its level is above the noise
gate; sung frames count a little below it too, so that tails stay. Unvoiced sound stays with the singing around it
(breaths, consonants), alone it is left out (steps, chairs). Cuts are chosen all at once, by dynamic programming over
their costs: a long pause costs least, then a quiet moment; a clip that is too short costs more the shorter it is, a
longer one than allowed does not exist. Then each clip is trimmed to its active frames and a little padding.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.features.clock import FRAME_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABOVE_FLOOR_DB = 6.0  # the gate above the noise floor …
TAIL_ABOVE_FLOOR_DB = 3.0  # … and where a sung frame still counts
GATE_BELOW_LOUDEST_DB = -60.0
GATE_DB = -85.0
BELOW_VOICE_DB = 15.0  # the gate is never nearer to the voice
LEAST_PAUSE_SECONDS = 0.3  # of frames without voice, to measure a noise floor

PAD_SECONDS = 0.1  # kept around what is active, where there is room
BREATH_SECONDS = 1.5  # unvoiced sound this near to singing belongs to it
LONGEST_PAUSE_SECONDS = 2.0  # longer ones are never inside a clip
_CANDIDATE_FRAMES = 20  # one possible cut in each such stretch

_PER_CUT, _LOUD, _VOICED, _SHORT = (
    1.0,
    3.0,
    1.0,
    12.0,
)  # costs, in units of one cut at a quiet, unvoiced moment


@dataclass(frozen=True, slots=True)
class Levels:
    """What a take's frames say of it; dB re full scale, None where it cannot be known.

    Parameters
    ----------
    noise_floor_db : float or None
        Mean power of the quietest frames without voice; None when the voice never pauses.
    voice_db : float or None
        Mean power of the voiced frames; None when there are none.
    gate_db : float
        Above this a frame is active.
    """

    noise_floor_db: float | None
    voice_db: float | None
    gate_db: float

    @property
    def snr_db(self) -> float | None:
        """Voice over noise, in dB."""
        if self.noise_floor_db is None or self.voice_db is None:
            return None
        return self.voice_db - self.noise_floor_db


def levels(level_db: NDArray[np.float32], f0_hz: NDArray[np.float32]) -> Levels:
    """Find noise floor, voice level and gate from the level (dB) and pitch (Hz, 0 = unvoiced) of every frame."""
    loudest = float(level_db.max())
    lowest_gate = max(GATE_DB, loudest + GATE_BELOW_LOUDEST_DB)
    quiet = level_db[f0_hz <= 0]
    floor = None
    if len(quiet) >= LEAST_PAUSE_SECONDS * FRAME_RATE:
        lowest = np.percentile(quiet, 5)
        floor = _mean_db(quiet[quiet <= lowest + 6.0])
    voiced = level_db[(f0_hz > 0) & (level_db > lowest_gate)]
    voice = _mean_db(voiced) if len(voiced) else None
    if floor is not None and voice is not None and floor > voice - TAIL_ABOVE_FLOOR_DB:
        floor = None  # what does not pause but for a consonant
    gate = lowest_gate if floor is None else max(lowest_gate, floor + ABOVE_FLOOR_DB)
    if voice is not None:
        gate = min(
            gate, voice - BELOW_VOICE_DB
        )  # in loud noise: rather some noise in a clip than a word lost
    return Levels(floor, voice, gate)


def active_frames(level_db: NDArray[np.float32], f0_hz: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which frames belong to the singing, breaths and consonants with it."""
    found = levels(level_db, f0_hz)
    tail = found.gate_db - (ABOVE_FLOOR_DB - TAIL_ABOVE_FLOOR_DB)
    voiced = (f0_hz > 0) & (level_db > tail)
    active: NDArray[np.bool_] = (level_db > found.gate_db) | voiced
    near = _grown(voiced, round(BREATH_SECONDS * FRAME_RATE))
    for start, end in runs(active):
        if not near[start:end].any():
            active[start:end] = False
    return active


def slice_frames(
    level_db: NDArray[np.float32],
    f0_hz: NDArray[np.float32],
    *,
    min_seconds: float = 5.0,
    max_seconds: float = 15.0,
) -> list[tuple[int, int]]:
    """Cut a take.

    Parameters
    ----------
    level_db, f0_hz : float32 arrays (frames,)
        Level (`frame_loudness_db`) and pitch (`estimate_pitch`) on the feature clock.
    min_seconds, max_seconds : float
        Wanted length of a clip. None is longer; shorter ones are left where pauses stand around a short phrase.

    Returns
    -------
    list of (int, int)
        First frame and the one after the last. Every active frame lies in exactly one; they do not overlap.
    """
    active = active_frames(level_db, f0_hz)
    if not active.any():
        return []
    kept = _grown(active, round(PAD_SECONDS * FRAME_RATE))
    cost = _cut_costs(level_db, f0_hz, active)
    clips: list[tuple[int, int]] = []
    for start, end in _groups(kept):
        cuts = _best_cuts(cost, start, end, min_seconds * FRAME_RATE, int(max_seconds * FRAME_RATE))
        for first, last in pairwise(cuts):
            if active[first:last].any():
                inside = first + np.flatnonzero(kept[first:last])
                clips.append((int(inside[0]), int(inside[-1]) + 1))
    return clips


def frames_to_samples(
    clips: list[tuple[int, int]], frame_total: int, sample_rate: int, samples: int
) -> list[tuple[int, int]]:
    """Return clips in samples: frame i owns what is nearer to its centre than to any other's."""

    def at(frame: int) -> int:
        if frame <= 0:
            return 0
        return (
            samples if frame >= frame_total else min(samples, round((frame - 0.5) * sample_rate / FRAME_RATE))
        )

    found = [(at(start), at(end)) for start, end in clips]
    return [(start, end) for start, end in found if end > start]


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and one-past-last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _mean_db(values: NDArray[np.float32]) -> float:
    return float(10.0 * np.log10(np.mean(10.0 ** (values.astype(np.float64) / 10.0))))


def _grown(mask: NDArray[np.bool_], frames: int) -> NDArray[np.bool_]:
    out = mask.copy()
    for start, end in runs(mask):
        out[max(0, start - frames) : end + frames] = True
    return out


def _groups(kept: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the stretches between pauses so long that no clip may hold them."""
    groups: list[tuple[int, int]] = []
    for start, end in runs(kept):
        if groups and start - groups[-1][1] <= LONGEST_PAUSE_SECONDS * FRAME_RATE:
            groups[-1] = (groups[-1][0], end)
        else:
            groups.append((start, end))
    return groups


def _cut_costs(
    level_db: NDArray[np.float32], f0_hz: NDArray[np.float32], active: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return what a cut before each frame costs."""
    found = levels(level_db, f0_hz)
    top = max(found.voice_db if found.voice_db is not None else float(level_db.max()), found.gate_db + 1.0)
    loud = np.clip((level_db - found.gate_db) / (top - found.gate_db), 0.0, 1.5)
    cost: NDArray[np.float64] = _PER_CUT + _LOUD * loud.astype(np.float64) + _VOICED * (f0_hz > 0)
    for start, end in runs(~active):
        length = end - start
        depth = np.minimum(np.arange(length) + 1, np.arange(length)[::-1] + 1) / FRAME_RATE
        cost[start:end] = (
            _PER_CUT - np.minimum(depth, 0.5) * 1.8
        )  # the middle of a second's pause is all but free
    return cost


def _best_cuts(cost: NDArray[np.float64], start: int, end: int, shortest: float, longest: int) -> list[int]:
    """Return the positions, ends included, with the least cost of cuts and short clips."""
    places = [start]
    places += [
        at + int(np.argmin(cost[at : min(at + _CANDIDATE_FRAMES, end)]))
        for at in range(start + 1, end, _CANDIDATE_FRAMES)
    ]
    places.append(end)
    position = np.array(places)
    price = np.concatenate(([0.0], cost[position[1:-1]], [0.0]))
    best: NDArray[Any] = np.full(len(places), np.inf)
    best[0] = 0.0
    before = np.zeros(len(places), dtype=np.int64)
    for here in range(1, len(places)):
        first = int(np.searchsorted(position, position[here] - longest))
        length = position[here] - position[first:here]
        short = _SHORT * np.square(np.maximum(0.0, 1.0 - length / shortest))
        total = best[first:here] + short
        choice = int(np.argmin(total))
        best[here] = total[choice] + price[here]
        before[here] = first + choice
    cuts = [len(places) - 1]
    while cuts[-1] > 0:
        cuts.append(int(before[cuts[-1]]))
    return [int(position[index]) for index in reversed(cuts)]
