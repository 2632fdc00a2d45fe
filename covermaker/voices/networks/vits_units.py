"""Content units and levels on a network's own clock, as the original programs bring them there for one clip.

For clips that are trained on, and to compare with the originals. A song is read by time instead (`vits_clock`): the
counts of units and frames are both rounded, so the last frames of a clip are read a unit or two early.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Expansion: TypeAlias = Literal["repeat", "nearest", "left", "fork"]


def expansion(units: int, frames: int, mode: Expansion) -> NDArray[np.int64]:
    """Return which unit each frame takes.

    Parameters
    ----------
    units, frames : int
        Both at least 1.
    mode : str
        ``"repeat"``: each unit twice (RVC). ``"nearest"`` and ``"left"``: so-vits-svc 4.1's two ways to spread
        units evenly. ``"fork"``: as ``"nearest"``, but the last units are left out where there are more units than
        frames.

    Returns
    -------
    int64 array (frames,)
    """
    at = np.arange(frames)
    if mode == "repeat":
        taken = at // 2
    elif mode == "left":
        # A frame moves on by one unit at most: with more units than frames the last ones are never heard.
        borders = (np.arange(1, units + 1) * frames).astype(np.float32) / np.float32(units)
        taken = np.minimum(np.searchsorted(borders, at.astype(np.float32), side="right"), at)
    elif mode == "fork" and frames <= units:
        taken = at
    else:
        # float32 as in the originals: a whole number that it misses falls one unit short.
        step = np.float32(units) / np.float32(frames)
        taken = np.floor(at.astype(np.float32) * step).astype(np.int64)
    return np.minimum(taken, units - 1)


def frame_levels(sound: NDArray[np.floating[Any]], hop_samples: int) -> NDArray[np.float32]:
    """Return the level that so-vits-svc 4.1 tells a network at each frame: root mean square of a hop around it.

    Parameters
    ----------
    sound : array (n,)
    hop_samples : int

    Returns
    -------
    float32 array (n // hop_samples,)
        Frame k hears the hop centred at its first sample; before the start the sound is mirrored.
    """
    frames, half = len(sound) // hop_samples, hop_samples // 2
    power = np.pad(np.square(sound, dtype=np.float64), half, mode="reflect")
    mean = power[: frames * hop_samples].reshape(frames, hop_samples).mean(axis=1)
    levels: NDArray[np.float32] = np.sqrt(mean).astype(np.float32)
    return levels
