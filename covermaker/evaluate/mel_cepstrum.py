"""The shape of a spectrum in a few numbers, and how far two recordings of one text are apart in it.

WORLD's envelope every 5 ms, its cepstrum bent to a scale like the ear's: what mel-cepstral distortion is measured
on. The bending is the all-pass substitution of Tokuda et al. (1994) on the minimum-phase cepstrum, which is what an
unconverged ("zero iterations") mel-cepstral analysis gives.

References
----------
R. Kubichek, "Mel-cepstral distance measure for objective speech quality assessment", PACRIM 1993.
K. Tokuda et al., "Mel-generalized cepstral analysis: a unified approach to speech spectral estimation", ICSLP 1994.
J. O. Smith and J. S. Abel, "Bark and ERB bilinear transforms", IEEE Trans. SAP 7(6), 1999.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import probe
from covermaker.audio.mono import read_mono

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ORDER = 13  # c1..c13
SAMPLE_RATE = 22050  # or the lower rate of the two files: above their band there is nothing to compare
FRAME_MS = 5.0
F0_LOW_HZ, F0_HIGH_HZ = 71.0, 1100.0  # WORLD's own floor; the ceiling of sung notes
FLOOR = 1e-6  # of a file's mean power: added to every bin before the logarithm, or nothing at all would count most
SILENCE = 1e-12  # power of a bin; a file that never gets 10 dB above it holds nothing
SILENT_BELOW_LOUDEST_DB = 40.0
MOST_SECONDS = 60.0  # time and memory of the alignment grow with the square of the length
_FRAMES_AT_ONCE = 1024
DECIBEL = 10.0 / math.log(10.0) * math.sqrt(2.0)  # 6.1418: Kubichek's factor from cepstrum to dB


@dataclass(frozen=True, slots=True)
class MelCepstralDistortion:
    """Mean distance in dB over the aligned frames.

    Parameters
    ----------
    shape_db : float
        Of c1..c13: level does not count.
    level_and_shape_db : float
        Of c0..c13, on the same alignment.
    """

    shape_db: float
    level_and_shape_db: float


def mel_cepstral_distortion(first: Path, second: Path) -> MelCepstralDistortion | None:
    """Compare two recordings of one text, aligned by dynamic time warping on c1..c13.

    Frames that are 40 dB and more below a file's loudest one are left out before the alignment. None when a file
    has no other frames, or is longer than a minute.

    Raises
    ------
    AudioInputError
        When a file cannot be read.
    """
    infos = probe(first), probe(second)
    if max(info.seconds for info in infos) > MOST_SECONDS:
        return None
    rate = min(SAMPLE_RATE, *(info.sample_rate for info in infos))
    one, other = (
        _audible(mel_cepstrum(read_mono(path, sample_rate=rate).samples[0], rate)) for path in (first, second)
    )
    if not len(one) or not len(other):
        return None
    rows, columns = warp(one[:, 1:], other[:, 1:])
    difference = one[rows] - other[columns]
    return MelCepstralDistortion(
        DECIBEL * float(np.linalg.norm(difference[:, 1:], axis=1).mean()),
        DECIBEL * float(np.linalg.norm(difference, axis=1).mean()),
    )


def bark_warping(sample_rate: int) -> float:
    """Return the all-pass coefficient that bends the frequency axis most like the Bark scale; 0.65 at 22050 Hz."""
    return 1.0674 * math.sqrt(2.0 / math.pi * math.atan(0.06583 * sample_rate / 1000.0)) - 0.1916


def mel_cepstrum(
    samples: NDArray[np.floating], sample_rate: int, *, order: int = ORDER
) -> NDArray[np.float64]:
    """Return c0..c`order` of mono samples every 5 ms, of WORLD's envelope with Harvest's pitch.

    Returns
    -------
    float64 array (frames, order + 1)
    """
    import pyworld

    wave = np.ascontiguousarray(samples, dtype=np.float64)
    wave = np.pad(wave, (0, max(0, sample_rate // 10 - len(wave))))  # WORLD's shortest filter
    f0_hz, times = pyworld.harvest(
        wave, sample_rate, f0_floor=F0_LOW_HZ, f0_ceil=F0_HIGH_HZ, frame_period=FRAME_MS
    )
    power = pyworld.cheaptrick(wave, f0_hz, times, sample_rate, f0_floor=F0_LOW_HZ)
    power += max(FLOOR * float(power.mean()), SILENCE)
    return warped_cepstrum(power, order=order, warping=bark_warping(sample_rate))


def warped_cepstrum(power: NDArray[np.float64], *, order: int, warping: float) -> NDArray[np.float64]:
    """Return the minimum-phase cepstrum of power spectra (frames, bins) on a bent frequency axis.

    ``log|H(w)| = c0 + sum c_n cos(n w')`` with w' the bent axis: w' = w + 2 atan(a sin w / (1 - a cos w)).

    Returns
    -------
    float64 array (frames, order + 1)
    """
    bending = _bending(power.shape[1], order, warping)
    bending[[0, -1]] /= 2.0  # of the power; of the amplitude it is half, and the rest is folded over
    found = np.empty((len(power), order + 1))
    for start in range(0, len(power), _FRAMES_AT_ONCE):
        some = slice(start, start + _FRAMES_AT_ONCE)
        found[some] = np.fft.irfft(np.log(power[some]), axis=1)[:, : power.shape[1]] @ bending
    return found


def warp(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the cheapest monotonic path between two series of vectors, from first to last of both.

    Exact dynamic time warping over Euclidean distances, steps (1, 0), (0, 1) and (1, 1) of equal weight (Sakoe and
    Chiba, 1978). Two anti-diagonals of sums are held at a time, and two bits for each cell: where it was come from.

    Parameters
    ----------
    first, second : float array (rows, dimensions) and (columns, dimensions)
        At least one vector each.

    Returns
    -------
    two int64 arrays (steps,)
        Rows and columns of the path.
    """
    rows, columns = len(first), len(second)
    down, back = first.T.copy(), second.T[:, ::-1].copy()  # on an anti-diagonal, columns fall as rows rise
    # Sums of the last two anti-diagonals by row, from 1 up; row 0 and what lies outside cost everything.
    last, before = np.full(rows + 1, np.inf), np.full(rows + 1, np.inf)
    moves = []
    for diagonal in range(rows + columns - 1):
        low, high = max(0, diagonal - columns + 1), min(rows, diagonal + 1)
        offset = columns - 1 - diagonal
        apart = down[:, low:high] - back[:, low + offset : high + offset]
        distance = np.sqrt(np.einsum("kn,kn->n", apart, apart))
        both, up, left = before[low:high], last[low:high], last[low + 1 : high + 1]
        straight = (both <= up) & (both <= left)
        climbs = up <= left
        now = np.full(rows + 1, np.inf)
        now[low + 1 : high + 1] = distance + (
            np.where(straight, both, np.where(climbs, up, left)) if diagonal else 0.0
        )
        before, last = last, now
        moves.append((np.packbits(straight), np.packbits(climbs)))
    path = [(rows - 1, columns - 1)]
    while path[-1] != (0, 0):
        row, column = path[-1]
        diagonal = row + column
        byte, bit = divmod(row - max(0, diagonal - columns + 1), 8)
        straight_here, climbs_here = (int(plane[byte]) >> (7 - bit) & 1 for plane in moves[diagonal])
        path.append((row - (straight_here | climbs_here), column - (straight_here or not climbs_here)))
    cells = np.array(path[::-1], dtype=np.int64)
    return cells[:, 0], cells[:, 1]


def _bending(count: int, order: int, warping: float) -> NDArray[np.float64]:
    """Return the matrix (count, order + 1) that takes a cepstrum to the bent axis.

    Row n holds the cepstrum of the n-th power of the all-pass ``(z^-1 + a) / (1 + a z^-1)`` as a power series, found
    by repeated multiplication: cos(n w) on the straight axis, written in cosines of the bent one.
    """
    matrix = np.zeros((count, order + 1))
    matrix[0, 0] = 1.0
    # z^-1 = (z'^-1 - a') / (1 - a' z'^-1) with a' = -a, as the series in z'^-1.
    for n in range(1, count):
        before, row = matrix[n - 1], matrix[n]
        row[0] = warping * before[0]
        for k in range(1, order + 1):
            row[k] = before[k - 1] + warping * (before[k] - row[k - 1])
    return matrix


def _audible(cepstra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop the frames far below the loudest one."""
    level_db = cepstra[:, 0] * 20.0 / math.log(10.0)
    if level_db.max(initial=-math.inf) <= 10.0 * math.log10(SILENCE) + 10.0:
        return cepstra[:0]
    return np.asarray(cepstra[level_db > level_db.max() - SILENT_BELOW_LOUDEST_DB])
