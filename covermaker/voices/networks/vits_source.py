"""The decoder's source: sines at the pitch and its multiples, noise where there is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SINE = 0.1  # amplitude
_BREATH = 0.003  # of the noise beside a sine
_HISS = 0.1 / 3  # of the noise without one


def frame_cycles(f0_hz: NDArray[np.float64], hop_samples: int, sample_rate: int) -> NDArray[np.float64]:
    """Integrate a pitch that is held for each frame: cycles sung before each, float64 (T,), from 0 on."""
    steps = f0_hz * (hop_samples / sample_rate)
    return np.concatenate([[0.0], np.cumsum(steps[:-1])]) if len(steps) else steps


def sample_cycles(
    f0_hz: NDArray[np.float64], cycles: NDArray[np.float64], hop_samples: int, sample_rate: int
) -> NDArray[np.float32]:
    """Return the phase at every sample, in cycles.

    A sample's phase includes its own step, as in the original programs. Whole cycles are dropped in float64: hours
    into a song float32 would have no fraction left.

    Parameters
    ----------
    f0_hz, cycles : float64 arrays (T,)
        The pitch held for each frame, and the cycles sung before it.
    hop_samples, sample_rate : int

    Returns
    -------
    float32 array (T * hop_samples,)
        0 to 1.
    """
    steps = np.arange(1, hop_samples + 1) / sample_rate
    phase = (cycles % 1.0)[:, None] + f0_hz[:, None] * steps
    return (phase % 1.0).ravel().astype(np.float32)


class SineSource(nn.Module):
    """Sines to one signal, by a weight for each; adds the noise of breath.

    Parameters
    ----------
    harmonics : int
    """

    def __init__(self, harmonics: int) -> None:
        super().__init__()
        self.l_linear = nn.Linear(harmonics, 1)

    def forward(
        self, cycles: Tensor, voiced: Tensor, *, offsets: Tensor | None = None, noise: Tensor | None = None
    ) -> Tensor:
        """Make the source.

        Parameters
        ----------
        cycles : (B, N)
            Phase of the fundamental at every sample, 0 to 1.
        voiced : (B, N)
            1 where there is a pitch, else 0.
        offsets : (harmonics,), optional
            Cycles that each sine is ahead; none otherwise.
        noise : (B, N, harmonics), optional
            Of variance 1.

        Returns
        -------
        (B, 1, N)
        """
        numbers = torch.arange(1, self.l_linear.in_features + 1, dtype=cycles.dtype, device=cycles.device)
        turns = cycles[..., None] * numbers
        if offsets is not None:
            turns = turns + offsets
        sound = torch.sin((turns - turns.round()) * (2.0 * math.pi)) * (_SINE * voiced[..., None])
        if noise is not None:
            sound = sound + noise * (_HISS + (_BREATH - _HISS) * voiced[..., None])
        return torch.tanh(self.l_linear(sound)).transpose(1, 2)
