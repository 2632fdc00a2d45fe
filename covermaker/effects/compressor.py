"""A compressor: what is louder than a threshold is turned down."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.follower import GainFollower, Reduction, smoothing
from covermaker.effects.spec import Spec, Value, level_gain, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

_SETTLED_DB = 1e-6
_SILENCE = 1e-10


class Compressor:
    """A peak compressor with a soft knee and linked channels.

    The static curve works in dB and the wanted reduction is smoothed by a decoupled peak detector: instant rise and
    `release_ms` fall first, `attack_ms` after it (D. Giannoulis, M. Massberg, J. Reiss, Digital Dynamic Range
    Compressor Design, JAES 60(6), 2012, equations 4 and 17). `mix` below 1 is parallel compression.
    """

    HELP: ClassVar[str] = "Turns down what is louder than a threshold, so that every word stays audible."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("threshold_db", "dB", -60.0, 0.0, -20.0, help="Peak level above which it works."),
        Spec("ratio", ":1", 1.0, 20.0, 3.0, "log", "Input dB per output dB above the threshold; 1 is off."),
        Spec("attack_ms", "ms", 0.1, 200.0, 10.0, "log", "Time to turn down (63 % of the way)."),
        Spec("release_ms", "ms", 5.0, 2000.0, 120.0, "log", "Time to come back (63 % of the way)."),
        Spec("knee_db", "dB", 0.0, 24.0, 6.0, help="Width of the bend around the threshold; 0 is a corner."),
        Spec("makeup_db", "dB", -12.0, 24.0, 0.0, help="Gain after the reduction."),
        Spec(
            "mix", "", 0.0, 1.0, 1.0, help="Share of the compressed sound; below 1 is parallel compression."
        ),
    )

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._threshold_db = number(values, "threshold_db")
        self._share = 1.0 - 1.0 / number(values, "ratio")
        self._knee_db = number(values, "knee_db")
        self._attack = smoothing(number(values, "attack_ms"), sample_rate)
        self._release = smoothing(number(values, "release_ms"), sample_rate)
        self._wanted_db = 0.0
        self._reduction_db = 0.0
        self._follower = GainFollower(
            self._control, makeup=level_gain(number(values, "makeup_db")), mix=number(values, "mix")
        )

    def process(self, block: Samples) -> Samples:
        """Return the compressed block."""
        return self._follower.process(block)

    def tail_seconds(self) -> float:
        """Return 0."""
        return 0.0

    def reduction(self) -> Reduction:
        """Return how far it has turned down, before make-up gain and mix."""
        return self._follower.reduction()

    def _control(self, peaks: NDArray[np.float64]) -> list[float]:
        bend_db = self._threshold_db - self._knee_db / 2.0
        over_db = np.maximum(20.0 * np.log10(np.maximum(peaks, _SILENCE)) - bend_db, 0.0)
        targets_db = self._share * (over_db - self._knee_db / 2.0)
        if self._knee_db:
            curved_db = self._share * over_db * over_db / (2.0 * self._knee_db)
            targets_db = np.where(over_db < self._knee_db, curved_db, targets_db)
        wanted_db, reduction_db = self._wanted_db, self._reduction_db
        attack, release = self._attack, self._release
        reductions = []
        for target_db in targets_db.tolist():
            if not (target_db or wanted_db or reduction_db):  # what follows would give 0 as well
                reductions.append(0.0)
                continue
            wanted_db = target_db + release * (wanted_db - target_db) if target_db < wanted_db else target_db
            reduction_db = wanted_db + attack * (reduction_db - wanted_db)
            if wanted_db < _SETTLED_DB and reduction_db < _SETTLED_DB:
                wanted_db = reduction_db = 0.0
            reductions.append(reduction_db)
        self._wanted_db, self._reduction_db = wanted_db, reduction_db
        return reductions
