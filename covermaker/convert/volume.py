"""The source's level as so-vits-svc tells it to voices that were trained on volume: of every hop of their own clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.features.clock import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

_FLOOR = 1e-5  # -100 dBFS


def hop_levels(parts: Iterable[Samples], hop_samples: int) -> NDArray[np.float32]:
    """Return the root mean square of each hop of a sound that comes in parts.

    Parameters
    ----------
    parts : iterable of float32 arrays (1, n)
    hop_samples : int

    Returns
    -------
    float32 array (samples // hop_samples,)
        Entry k hears the hop centred at sample ``k * hop_samples``; before the start the sound is mirrored.
    """
    half = hop_samples // 2
    held, begun = np.zeros(0), False
    levels = [np.zeros(0)]
    samples = 0
    for part in parts:
        held = np.concatenate([held, np.square(part[0], dtype=np.float64)])
        samples += part.shape[1]
        if not begun and len(held) > half:
            held, begun = np.concatenate([held[half:0:-1], held]), True
        if begun:
            whole = len(held) // hop_samples * hop_samples
            levels.append(np.sqrt(held[:whole].reshape(-1, hop_samples).mean(axis=1)))
            held = held[whole:]
    return np.concatenate(levels)[: samples // hop_samples].astype(np.float32)


def at_frames(
    levels: NDArray[np.float32], frames: int, hop_samples: int, sample_rate: int
) -> NDArray[np.float64]:
    """Put the levels of hops where a network looks for them on the feature clock.

    A feature frame is shorter than a hop, so no two hops begin in one: each level stands at the frame in which its hop
    begins, and the frames between have that of the next hop.

    Returns
    -------
    float64 array (frames,)
        In dBFS, at least -100.
    """
    if not len(levels):
        return np.full(frames, 20.0 * np.log10(_FLOOR))
    next_hop = -(-np.arange(frames) * sample_rate // (FRAME_RATE * hop_samples))
    told = levels[np.minimum(next_hop, len(levels) - 1)].astype(np.float64)
    decibels: NDArray[np.float64] = 20.0 * np.log10(np.maximum(told, _FLOOR))
    return decibels
