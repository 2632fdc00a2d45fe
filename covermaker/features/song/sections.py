"""The parts of a song: where its sound changes, and which of them are the same again.

Borders: a checkerboard slid along the diagonal of the song's self-similarity answers where what came before is alike,
what follows is alike, and the two are not (Foote, "Automatic audio segmentation using a measure of audio novelty",
ICME 2000). With sides of even weight that is the distance of two means, and the matrix is never needed. The sides are
four bars long, and eight, and a border has to show with both: chords that go round in one, two, four or eight bars
have the same mean wherever one begins, so a loop makes no borders. What is compared is the notes and the timbre.

Names: two parts are the same when, laid over each other somewhere, they are alike from beginning to end. They get
letters in the order in which they come. Which of them is a chorus, nobody can tell from that.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.features.song import chroma as notes
from covermaker.features.song.onsets import HOP, SAMPLE_RATE, TIMBRE_FRAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROW_SECONDS = HOP * TIMBRE_FRAMES / SAMPLE_RATE  # 0.37 s

PHRASE_SECONDS = 8.0  # four bars, where nobody knows how long a bar is
_SHORTEST = 0.8  # of four bars, between two borders
_TIMBRE_SHARE = 0.5
_TIMBRE_PARTS = 12
_NOTES_SECONDS = 1.5  # over which notes are taken together
_LEAST_NOVELTY = 0.1  # a song that goes on as it began stays below
_STANDS_OUT = 0.35  # of the highest novelty of the song
_SAME = 0.6  # how alike parts of one name are, 1 is the same
_OVERLAP = 0.75  # of the shorter one


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the song: `name`, and where it begins and ends in seconds."""

    name: str
    from_seconds: float
    to_seconds: float


def find_sections(
    timbre: NDArray[np.float64],
    chroma: NDArray[np.float64],
    seconds: float,
    *,
    phrase_seconds: float = PHRASE_SECONDS,
    marks: Sequence[float] = (),
    reach_seconds: float = 0.0,
) -> tuple[Section, ...]:
    """Find the parts of a song.

    Parameters
    ----------
    timbre : float64 array (n, bands)
        See `onsets.OnsetStrength`; a row every `ROW_SECONDS`.
    chroma : float64 array (m, 12)
        See `chroma.ChromaFrames`.
    seconds : float
        Length of the song.
    phrase_seconds : float
        How long four bars are.
    marks : sequence of float
        Where a part may begin, in seconds: the first beats of bars. A border goes to the nearest one within
        `reach_seconds`.

    Returns
    -------
    tuple of Section
        From 0 to the end without a gap; empty for silence.
    """
    rows = _rows(timbre, chroma)
    if not len(rows):
        return ()
    borders = [_at_mark(at * ROW_SECONDS, marks, reach_seconds) for at in _borders(rows, phrase_seconds)]
    borders = [0.0, *(at for at in borders if 0.0 < at < seconds), seconds]
    cuts = [min(len(rows), round(at / ROW_SECONDS)) for at in borders]
    cuts[-1] = len(rows)
    names = _names([rows[start:stop] for start, stop in itertools.pairwise(cuts)])
    return tuple(
        Section(name, round(start, 3), round(stop, 3))
        for name, start, stop in zip(names, borders, borders[1:], strict=False)
    )


def _rows(timbre: NDArray[np.float64], chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what sounds as rows, less what is common to the whole song; their mean square is about 1."""
    per_row = HOP * TIMBRE_FRAMES // notes.HOP
    count = min(len(timbre), len(chroma) // per_row)
    if count < 2 or timbre[:count].std() < 1e-6:
        return np.zeros((0, 1))
    found = chroma[: count * per_row].reshape(count, per_row, chroma.shape[1]).mean(axis=1)
    found = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    found = _smooth(found, _NOTES_SECONDS)
    shape = timbre[:count] @ _cosines(timbre.shape[1], _TIMBRE_PARTS)
    shape = _smooth(shape, _NOTES_SECONDS)
    weights = np.sqrt(1.0 - _TIMBRE_SHARE), np.sqrt(_TIMBRE_SHARE)
    return np.concatenate([_spread(found) * weights[0], _spread(shape) * weights[1]], axis=1)


def _cosines(bands: int, count: int) -> NDArray[np.float64]:
    """Return the first rows of a cosine transform (bands, count): the mean level, then ever finer shapes."""
    places = (np.arange(bands) + 0.5) / bands
    waves: NDArray[np.float64] = np.cos(np.pi * places[:, None] * np.arange(count))
    return waves


def _smooth(rows: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    width = max(1, round(seconds / ROW_SECONDS)) | 1
    padded = np.pad(rows, ((width // 2, width // 2), (0, 0)), mode="edge")
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(padded, axis=0)])
    mean: NDArray[np.float64] = (total[width:] - total[:-width]) / width
    return mean


def _spread(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the song's mean away; its mean distance from it is 1 then."""
    centred = rows - rows.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=1).mean())
    scaled: NDArray[np.float64] = centred / size if size > 1e-9 else centred
    return scaled


