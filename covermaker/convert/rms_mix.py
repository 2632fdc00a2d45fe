"""The volume envelope of RVC and so-vits-svc: over seconds, the vocal is as loud as the voice sang it or as the source.

Levels are root mean squares over a second, twice a second. They are heard spread evenly over the sound, the first and
the last half a step inside it, and so up to a quarter of a second beside what they measured: that is how the original
programs have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

LOWEST_OUTPUT = 1e-6  # a quieter one is not brought up any further
MARGIN_SECONDS = 2  # how much around a region is measured, so that it equals the same samples of the whole


def rms_frames(
    parts: Iterable[Samples], sample_rate: int, *, start: int = 0, samples: int | None = None
) -> NDArray[np.float64]:
    """Return the level of a sound each half second.

    Parameters
    ----------
    parts : iterable of float32 arrays (channels, n)
        The sound, or a stretch of it; channels are averaged.
    sample_rate : int
        In Hz.
    start, samples : int
        Where the stretch begins in the whole sound, and the whole's length; by default it is the whole.

    Returns
    -------
    float64 array (samples // (sample_rate // 2) + 1,)
        Entry k measures the half seconds before and after k * 0.5 s; outside the stretch, and outside the sound, there
        is silence.
    """
    hop = sample_rate // 2
    energy: dict[int, float] = {}
    position = start
    for part in parts:
        squares = np.square(part.mean(axis=0, dtype=np.float64))
        first, last = position // hop, (position + len(squares)) // hop
        borders = np.clip(np.arange(first, last + 1) * hop - position, 0, len(squares))
        sums = np.add.reduceat(squares, borders[borders < len(squares)]) if len(squares) else ()
        for number, total in enumerate(sums, first):
            energy[number] = energy.get(number, 0.0) + float(total)
        position += len(squares)
    count = (position if samples is None else samples) // hop + 1
    cells = np.array([energy.get(number, 0.0) for number in range(-1, count)])
    levels: NDArray[np.float64] = np.sqrt((cells[:-1] + cells[1:]) / (2 * hop))
    return levels


class RmsMix:
    """The gain that brings a vocal's level towards its source's.

    Parameters
    ----------
    source, output : float64 arrays
        Levels of both from `rms_frames`, of the whole song.
    samples : int
        Of the whole output.
    loudness_mix : float
        0 follows the source, 1 leaves the output as it is.
    first : int
        Where in the song the output begins.
    """

    def __init__(
        self,
        source: NDArray[np.float64],
        output: NDArray[np.float64],
        samples: int,
        *,
        loudness_mix: float,
        first: int = 0,
    ) -> None:
        self._levels = (source, np.maximum(output, LOWEST_OUTPUT))
        self._samples, self._follow, self._first = samples, 1.0 - loudness_mix, first

    def at(self, start: int, count: int) -> Samples:
        """Return the gain at samples ``start .. start + count`` of the output as (count,) float32."""
        gain: Samples = self.gain(np.arange(start, start + count)).astype(np.float32)
        return gain

    def gain(self, positions: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """Return the gain at samples of the output."""
        if self._follow == 0.0:
            return np.ones(len(positions))
        share = (positions + (self._first + 0.5)) / self._samples
        source, output = (
            np.interp(share * len(levels) - 0.5, np.arange(len(levels)), levels) for levels in self._levels
        )
        return np.asarray((source / output) ** self._follow)
