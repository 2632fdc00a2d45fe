"""Seams: where sound that was joined from pieces gives itself away.

Three kinds, each by what no throat and no room does:

``click``
    A sample that stands out of its neighbourhood (`evaluate.clicks`).
``gap``
    Silence for half a millisecond or more in the middle of sound.
``step``
    The level jumps at one sample. A suspected place (`evaluate.level_steps`) is tried out: an all-pole model of the
    surroundings predicts the samples after it from those before it, once as they are and once with the earlier ones
    scaled. Where scaling explains the sound far better, somebody scaled it. Small steps in noise stay unseen.

With a reference, the same sound without joins, everything that deviates from it at once is found too, whatever the
sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.evaluate.clicks import RATIO, click_ratios
from covermaker.evaluate.level_steps import find_level_steps
from covermaker.evaluate.reference import find_deviations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PIECE_SECONDS = 10.0
MARGIN_SECONDS = 0.2  # on both sides of a piece: more than any look around
MERGE_SECONDS = 0.005
SHADOW_SECONDS = 0.03  # as far as periods are compared
SAME_SECONDS = 0.01
GAP_SECONDS = 0.0005
PAUSE_SECONDS = 0.02
GAP_SIDE_SECONDS = 0.003  # to either side of a gap there is sound
GAP_SILENT = 0.002  # of the RMS of its sides
ABRUPT = 0.7  # RMS of the millisecond next to a gap, of that of the three next to it
AUDIBLE = 0.003  # RMS, about -50 dBFS: softer sides hide a gap


@dataclass(frozen=True, slots=True)
class Seam:
    """One seam.

    Parameters
    ----------
    seconds : float
        Where.
    kind : str
        ``"click"``, ``"gap"`` or ``"step"``.
    size : float
        A click's height over its neighbourhood; a gap's length in ms; a step's height in dB.
    """

    seconds: float
    kind: str
    size: float


def find_seams(
    sound: Path | NDArray[np.floating[Any]],
    reference: Path | NDArray[np.floating[Any]] | None = None,
    *,
    sample_rate: int | None = None,
) -> list[Seam]:
    """List the seams of a sound in order of time; those of any channel count.

    Parameters
    ----------
    sound : Path or float array (frames,) or (channels, frames)
        A file is read piece by piece; samples are in -1..1.
    reference : Path or float array, optional
        The same sound without joins, or the sound it was made from. Seams that it has too are not listed. When it is
        equally long and nearly the same, deviations from it are seams.
    sample_rate : int, optional
        In Hz; for arrays.

    Raises
    ------
    AudioInputError
        When a file cannot be read.
    ValueError
        When samples come without a rate.
    """
    rate = _rate(sound, sample_rate)
    found: list[Seam] = []
    for start, first, last, piece in _pieces(sound, rate):
        for channel in piece:
            found += [
                Seam(seam.seconds + start / rate, seam.kind, seam.size)
                for seam in _in_channel(channel, rate)
                if first <= round(seam.seconds * rate) < last
            ]
    found = _merged(found)
    if reference is None:
        return found
    known = find_seams(reference, sample_rate=_rate(reference, sample_rate))
    found = [
        seam for seam in found if not any(abs(seam.seconds - old.seconds) < SAME_SECONDS for old in known)
    ]
    pairs = zip(_pieces(sound, rate), _pieces(reference, rate), strict=False)
    for (start, first, last, piece), (_, _, _, other) in pairs:
        if piece.shape != other.shape:
            continue
        for channel, wanted in zip(piece, other, strict=True):
            found += [
                Seam((start + at) / rate, kind, size)
                for at, kind, size in find_deviations(channel, wanted, rate)
                if first <= at < last
            ]
    return _merged(found)


def _in_channel(samples: NDArray[np.float64], rate: int) -> list[Seam]:
    ratios = click_ratios(samples, rate)
    found = [Seam(at / rate, "gap", 1000.0 * length / rate) for at, length in find_gaps(samples, rate)]
    found += [Seam(float(at / rate), "click", float(ratios[at])) for at in np.flatnonzero(ratios >= RATIO)]
    found += [Seam(at / rate, "step", size_db) for at, size_db in find_level_steps(samples, rate)]
    return found


def find_gaps(samples: NDArray[np.float64], rate: int) -> list[tuple[int, int]]:
    """Return start and length in samples of each silence that has sound right before and right after it."""
    side = max(4, round(GAP_SIDE_SECONDS * rate))
    energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    quiet = np.abs(samples) < GAP_SILENT * AUDIBLE
    # A gap of another level than 0 (an offset) stands still: its neighbours are equal.
    still = quiet | np.concatenate(([False], np.diff(samples) == 0.0))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], still.astype(np.int8), [0]))))
    gaps = []
    for start, stop in edges.reshape(-1, 2):
        if stop - start < GAP_SECONDS * rate or start < side or stop + side > len(samples):
            continue
        before = (energy[start] - energy[start - side]) / side
        after = (energy[stop + side] - energy[stop]) / side
        inside = np.abs(samples[start:stop]).max()
        level = min(before, after) ** 0.5
        close = max(2, side // 3)
        closest = (
            (energy[start] - energy[start - close]) / close / max(before, 1e-12),
            (energy[stop + close] - energy[stop]) / close / max(after, 1e-12),
        )
        # A pause between two fades is no gap: of a long one, at least one edge is abrupt.
        cut = stop - start < PAUSE_SECONDS * rate or max(closest) > ABRUPT**2
        if level > AUDIBLE and inside < level and cut:
            gaps.append((int(start), int(stop - start)))
    return gaps


def _merged(seams: list[Seam]) -> list[Seam]:
    """Keep one seam of those within 5 ms; a step beside a gap or a click is that one's shadow."""
    rank = {"gap": 0, "click": 1, "step": 2}
    kept: list[Seam] = []
    for seam in sorted(seams, key=lambda one: (rank[one.kind], -abs(one.size))):
        reach = SHADOW_SECONDS if seam.kind == "step" else MERGE_SECONDS
        if all(
            abs(seam.seconds - other.seconds) > (MERGE_SECONDS if other.kind == seam.kind else reach)
            for other in kept
        ):
            kept.append(seam)
    return sorted(kept, key=lambda one: one.seconds)


def _rate(sound: Path | NDArray[np.floating[Any]], sample_rate: int | None) -> int:
    if isinstance(sound, Path):
        return probe(sound).sample_rate
    if sample_rate is None:
        raise ValueError("samples need a sample rate")
    return sample_rate


def _pieces(
    sound: Path | NDArray[np.floating[Any]], rate: int
) -> Iterator[tuple[int, int, int, NDArray[np.float64]]]:
    """Yield start, first and last judged sample (from the start), and samples (channels, n) of each piece."""
    size, margin = round(PIECE_SECONDS * rate), round(MARGIN_SECONDS * rate)
    stream = blocks(sound) if isinstance(sound, Path) else iter([np.atleast_2d(sound)])
    held: NDArray[Any] | None = None
    start = judged = 0  # `held` begins at sample `start`; everything before `judged` is done
    for block in stream:
        held = block if held is None else np.concatenate((held, block), axis=1)
        while start + held.shape[1] >= judged + size + margin:
            stop = judged + size
            piece = held[:, : stop + margin - start].astype(np.float64)
            yield start, judged - start, stop - start, piece
            judged = stop
            keep = max(start, judged - margin)
            held, start = held[:, keep - start :], keep
    if held is not None and start + held.shape[1] > judged:
        yield start, judged - start, held.shape[1], held.astype(np.float64)
