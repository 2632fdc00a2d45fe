"""A compressor: what is louder than a threshold is turned down."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.follower import Ballistics, GainFollower, Reduction, levels_db
from covermaker.effects.side_chain import SideChain, detector_low_cut, lookahead
from covermaker.effects.spec import Spec, Value, level_gain, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples


class Compressor:
    """A peak compressor with a soft knee and linked channels.

    The static curve works in dB and the wanted reduction is smoothed by a decoupled peak detector: instant rise and
    `release_ms` fall first, `attack_ms` after it (D. Giannoulis, M. Massberg, J. Reiss, Digital Dynamic Range
    Compressor Design, JAES 60(6), 2012, equations 4 and 17). `mix` below 1 is parallel compression. It can listen to
    another sound than its own: music that steps back while somebody sings.
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
        lookahead("It turns down this long before the sound that is too loud."),
        detector_low_cut(),
    )
    FIXED: ClassVar[frozenset[str]] = frozenset({"lookahead_ms"})
    MOVES: ClassVar[frozenset[str]] = frozenset(spec.name for spec in SPECS if spec.name != "lookahead_ms")

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._values = dict(values)
        self._ballistics = Ballistics(number(values, "attack_ms"), number(values, "release_ms"), sample_rate)
        self._follower = GainFollower(
            self._control, makeup=level_gain(number(values, "makeup_db")), mix=number(values, "mix")
        )
        self.latency_samples = round(number(values, "lookahead_ms") / 1000.0 * sample_rate)
        self._chain = SideChain(
            self._follower,
            lookahead_samples=self.latency_samples,
            low_cut_hz=number(values, "detector_low_cut_hz"),
            sample_rate=sample_rate,
            channels=channels,
        )
        self._set()

    def process(self, block: Samples) -> Samples:
        """Return the compressed block."""
        return self._chain.process(block, block)

    def process_keyed(self, block: Samples, key: Samples) -> Samples:
        """Return the block, turned down where `key` is too loud."""
        return self._chain.process(block, key)

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new values; attack and release smooth the way there."""
        self._values.update(values)
        self._set()
        self._chain.move_low_cut(number(self._values, "detector_low_cut_hz"))

    def tail_seconds(self) -> float:
        """Return 0."""
        return 0.0

    def reduction(self) -> Reduction:
        """Return how far it has turned down, before make-up gain and mix."""
        return self._chain.reduction()

    def _set(self) -> None:
        values = self._values
        self._threshold_db = number(values, "threshold_db")
        self._share = 1.0 - 1.0 / number(values, "ratio")
        self._knee_db = number(values, "knee_db")
        self._ballistics.set(number(values, "attack_ms"), number(values, "release_ms"))
        self._follower.makeup.to(level_gain(number(values, "makeup_db")))
        self._follower.mix.to(number(values, "mix"))

    def _control(self, peaks: NDArray[np.float64]) -> list[float]:
        bend_db = self._threshold_db - self._knee_db / 2.0
        over_db = np.maximum(levels_db(peaks) - bend_db, 0.0)
        targets_db = self._share * (over_db - self._knee_db / 2.0)
        if self._knee_db:
            curved_db = self._share * over_db * over_db / (2.0 * self._knee_db)
            targets_db = np.where(over_db < self._knee_db, curved_db, targets_db)
        return self._ballistics.run(targets_db)
