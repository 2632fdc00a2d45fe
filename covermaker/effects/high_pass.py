"""A high-pass filter: rumble, plosives and stage noise go."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import SectionStream, butterworth, ring_seconds
from covermaker.effects.spec import Spec, Value, choice, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.audio.buffer import Samples


class HighPass:
    """A Butterworth high-pass: −3 dB at `cutoff_hz`, `slope_db` per octave below."""

    HELP: ClassVar[str] = "Takes away what is lower than a frequency: rumble, pops, hum."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("cutoff_hz", "Hz", 10.0, 4000.0, 80.0, "log", "Corner frequency, 3 dB down."),
        choice("slope_db", "dB/oct", (6.0, 12.0, 24.0, 48.0), 12.0, "Steepness per octave."),
    )

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        order = round(number(values, "slope_db") / 6.0)
        sections = butterworth("highpass", number(values, "cutoff_hz"), order=order, sample_rate=sample_rate)
        self._stream = SectionStream(sections, channels)
        self._tail_seconds = ring_seconds(sections, sample_rate=sample_rate)

    def process(self, block: Samples) -> Samples:
        """Return the filtered block."""
        return self._stream.process(block).astype(np.float32)

    def tail_seconds(self) -> float:
        """Return how long the filter rings."""
        return self._tail_seconds
