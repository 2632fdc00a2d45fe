"""What a channel strip shows: how loud its track was as it entered the mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from covermaker.errors import AudioInputError
from covermaker.units import gain_to_db


@dataclass(frozen=True, slots=True)
class StripReport:
    """Level of one track or bus as it enters the mix, in dBFS over both channels; ``-inf`` for silence."""

    name: str
    audible: bool
    peak_dbfs: float
    rms_dbfs: float


class StripMeter:
    """Peak and RMS of a stream of stereo blocks."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._peak = 0.0
        self._energy = 0.0

    def push(self, block: NDArray[np.float64]) -> None:
        """Add a block (2, n).

        Raises
        ------
        AudioInputError
            When it holds NaN or infinity.
        """
        peak = float(max(block.max(), -block.min()))
        if not np.isfinite(peak):
            raise AudioInputError(f"track '{self._name}' holds NaN or infinite samples")
        self._peak = max(self._peak, peak)
        self._energy += float(np.vdot(block, block))

    def report(self, *, audible: bool, frames: int) -> StripReport:
        """Return the levels; the RMS is over a song of `frames`."""
        rms = (self._energy / (2 * frames)) ** 0.5
        return StripReport(self._name, audible, gain_to_db(self._peak), gain_to_db(rms))
