"""A network's own clock on a song's samples, and features of the 100 frames-a-second clock read at it.

Frame k of the own clock begins at sample ``k * hop`` of the whole song, whatever range is asked for. Positions are
integers and fractions of them, so a curve reads the same from any cut of it. RVC's own clock is the feature clock;
so-vits-svc's frames are 512 samples of 44.1 kHz, which is 1.161 feature frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class OwnFrames:
    """The frames of the own clock that cover a range of feature frames, and where they lie between those.

    Parameters
    ----------
    first_frame, frames : int
        The range on the feature clock; at least one frame.
    feature_hop, hop : int
        Samples of a feature frame and of an own frame.
    """

    first_frame: int
    frames: int
    feature_hop: int
    hop: int

    @property
    def first(self) -> int:
        """Number of the first own frame."""
        return self.first_frame * self.feature_hop // self.hop

    @property
    def stop(self) -> int:
        """One after the last."""
        return -(-(self.first_frame + self.frames) * self.feature_hop // self.hop)

    def __len__(self) -> int:
        return self.stop - self.first

    def _places(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the feature frame at or before each own frame, counted in the range, and how far past it that is.

        The first own frame may begin before the range and the last after its last frame: they take the ends.
        """
        whole, rest = np.divmod(np.arange(self.first, self.stop) * self.hop, self.feature_hop)
        index = whole - self.first_frame
        inside = (index >= 0) & (index < self.frames - 1)
        return np.clip(index, 0, self.frames - 1), np.where(inside, rest / self.feature_hop, 0.0)

    def held(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Read rows (frames, …) that hold until the next one."""
        return rows[self._places()[0]]

    def nearest(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Read the row (frames, …) that is nearest in time."""
        index, past = self._places()
        return rows[index + (past >= 0.5)]

    def linear(self, curve: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Read a curve (frames,) that runs straight between its points."""
        index, past = self._places()
        left = np.asarray(curve, dtype=np.float64)[index]
        right = np.asarray(curve, dtype=np.float64)[np.minimum(index + 1, self.frames - 1)]
        return np.where(past > 0.0, left + past * (right - left), left)

    def at_features(
        self, cycles: NDArray[np.float64], f0_hz: NDArray[np.float64], sample_rate: int
    ) -> NDArray[np.float64]:
        """Read the phase of a pitch that own frames hold, (len,), at the feature frames, (frames,).

        Parameters
        ----------
        cycles, f0_hz : float64 arrays (len,)
            Cycles sung before each own frame, and its pitch.
        sample_rate : int
        """
        samples = (self.first_frame + np.arange(self.frames)) * self.feature_hop
        own, past = np.divmod(samples, self.hop)
        own -= self.first
        return cycles[own] + past * (f0_hz[own] / sample_rate)
