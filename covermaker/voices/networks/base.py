"""The seam between a voice's weights and the rest of the house: what every singing network offers.

A network is asked in plain numpy arrays on the 100 frames-a-second clock, for any range of frames, and never chunks
by itself. What crosses a chunk border is handed in from outside: the phase of the pitch, computed once over the
whole song by `phase_curve`, and the position on the clock, from which noise is drawn. So the middle of a chunk
equals the same frames of a whole run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from covermaker.features.clock import FRAME_RATE
from covermaker.registry import Registry


class Synthesizer(Protocol):
    """A loaded voice network, ready to sing.

    Attributes
    ----------
    sample_rate : int
        Of what `render` returns, in Hz.
    hop_samples : int
        ``sample_rate / FRAME_RATE``.
    content_dim : int
        Width of the content rows it was trained on.
    context_frames : int
        Frames at each end of a `render` call that may differ from a whole run: give that many more on each
        side than you keep.
    """

    sample_rate: int
    hop_samples: int
    content_dim: int
    context_frames: int

    def render(
        self,
        content: NDArray[np.float32],
        f0_hz: NDArray[np.floating[Any]],
        loudness_db: NDArray[np.floating[Any]],
        *,
        phase_cycles: NDArray[np.float64],
        first_frame: int,
        seed: int,
        speaker: int | Sequence[float] = 0,
        formant_ratio: float = 1.0,
    ) -> NDArray[np.float32]:
        """Sing `n` frames.

        Parameters
        ----------
        content : float32 array (n, content_dim)
        f0_hz : array (n,)
            Pitch in Hz, 0 where unvoiced.
        loudness_db : array (n,)
            Level in dBFS that the output follows.
        phase_cycles : float64 array (n,)
            The same rows of `phase_curve` of the whole song's pitch.
        first_frame : int
            Position of row 0 on the song's clock.
        seed : int
            Of the noise; with `first_frame` it fixes every sample.
        speaker : int or sequence of float
            Row of the voice's speaker table, or a weight for every row: a blend of singers.
        formant_ratio : float
            By what the resonances move, apart from the pitch: what the voice would sing at f Hz it sings at
            ``f * formant_ratio``. Above 1 is a smaller head.

        Returns
        -------
        float32 array (n * hop_samples,)
            Sample j sounds at ``first_frame / FRAME_RATE + j / sample_rate`` seconds.
        """
        ...


# (config of the card, safetensors file, device) -> a network ready to sing.
Loader: TypeAlias = Callable[[Mapping[str, Any], Path, str], Synthesizer]

NETWORKS: Registry[Loader] = Registry(
    "voice network",
    "covermaker.voice_networks",
    {"ddsp": "covermaker.voices.networks.ddsp:load_synthesizer"},
)


def voiced_edges(f0_hz: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pitch at the left and right end of each hop, in Hz, both (n,).

    Inside a hop the pitch runs straight from one frame's value to the next. A hop with one unvoiced end keeps the
    voiced value, so notes neither dive to 0 Hz nor rise from it; a hop with two unvoiced ends stands still.
    """
    left = np.asarray(f0_hz, dtype=np.float64)
    right = np.append(left[1:], left[-1:])
    return np.where(left > 0.0, left, right), np.where(right > 0.0, right, left)


def phase_curve(f0_hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Integrate a whole song's pitch: cycles sung before each frame.

    float64 keeps the error below 1e-9 cycles over hours; a float32 sum would detune after minutes.

    Parameters
    ----------
    f0_hz : array (n,)
        Pitch at FRAME_RATE in Hz, 0 where unvoiced.

    Returns
    -------
    float64 array (n,)
        Starts at 0, never falls.
    """
    if len(f0_hz) == 0:
        return np.zeros(0)
    left, right = voiced_edges(f0_hz)
    steps = (left + right) / (2.0 * FRAME_RATE)
    return np.concatenate([[0.0], np.cumsum(steps[:-1])])
