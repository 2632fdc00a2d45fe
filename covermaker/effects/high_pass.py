"""A high-pass filter: rumble, plosives and stage noise go."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import Sections, butterworth, ring_seconds
from covermaker.effects.moving import MovingSections
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

    MOVES: ClassVar[frozenset[str]] = frozenset({"cutoff_hz"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._order = round(number(values, "slope_db") / 6.0)
        self._filter = MovingSections(self._sections(values), channels)

    def process(self, block: Samples) -> Samples:
        """Return the filtered block."""
        return self._filter.process(block).astype(np.float32)

    def move(self, values: Mapping[str, Value]) -> None:
        """Take another corner."""
        self._filter.move(self._sections(values))

    def tail_seconds(self) -> float:
        """Return how long the filter rings."""
        return ring_seconds(self._filter.sections, sample_rate=self._sample_rate)

    def _sections(self, values: Mapping[str, Value]) -> Sections:
        return butterworth(
            "highpass", number(values, "cutoff_hz"), order=self._order, sample_rate=self._sample_rate
        )
