"""What the two WORLD methods share: refinement and the question whether a frame is sung at all.

WORLD's searches answer for noise, too. A frame counts as sung when the sound one period on looks like the sound
now: normalised cross-correlation at the lag of the claimed pitch, over two periods or 10 ms.

References
----------
M. Morise et al., "WORLD: A Vocoder-Based High-Quality Speech Synthesis System", IEICE Trans. E99-D, 2016.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.features.pitch.recording import HOP_SAMPLES, SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.features.pitch.recording import Piece

CONTEXT_FRAMES = 100  # one second: beyond the longest filter and the shortest note that the searches keep
FRAME_PERIOD_MS = 10.0
SIMILARITY = 0.6
STONEMASK_SHARE = 0.98 / 12  # of the sample rate; its refinement may move a little above where it began
SHORTEST_WINDOW_SAMPLES = SAMPLE_RATE // 100


def world_sound(piece: Piece) -> NDArray[np.float64]:
    """Return the samples as WORLD wants them: float64, at least as long as its shortest filter."""
    shortest = SAMPLE_RATE // 10
    sound = piece.samples.astype(np.float64)
    return np.pad(sound, (0, max(0, shortest - len(sound))))


def refined(
    sound: NDArray[np.float64], f0_hz: NDArray[np.float64], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the pitch curve of a search, refined by StoneMask.

    StoneMask gives nothing above a twelfth of the sample rate, which is 1333 Hz here; higher notes are refined in
    the same sound at twice the rate.
    """
    import pyworld
    import soxr

    fine: NDArray[np.float64] = pyworld.stonemask(sound, f0_hz, times, SAMPLE_RATE)
    high = f0_hz > STONEMASK_SHARE * SAMPLE_RATE
    if high.any():
        doubled = soxr.resample(sound, SAMPLE_RATE, 2 * SAMPLE_RATE)
        fine[high] = pyworld.stonemask(doubled, f0_hz, times, 2 * SAMPLE_RATE)[high]
    return fine


def frame_grid(piece: Piece, f0_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut or fill the answer for a padded sound to the piece's own frames."""
    f0_hz = f0_hz[: piece.frames]
    return np.pad(f0_hz, (0, piece.frames - len(f0_hz)))


def sung_only(
    piece: Piece, f0_hz: NDArray[np.float64], *, f0_min_hz: float, f0_max_hz: float
) -> NDArray[np.float32]:
    """Set to 0 what lies outside the limits or does not repeat with the claimed period."""
    result = np.where((f0_hz >= f0_min_hz) & (f0_hz <= f0_max_hz), f0_hz, 0.0)
    for frame in np.flatnonzero(result):
        if _similarity(piece.samples, int(frame) * HOP_SAMPLES, SAMPLE_RATE / result[frame]) < SIMILARITY:
            result[frame] = 0.0
    return result.astype(np.float32)


def _similarity(sound: NDArray[np.float32], centre: int, period: float) -> float:
    """Return how alike two stretches one `period` (samples) apart are, -1..1, around `centre`."""
    width = max(SHORTEST_WINDOW_SAMPLES, round(2 * period))
    lag = round(period)
    first = min(max(0, centre - (width + lag) // 2), max(0, len(sound) - width - lag))
    now, later = sound[first : first + width], sound[first + lag : first + lag + width]
    now = now[: len(later)].astype(np.float64)
    if len(later) < lag // 2:
        return 0.0
    energy = float(now @ now) * float(later.astype(np.float64) @ later)
    return float(now @ later) / energy**0.5 if energy > 0 else 0.0
