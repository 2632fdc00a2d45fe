"""A change of level."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.glide import Glide
from covermaker.effects.spec import OFF_DB, Spec, Value, level_gain, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.audio.buffer import Samples


class Gain:
    """Multiplies by a constant, or by a line from one to the next."""

    HELP: ClassVar[str] = "A change of level."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("gain_db", "dB", OFF_DB, 24.0, 0.0, help="Level change; -100 is silence."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset({"gain_db"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._gain = Glide(level_gain(number(values, "gain_db")))

    def process(self, block: Samples) -> Samples:
        """Return the block times the gain."""
        result: Samples = block * np.asarray(self._gain.take(block.shape[1]), dtype=np.float32)
        return result

    def move(self, values: Mapping[str, Value]) -> None:
        """Take another level."""
        self._gain.to(level_gain(number(values, "gain_db")))

    def tail_seconds(self) -> float:
        """Return 0."""
        return 0.0
