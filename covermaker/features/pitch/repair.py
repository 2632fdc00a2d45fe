"""Two mendings of a pitch curve: the wrong octave, and jitter.

Every method now and then reads half, double or a third of the pitch. A singer who leaps an octave stays there; a leap
that comes back, or joins a note, within a fifth of a second is an error of reading. What lasts longer, up to whole
notes, is moved where the sound itself speaks for another octave; see `octaves`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# What a reading may have to be multiplied by to be the pitch, "as it is" first: it wins where nothing else decides.
FACTORS = np.array([1.0, 2.0, 0.5, 3.0, 1 / 3, 4.0, 0.25])
_STEP_CENTS = 300.0  # voices glide by less than this from one frame to the next
# In units of one jump: ten moved frames cost as much, so a lapse of up to 200 ms inside a note, which saves two jumps,
# or of 100 ms at its end is mended and anything longer is believed. An octave is a likelier lapse than a twelfth.
_FRAME_COST = np.array([0.0, 0.1, 0.1, 0.12, 0.12, 0.13, 0.13])
# What a sound that is sure adds to it: a note is moved where the sound is a third sure of it on the whole.
_AGAINST_COST, _FOR_COST = 0.05, -0.3
_GAP_FRAMES = 5  # a note goes on over a gap of up to 50 ms
MOST_SMOOTH_FRAMES = 21


def repair_octaves(
    f0_hz: NDArray[np.float32], support: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Bring octave, twelfth and double-octave lapses back to the note they lie in.

    The cheapest path through the possible factors of all frames of a note (Viterbi): moving a frame costs a little,
    or pays where the sound speaks for it, a jump between neighbours costs more. Frames are multiplied by an exact
    factor or left alone.

    Parameters
    ----------
    f0_hz : float32 array (frames,)
        On the clock of 100 frames a second; 0 = unvoiced.
    support : float32 array (frames, factors), optional
        What the sound says of each of `FACTORS`, -1..1, -inf for what may not be; see `octaves.hear_octaves`.
        Without it only short lapses are mended.

    Returns
    -------
    float32 array (frames,)
        Voiced where `f0_hz` is.
    """
    mended = f0_hz.copy()
    for note in _notes(f0_hz):
        cost = np.tile(_FRAME_COST, (len(note), 1))
        if support is not None:
            said = support[note]
            cost += np.where(said > 0, _FOR_COST * said, -_AGAINST_COST * said)
        mended[note] = f0_hz[note] * FACTORS[_cheapest(f0_hz[note], cost)]
    return mended


def smooth_pitch(f0_hz: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Take the running median of `frames` frames inside every voiced stretch; towards its ends of fewer.

    Parameters
    ----------
    f0_hz : float32 array (n,)
        0 = unvoiced.
    frames : int
        Odd, at most 21; 0 and 1 change nothing. Five frames take up to 7 cents off the crests of a vibrato of 6 Hz and
        half a semitone to either side.

    Raises
    ------
    UsageError
        For any other `frames`.
    """
    check_smoothing(frames)
    smooth = f0_hz.copy()
    half = frames // 2
    for run in _runs(f0_hz > 0):
        curve = f0_hz[run]
        for reach in range(min(half, (len(curve) - 1) // 2) + 1):
            # The widest windows that fit, overwritten from the narrow ones at the ends inwards.
            windows = np.lib.stride_tricks.sliding_window_view(curve, 2 * reach + 1)
            smooth[run.start + reach : run.stop - reach] = np.median(windows, axis=1)
    return smooth


def check_smoothing(frames: int) -> None:
    """Refuse a number of frames that `smooth_pitch` cannot take."""
    if frames != 0 and (frames % 2 == 0 or not 0 < frames <= MOST_SMOOTH_FRAMES):
        raise UsageError(
            f"the pitch cannot be smoothed over {frames} frames",
            hint=f"an odd number up to {MOST_SMOOTH_FRAMES}, or 0 for none",
        )


def _cheapest(readings_hz: NDArray[np.float32], cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return, for each frame of a note, which of `FACTORS` it takes; `cost` (frames, factors) is its own."""
    cents = 1200.0 * np.log2(readings_hz.astype(np.float64)[:, None] * FACTORS)  # (frames, factors)
    score = cost[0]
    came_from = np.zeros(cents.shape, dtype=np.int64)
    here = np.arange(len(FACTORS))
    for frame in range(1, len(cents)):
        jumps = np.abs(np.subtract.outer(cents[frame], cents[frame - 1])) > _STEP_CENTS  # (to, from)
        options = score + jumps
        came_from[frame] = options.argmin(axis=1)
        score = options[here, came_from[frame]] + cost[frame]
    path = np.empty(len(cents), dtype=np.int64)
    path[-1] = score.argmin()
    for frame in range(len(cents) - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path


def _notes(f0_hz: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
    """Yield the voiced frames of each stretch that is interrupted by short gaps at most."""
    voiced = np.flatnonzero(f0_hz > 0)
    if len(voiced):
        yield from np.split(voiced, np.flatnonzero(np.diff(voiced) > _GAP_FRAMES + 1) + 1)


def _runs(voiced: NDArray[np.bool_]) -> Iterator[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], voiced, [False]))))
    for start, stop in edges.reshape(-1, 2):
        yield slice(int(start), int(stop))
