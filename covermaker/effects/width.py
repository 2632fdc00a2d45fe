"""Stereo width: what is common to both sides, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import LOW_CUT_OFF_HZ, Sections, butterworth, ring_seconds
from covermaker.effects.glide import Glide
from covermaker.effects.moving import IDENTITY, MovingSections
from covermaker.effects.spec import OFF_DB, Spec, Value, level_gain, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.audio.buffer import Samples


class Width:
    """Middle (L + R) / 2 and side (L − R) / 2 at levels of their own; deep tones may have no side.

    `width` is the side's level as a factor: 0 is mono, 1 leaves it, 2 doubles it. Below `mono_below_hz` the side
    falls by 12 dB per octave.
    """

    HELP: ClassVar[str] = "Narrows or widens stereo, sets middle and side apart, makes the bass mono."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("width", "", 0.0, 2.0, 1.0, help="0 is mono, 1 leaves it as it is, 2 is twice as wide."),
        Spec("mid_db", "dB", OFF_DB, 12.0, 0.0, help="Level of what both sides share; -100 is off."),
        Spec("side_db", "dB", OFF_DB, 12.0, 0.0, help="Level of what they do not share; -100 is off."),
        Spec("mono_below_hz", "Hz", LOW_CUT_OFF_HZ, 500.0, LOW_CUT_OFF_HZ, "log", "Mono below; 20 is off."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset(spec.name for spec in SPECS)

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._values = dict(values)
        self._mid = Glide(self._mid_gain())
        self._side = Glide(self._side_gain())
        self._filter = MovingSections(self._sections(), 1)

    def process(self, block: Samples) -> Samples:
        """Return the block at its new width."""
        frames = block.shape[1]
        mid, side = self._mid.take(frames), self._side.take(frames)
        if len(block) == 1:
            mono: Samples = block * np.asarray(mid, dtype=np.float32)
            return mono
        # As a matrix: at 1 and 0 every sample stays what it is, which middle plus side would not.
        own = np.asarray((mid + side) * 0.5, dtype=np.float32)
        other = np.asarray((mid - side) * 0.5, dtype=np.float32)
        result: Samples = block * own + block[::-1] * other
        if not self._filter.idle:
            apart = (block[:1].astype(np.float64) - block[1:]) * 0.5
            gone = ((self._filter.process(apart) - apart)[0] * side).astype(np.float32)
            result[0] += gone
            result[1] -= gone
        return result

    def move(self, values: Mapping[str, Value]) -> None:
        """Take another width, other levels, another corner."""
        self._values.update(values)
        self._mid.to(self._mid_gain())
        self._side.to(self._side_gain())
        self._filter.move(self._sections())

    def tail_seconds(self) -> float:
        """Return how long the side's low cut rings."""
        return ring_seconds(self._filter.sections, sample_rate=self._sample_rate)

    def _mid_gain(self) -> float:
        return level_gain(number(self._values, "mid_db"))

    def _side_gain(self) -> float:
        return number(self._values, "width") * level_gain(number(self._values, "side_db"))

    def _sections(self) -> Sections:
        corner_hz = number(self._values, "mono_below_hz")
        if corner_hz <= LOW_CUT_OFF_HZ:
            return IDENTITY
        return butterworth("highpass", corner_hz, order=2, sample_rate=self._sample_rate)
