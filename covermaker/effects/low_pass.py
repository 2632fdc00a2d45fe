"""A low-pass filter: hiss and brightness go."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import SectionStream, butterworth, ring_seconds
from covermaker.effects.spec import Spec, Value, choice, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.audio.buffer import Samples


class LowPass:
    """A Butterworth low-pass: −3 dB at `cutoff_hz`, `slope_db` per octave above."""

    HELP: ClassVar[str] = "Takes away what is higher than a frequency: hiss, glare; a telephone sound."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("cutoff_hz", "Hz", 200.0, 20000.0, 12000.0, "log", "Corner frequency, 3 dB down."),
        choice("slope_db", "dB/oct", (6.0, 12.0, 24.0, 48.0), 12.0, "Steepness per octave."),
    )

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        order = round(number(values, "slope_db") / 6.0)
        sections = butterworth("lowpass", number(values, "cutoff_hz"), order=order, sample_rate=sample_rate)
        self._stream = SectionStream(sections, channels)
        self._tail_seconds = ring_seconds(sections, sample_rate=sample_rate)

    def process(self, block: Samples) -> Samples:
        """Return the filtered block."""
        return self._stream.process(block).astype(np.float32)

    def tail_seconds(self) -> float:
        """Return how long the filter rings."""
        return self._tail_seconds
