"""Clicks and steps: samples that do not belong to the sound around them.

The second difference of a waveform is small for anything that a throat or a filter makes and large where samples
jump. A sample is a click when its second difference stands `RATIO` times above the RMS of its neighbourhood, the
millisecond around it left out. A consonant or an attack raises its own neighbourhood and passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import blocks, probe

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATIO = 20.0
FLOOR = 1e-4  # -80 dB re full scale: below, nobody hears it
NEIGHBOURHOOD_SECONDS = 0.025  # to either side: several periods of a voice
SPARED_SECONDS = 0.001  # to either side: the click itself and its ringing through a resampler
MERGE_SECONDS = 0.005  # hits closer than this are one click


@dataclass(frozen=True, slots=True)
class Click:
    """Where, and how many times over its neighbourhood."""

    seconds: float
    ratio: float


def find_clicks(path: Path, *, ratio: float = RATIO) -> list[Click]:
    """List the clicks of a file in order of time, read block by block; a click in any channel counts.

    Parameters
    ----------
    path : Path
        A file.
    ratio : float
        How far above its neighbourhood a click stands.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    """
    rate = probe(path).sample_rate
    reach = max(4, round(NEIGHBOURHOOD_SECONDS * rate))
    clicks: list[Click] = []
    held: NDArray[np.float32] | None = None
    start = 0  # of `held`, in samples of the file
    judged = 0  # samples before this one are done
    for block in blocks(path):
        held = block if held is None else np.concatenate((held, block), axis=1)
        until = start + held.shape[1] - reach - 1
        if until <= judged:
            continue
        _collect(clicks, held, start, judged, until, rate, ratio)
        judged = until
        keep = max(start, judged - reach - 1)
        held, start = held[:, keep - start :], keep
    if held is not None:
        _collect(clicks, held, start, judged, start + held.shape[1], rate, ratio)
    return clicks


def _collect(
    clicks: list[Click],
    held: NDArray[np.float32],
    start: int,
    first: int,
    until: int,
    rate: int,
    ratio: float,
) -> None:
    """Append the clicks at samples `first` to `until` of the file; `held` begins at sample `start`."""
    ratios = np.max([click_ratios(channel, rate) for channel in held], axis=0)
    for index in np.flatnonzero(ratios[first - start : until - start] >= ratio) + first:
        found = Click(float(index / rate), float(ratios[index - start]))
        if clicks and found.seconds - clicks[-1].seconds < MERGE_SECONDS:
            if found.ratio > clicks[-1].ratio:
                clicks[-1] = found
        else:
            clicks.append(found)


def click_ratios(samples: NDArray[np.floating[Any]], rate: int) -> NDArray[np.float64]:
    """Return how far each sample's second difference stands above its neighbourhood's RMS."""
    count = len(samples)
    if count < 3:
        return np.zeros(count)
    bend = np.zeros(count)
    bend[1:-1] = np.abs(np.diff(samples.astype(np.float64), 2))
    energy = np.concatenate(([0.0], np.cumsum(bend * bend)))
    reach, spared = max(4, round(NEIGHBOURHOOD_SECONDS * rate)), max(2, round(SPARED_SECONDS * rate))
    index = np.arange(count)

    def box(half: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        low, high = np.maximum(index - half, 0), np.minimum(index + half + 1, count)
        return energy[high] - energy[low], high - low

    (wide, wide_count), (narrow, narrow_count) = box(reach), box(spared)
    others = np.maximum(wide_count - narrow_count, 1)
    rms = np.sqrt(np.maximum(wide - narrow, 0.0) / others)
    return np.asarray(bend / np.maximum(rms, FLOOR))