def _borders(rows: NDArray[np.float64], phrase_seconds: float) -> list[int]:
    """Return the rows at which the sound changes."""
    phrase = phrase_seconds / ROW_SECONDS
    novelty = np.minimum(_novelty(rows, phrase), _novelty(rows, 2.0 * phrase))
    least = max(_LEAST_NOVELTY, _STANDS_OUT * float(novelty.max()))
    apart = max(1, round(_SHORTEST * phrase))
    found: list[int] = []
    for at in np.argsort(-novelty, kind="stable").tolist():
        if novelty[at] < least:
            break
        near = novelty[max(0, at - apart // 2) : at + apart // 2 + 1].max() <= novelty[at]
        if near and apart <= at <= len(rows) - apart and all(abs(at - other) >= apart for other in found):
            found.append(at)
    return sorted(found)


def _novelty(rows: NDArray[np.float64], side: float) -> NDArray[np.float64]:
    """Return how far the means of `side` rows before and after each row are apart, squared; 0 at the ends."""
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    at = np.arange(len(rows), dtype=np.float64)
    # Between rows too: a side is as long as the bars are, to a fraction of a row. Near the ends both get shorter.
    reach = np.minimum(np.minimum(side, at), len(rows) - at)
    before = (_between(total, at) - _between(total, at - reach)) / np.maximum(reach, 1e-9)[:, None]
    after = (_between(total, at + reach) - _between(total, at)) / np.maximum(reach, 1e-9)[:, None]
    novelty: NDArray[np.float64] = ((before - after) ** 2).sum(axis=1) * np.minimum(1.0, 2.0 * reach / side)
    return novelty


def _between(total: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    low = np.clip(at.astype(int), 0, len(total) - 2)
    share = (at - low)[:, None]
    value: NDArray[np.float64] = total[low] * (1.0 - share) + total[low + 1] * share
    return value


def _at_mark(seconds: float, marks: Sequence[float], reach: float) -> float:
    near = min(marks, key=lambda mark: abs(mark - seconds), default=seconds)
    return float(near) if abs(near - seconds) <= reach else seconds


def _names(parts: Sequence[NDArray[np.float64]]) -> list[str]:
    """Give the parts letters; what is the same as an earlier one gets its letter."""
    known: list[list[NDArray[np.float64]]] = []
    names = []
    for part in parts:
        likeness = [max(_alike(part, other) for other in others) for others in known]
        best = int(np.argmax(likeness)) if likeness else -1
        if best < 0 or likeness[best] < _SAME:
            known.append([])
            best = len(known) - 1
        known[best].append(part)
        names.append(_letter(best))
    return names


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return how alike two parts are where one lies best over the other, -1 to 1."""
    shorter, longer = sorted((one, other), key=len)
    least = max(1, round(_OVERLAP * len(shorter)))
    if not len(shorter) or len(shorter) < _OVERLAP * 0.5 * len(longer):
        return -1.0
    likeness = _unit(shorter) @ _unit(longer).T
    lags = range(least - len(shorter), len(longer) - least + 1)
    return max(float(np.diagonal(likeness, lag).mean()) for lag in lags)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit


def _letter(number: int) -> str:
    """Return A … Z, A2 … Z2 and so on."""
    lap, letter = divmod(number, 26)
    return chr(ord("A") + letter) + (str(lap + 1) if lap else "")
