"""An echo: slap-back, repeats, ping-pong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import (
    HIGH_CUT_OFF_HZ,
    LOW_CUT_OFF_HZ,
    SectionStream,
    band_limits,
    ring_seconds,
)
from covermaker.effects.lines import Loop
from covermaker.effects.spec import OFF_DB, Spec, Value, level_gain, number, switch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

# Below this an echo that still goes round is taken as silence, so that the loop empties (float32 has 1e-38).
_TINY = 1e-20


class Delay:
    """A feedback delay: the n-th echo comes after n times `time_ms`, each one `feedback` times the one before.

    The band limits are inside the loop, so each repeat is thinner and darker. With `ping_pong` the centred sound goes
    to the left and the echoes change sides; on one channel it makes no difference.
    """

    HELP: ClassVar[str] = "Echoes. As an insert lower wet_db; on a send bus set dry_db to -100."
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec(
            "time_ms", "ms", 5.0, 4000.0, 350.0, "log", "From the sound to its echo; a beat is 60000 / tempo."
        ),
        Spec("feedback", "", 0.0, 0.95, 0.25, help="How much of each echo comes again; 0 is one echo."),
        switch("ping_pong", False, "Echoes change between left and right."),
        Spec("low_cut_hz", "Hz", LOW_CUT_OFF_HZ, 2000.0, 200.0, "log", "Low cut of every repeat; 20 is off."),
        Spec("high_cut_hz", "Hz", 500.0, HIGH_CUT_OFF_HZ, 6000.0, "log", "High cut of it; 20000 is off."),
        Spec("wet_db", "dB", OFF_DB, 12.0, -16.0, help="Level of the echoes; -100 is off."),
        Spec("dry_db", "dB", OFF_DB, 12.0, 0.0, help="Level of the direct sound; -100 is off."),
    )

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._dry = np.float32(level_gain(number(values, "dry_db")))
        self._wet = level_gain(number(values, "wet_db"))
        self._feedback = number(values, "feedback")
        self._crossed = bool(values["ping_pong"]) and channels == 2
        self._loop = Loop(max(1, round(number(values, "time_ms") / 1000.0 * sample_rate)), channels)
        sections = band_limits(
            number(values, "low_cut_hz"), number(values, "high_cut_hz"), sample_rate=sample_rate
        )
        self._limits = SectionStream(sections, channels) if len(sections) else None
        echoes = 1.0 if self._feedback <= 0.0 else 1.0 - 4.5 * math.log(10.0) / math.log(self._feedback)
        self._tail_seconds = math.ceil(echoes) * self._loop.delay_samples / sample_rate
        self._tail_seconds += ring_seconds(sections, sample_rate=sample_rate)

    def process(self, block: Samples) -> Samples:
        """Return the block with its echoes."""
        dry: Samples = block * self._dry
        if self._wet == 0.0:
            return dry
        echoes = np.empty(block.shape)
        frames = block.shape[1]
        done = 0
        while done < frames:
            stop = done + self._loop.reach(frames - done)
            echo = self._loop.read(stop - done)
            echoes[:, done:stop] = echo if self._limits is None else self._limits.process(echo)
            self._loop.write(self._fed(block[:, done:stop], echoes[:, done:stop]))
            done = stop
        result: Samples = dry + (echoes * self._wet).astype(np.float32)
        return result

    def tail_seconds(self) -> float:
        """Return the time of the last echo above -90 dB."""
        return 0.0 if self._wet == 0.0 else self._tail_seconds

    def _fed(self, block: Samples, echo: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what enters the loop: the new sound and the echo that comes again."""
        if self._crossed:
            again = echo[::-1] * self._feedback
            again[0] += block.mean(axis=0, dtype=np.float64)
        else:
            again = echo * self._feedback
            again += block
        again[np.abs(again) < _TINY] = 0.0
        return again
