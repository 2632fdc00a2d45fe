"""How well one pitch curve follows another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

OCTAVE_ERROR_CENTS = 600.0  # from here on another octave is nearer
IN_TUNE_CENTS = 50.0


@dataclass(frozen=True, slots=True)
class PitchMatch:
    """What two curves have in common; cents are of the frames that are voiced in both.

    Parameters
    ----------
    correlation : float or None
        Pearson's r of the two curves in cents, None when one of them does not move or nothing is shared.
    median_cents, mean_cents : float or None
        Of the absolute error after the wanted transposition is taken off.
    rms_cents : float or None
        Root mean square of the same error; no median is taken off and no time is warped.
    in_tune : float or None
        Share 0..1 of shared frames within 50 cents.
    octave_errors : float or None
        Share 0..1 of shared frames that are off by 600 cents or more.
    voicing_f1 : float
        F1 score 0..1 of "voiced", the reference being the truth; 1 when neither is ever voiced.
    shared_frames : int
        Frames voiced in both.
    """

    correlation: float | None
    median_cents: float | None
    mean_cents: float | None
    rms_cents: float | None
    in_tune: float | None
    octave_errors: float | None
    voicing_f1: float
    shared_frames: int


def match_pitch(
    reference_hz: NDArray[np.floating[Any]],
    other_hz: NDArray[np.floating[Any]],
    *,
    transpose_semitones: float = 0.0,
) -> PitchMatch:
    """Compare two curves on the feature clock.

    Parameters
    ----------
    reference_hz, other_hz : float array (frames,)
        Hz, 0 = unvoiced. The longer one is cut.
    transpose_semitones : float
        How much higher `other_hz` is meant to be.
    """
    count = min(len(reference_hz), len(other_hz))
    wanted = np.asarray(reference_hz[:count], np.float64) * 2.0 ** (transpose_semitones / 12.0)
    heard = np.asarray(other_hz[:count], np.float64)
    voiced_wanted, voiced_heard = wanted > 0, heard > 0
    shared = voiced_wanted & voiced_heard
    together = int(shared.sum())
    voiced = int(voiced_wanted.sum()) + int(voiced_heard.sum())
    f1 = 2.0 * together / voiced if voiced else 1.0
    if not together:
        return PitchMatch(None, None, None, None, None, None, f1, 0)
    wanted_cents, heard_cents = 1200.0 * np.log2(wanted[shared]), 1200.0 * np.log2(heard[shared])
    error = np.abs(heard_cents - wanted_cents)
    return PitchMatch(
        _pearson(wanted_cents, heard_cents),
        float(np.median(error)),
        float(error.mean()),
        float(np.sqrt(np.mean(error * error))),
        float((error <= IN_TUNE_CENTS).mean()),
        float((error >= OCTAVE_ERROR_CENTS).mean()),
        f1,
        together,
    )


def _pearson(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    # A curve that moves by less than a thousandth of a cent stands still.
    return float(first @ second) / scale if scale > 1e-6 * len(first) else None
