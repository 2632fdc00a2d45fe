"""A stretch of a song, and what is measured of a sound in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.buffer import Audio
from covermaker.audio.loudness import measure
from covermaker.render.previewing import PEAKS_PER_SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames of the song: `lead` of them, from `start` on, come before what is heard."""

    start: int
    frames: int
    lead: int
    rate: int

    def heard(self, sound: Samples) -> Samples:
        """Cut the lead off and make it stereo."""
        cut = np.ascontiguousarray(sound[:, self.lead :], np.float32)
        return np.repeat(cut, 2, axis=0) if len(cut) == 1 else cut


def levels_of(sound: Samples, rate: int) -> tuple[float | None, float | None]:
    """Return the integrated loudness in LUFS, also None for less than 400 ms, and the highest sample in dBFS.

    Of silence both are None.
    """
    found = measure(Audio(sound, rate), true_peak=False)
    return _rounded(found.integrated_lufs), _rounded(found.sample_peak_dbfs)


def _rounded(db: float | None) -> float | None:
    return None if db is None or not math.isfinite(db) else round(db, 2)


def peaks_of(sound: NDArray[np.floating[Any]], rate: int) -> list[list[float]]:
    """Return `PEAKS_PER_SECOND` rows: the highest absolute samples, left and right."""
    hop = rate // PEAKS_PER_SECOND
    level = np.abs(sound)
    level = np.pad(level, ((0, 0), (0, -level.shape[1] % hop)))
    rows: list[list[float]] = np.round(
        level.reshape(len(level), -1, hop).max(axis=2).T.astype(np.float64), 4
    ).tolist()
    return rows
