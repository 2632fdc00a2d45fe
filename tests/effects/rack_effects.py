"""Effects that only these tests have."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from covermaker.effects.lines import Line
from covermaker.effects.spec import Spec

LATE_SAMPLES = 1000


class Late:
    HELP: ClassVar[str] = "Comes a thousand samples late."
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (Spec("gain_db", "dB", -60.0, 24.0, 0.0, help="Level."),)

    def __init__(self, values, sample_rate, channels):
        self.latency_samples = LATE_SAMPLES
        self._gain = np.float32(10 ** (values["gain_db"] / 20))
        self._line = Line(LATE_SAMPLES, channels)

    def process(self, block):
        return self._line.process(block) * self._gain

    def tail_seconds(self):
        return 0.0


class Echo:
    """A gain and one echo of it half a second later; can neither glide nor listen."""

    HELP: ClassVar[str] = "One echo."
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("gain", "", -4.0, 4.0, 1.0, help="Of the direct sound."),
        Spec("echo", "", 0.0, 1.0, 0.5, help="Of the echo."),
    )

    def __init__(self, values, sample_rate, channels):
        self._gain, self._echo = np.float32(values["gain"]), np.float32(values["echo"])
        self._line = Line(sample_rate // 2, channels)

    def process(self, block):
        return block * self._gain + self._line.process(block) * self._echo

    def tail_seconds(self):
        return 0.5


TABLE = {"late": "rack_effects:Late", "echo": "rack_effects:Echo"}
