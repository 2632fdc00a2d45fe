"""Effects that only the tests of racks and desks have: late as a plug-in, an echo, one that listens."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from covermaker.effects import EFFECTS
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


TABLE = {"late": "made_up_effects:Late", "echo": "made_up_effects:Echo", "ducker": "made_up_effects:Ducker"}


def add_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let racks have them for the length of a test."""
    for name, target in TABLE.items():
        monkeypatch.setitem(EFFECTS._table, name, target)
