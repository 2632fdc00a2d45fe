"""Where a sound leaves another one that it should equal: per millisecond, against the milliseconds around."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME = 0.9  # correlation of the whole: below, these are two different sounds
BIN_SECONDS = 0.001
GAIN_BINS = 5  # a gain is taken over that many milliseconds
AUDIBLE = 0.003
STEP_DB = 0.5
ALIKE = 0.98  # of a bin of gain with the reference: where it fits, only its gain can differ
LEFT = 0.1  # of the reference's RMS, 20 ms around: more than this left over is a deviation …
TIMES_AROUND = 4.0  # … when it stands that far above what is left over around it
AROUND_BINS = 20


def find_deviations(
    samples: NDArray[np.float64], reference: NDArray[np.float64], rate: int
) -> list[tuple[int, str, float]]:
    """Return sample, ``"step"`` or ``"click"``, and its size, of each sudden deviation.

    A step's size is in dB; a click's is what is left over, as a multiple of what is left over around it.
    """
    width = max(8, round(BIN_SECONDS * rate))
    count = len(samples) // width
    if count <= 2 * AROUND_BINS:
        return []
    x, r = (values[: count * width].reshape(count, width) for values in (samples, reference))
    cross, power, wanted = (x * r).sum(axis=1), (x * x).sum(axis=1), (r * r).sum(axis=1)
    if cross.sum() < SAME * np.sqrt(power.sum() * wanted.sum()) or wanted.sum() <= 0.0:
        return []
    found = [(at * width, "step", size) for at, size in _steps(cross, power, wanted, width)]
    left = _left_over(x, r, cross, wanted)
    level = np.sqrt(_around(wanted, AROUND_BINS) / (2 * AROUND_BINS + 1) / width)
    around = np.median(
        np.lib.stride_tricks.sliding_window_view(
            np.pad(left, AROUND_BINS, mode="reflect"), 2 * AROUND_BINS + 1
        ),
        axis=1,
    )
    hits = (left > LEFT * level) & (level > AUDIBLE) & (left > TIMES_AROUND * around)
    found += [
        (int(at) * width, "click", float(left[at] / max(around[at], 1e-6))) for at in np.flatnonzero(hits)
    ]
    return found


def _left_over(
    x: NDArray[np.float64], r: NDArray[np.float64], cross: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the RMS of each bin less the reference with the gain of the bins before it, or of those after it."""
    pad = (GAIN_BINS, GAIN_BINS)
    over = np.convolve(np.pad(cross, pad, mode="edge"), np.ones(GAIN_BINS), "valid")
    under = np.convolve(np.pad(wanted, pad, mode="edge"), np.ones(GAIN_BINS), "valid")
    gain = over / np.maximum(under, 1e-12)
    before, after = gain[: len(x)], gain[GAIN_BINS + 1 :]
    found = [((x - side[:, None] * r) ** 2).mean(axis=1) for side in (before, after)]
    return np.asarray(np.sqrt(np.minimum(*found)))


def _steps(
    cross: NDArray[np.float64], power: NDArray[np.float64], wanted: NDArray[np.float64], width: int
) -> list[tuple[int, float]]:
    """Return bin and dB of each place where the gain over the reference jumps."""
    cross, power, wanted = (
        np.convolve(values, np.ones(GAIN_BINS), "valid") for values in (cross, power, wanted)
    )
    alike = cross / np.sqrt(np.maximum(power * wanted, 1e-20))
    good = (alike > ALIKE) & (wanted > AUDIBLE**2 * GAIN_BINS * width)
    gain_db = 20.0 * np.log10(np.maximum(cross, 1e-12) / np.maximum(wanted, 1e-12))
    # Bins before `at` on one side, from `at` + 1 on the other: the bin that holds the step belongs to neither.
    jump_db = gain_db[GAIN_BINS + 1 :] - gain_db[: -GAIN_BINS - 1]
    sure = good[GAIN_BINS + 1 :] & good[: -GAIN_BINS - 1] & (np.abs(jump_db) >= STEP_DB)
    found: list[tuple[int, float]] = []
    for at in np.flatnonzero(sure):
        if found and at + GAIN_BINS - found[-1][0] <= 2 * GAIN_BINS:
            if abs(jump_db[at]) > abs(found[-1][1]):
                found[-1] = (int(at) + GAIN_BINS, float(jump_db[at]))
        else:
            found.append((int(at) + GAIN_BINS, float(jump_db[at])))
    return found


def _around(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Return the sum over `reach` bins to either side."""
    return np.asarray(np.convolve(np.pad(values, reach, mode="reflect"), np.ones(2 * reach + 1), "valid"))
