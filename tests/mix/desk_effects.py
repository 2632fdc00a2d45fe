"""Effects that only these tests have: one that is late as a plug-in is, one that halves what it hears a key in."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from covermaker.effects.lines import Line
from covermaker.effects.spec import Spec

LATE_SAMPLES = 1000


class LateGain:
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


class Ducker:
    """Silent wherever the key is not, sample by sample: its timing can be read off."""

    HELP: ClassVar[str] = "Silent where the key sounds."
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (Spec("amount", "", 0.0, 1.0, 1.0, help="How much."),)

    def __init__(self, values, sample_rate, channels):
        self._left = np.float32(1.0 - values["amount"])

    def process(self, block):
        return self.process_keyed(block, block)

    def process_keyed(self, block, key):
        return np.where(np.abs(key).max(axis=0) > 0.0, block * self._left, block).astype(np.float32)

    def tail_seconds(self):
        return 0.0


TABLE = {"late": "desk_effects:LateGain", "ducker": "desk_effects:Ducker"}
