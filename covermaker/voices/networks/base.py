"""The seam between a voice's weights and the rest of the house: what every singing network offers.

A network is asked in plain numpy arrays on the 100 frames-a-second clock, for any range of frames, and never chunks
by itself. What crosses a chunk border is handed in from outside: the pitch, which `Synthesizer.pitch` reads once
over the whole song and which carries its phase, and the position on the clock, from which noise is drawn. So the
middle of a chunk equals the same frames of a whole run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from covermaker.features.clock import FRAME_RATE
from covermaker.registry import Registry

ALL = slice(None)


@dataclass(frozen=True, slots=True)
class SungPitch:
    """A song's pitch as one network is told it, on the feature clock; see `Synthesizer.pitch`.

    Attributes
    ----------
    f0_hz : float64 array (n,)
        0 where unvoiced when the network wants that.
    voiced : bool array (n,)
    phase_cycles : float64 array (n,)
        Cycles sung before each frame, as this network integrates its pitch.
    """

    f0_hz: NDArray[np.float64]
    voiced: NDArray[np.bool_]
    phase_cycles: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.f0_hz)

    def part(self, begin: int, end: int) -> SungPitch:
        """Return the frames from `begin` to before `end`."""
        return SungPitch(self.f0_hz[begin:end], self.voiced[begin:end], self.phase_cycles[begin:end])


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
    content_held : bool
        How it was trained to see content, which has 50 rows a second, at the frames between: True, each row is held
        for two frames; False, they take the mean of both rows. See `features.content.content_at`.
    context_frames : int
        Frames at each end of a `render` call that may differ from a whole run: give that many more on each
        side than you keep.
    """

    sample_rate: int
    hop_samples: int
    content_dim: int
    content_held: bool
    context_frames: int

    def pitch(self, f0_hz: NDArray[np.floating[Any]]) -> SungPitch:
        """Read a whole song's pitch (n,) in Hz, 0 where unvoiced, as this network sings it."""
        ...

    def render(
        self,
        content: NDArray[np.float32],
        pitch: SungPitch,
        loudness_db: NDArray[np.floating[Any]],
        *,
        first_frame: int,
        seed: int,
        speaker: int | Sequence[float] = 0,
        formant_ratio: float = 1.0,
        noise_scale: float | None = None,
        keep: slice = ALL,
    ) -> NDArray[np.float32]:
        """Sing `n` frames.

        Parameters
        ----------
        content : float32 array (n, content_dim)
        pitch : SungPitch
            The same frames of what `pitch` read of the whole song.
        loudness_db : array (n,)
            Level of the source in dBFS; some networks follow it.
        first_frame : int
            Position of row 0 on the song's clock.
        seed : int
            Of the noise; with `first_frame` it fixes every sample.
        speaker : int or sequence of float
            Row of the voice's speaker table, or a weight for every row: a blend of singers.
        formant_ratio : float
            By what the resonances move, apart from the pitch: what the voice would sing at f Hz it sings at
            ``f * formant_ratio``. Above 1 is a smaller head.
        noise_scale : float, optional
            How much of the spread of a network with a latent is sung; None is its own default. Others ignore it.
        keep : slice
            Which of the `n` frames come out, by default all; the others are context only. It has no step.

        Returns
        -------
        float32 array (kept frames * hop_samples,)
            Sample j sounds at ``(first_frame + kept.start) / FRAME_RATE + j / sample_rate`` seconds.
        """
        ...


# (config of the card, safetensors file, device) -> a network ready to sing.
Loader: TypeAlias = Callable[[Mapping[str, Any], Path, str], Synthesizer]

NETWORKS: Registry[Loader] = Registry(
    "voice network",
    "covermaker.voice_networks",
    {
        "ddsp": "covermaker.voices.networks.ddsp:load_synthesizer",
        "vits": "covermaker.voices.networks.vits:load_synthesizer",
    },
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
