"""`Audio`: the one shape in which sound travels between rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from covermaker.errors import AudioInputError

# (channels, frames) float32, nominal range -1..1; values beyond are legal until the master.
Samples: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Audio:
    """Samples and their rate.

    Parameters
    ----------
    samples : float32 array (channels, frames)
        Made C-contiguous. Other types and shapes are refused, not guessed: a square array has no recognisable
        channel axis.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioInputError
        When the array has not two dimensions, is not float32 or holds NaN or infinity.
    """

    samples: Samples
    sample_rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise AudioInputError(
                f"audio must be float32 (channels, frames), not {self.samples.dtype} {self.samples.shape}"
            )
        if not np.isfinite(self.samples).all():
            raise AudioInputError("audio holds NaN or infinite samples")
        if not self.samples.flags.c_contiguous:
            object.__setattr__(self, "samples", np.ascontiguousarray(self.samples))

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """Length in samples per channel."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    def mono(self) -> Audio:
        """Return the mean of the channels as one channel."""
        if self.channels == 1:
            return self
        return Audio(
            self.samples.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32), self.sample_rate
        )


def fit(samples: Samples, frames: int) -> Samples:
    """Cut or zero-pad (…, n) samples at the end to exactly `frames`."""
    have = samples.shape[-1]
    if have == frames:
        return samples
    if have > frames:
        return np.ascontiguousarray(samples[..., :frames])
    return np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, frames - have)])
