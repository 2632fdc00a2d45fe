"""A stretch of a song, and what is measured of a sound in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.loudness import LoudnessMeter
from covermaker.render.previewing import PEAKS_PER_SECOND
from covermaker.units import gain_to_db

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


def loudness_of(sound: Samples, rate: int) -> float | None:
    """Return the integrated loudness of a stereo sound in LUFS; None for silence and for less than 400 ms."""
    meter = LoudnessMeter(2, rate)
    meter.push(sound)
    found = meter.finish().integrated_lufs
    return None if found is None or not math.isfinite(found) else round(found, 2)


def peak_of(sound: Samples) -> float | None:
    """Return the highest sample in dBFS; None for silence."""
    peak = float(np.abs(sound).max(initial=0.0))
    return round(gain_to_db(peak), 2) if peak else None


def peaks_of(sound: NDArray[np.floating[Any]], rate: int) -> list[list[float]]:
    """Return `PEAKS_PER_SECOND` rows: the highest absolute samples, left and right."""
    hop = rate // PEAKS_PER_SECOND
    level = np.abs(sound)
    level = np.pad(level, ((0, 0), (0, -level.shape[1] % hop)))
    rows: list[list[float]] = np.round(
        level.reshape(len(level), -1, hop).max(axis=2).T.astype(np.float64), 4
    ).tolist()
    return rows
