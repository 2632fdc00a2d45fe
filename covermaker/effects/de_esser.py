"""A de-esser: sharp s sounds are turned down, and nothing else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import Sections, band_pass, butterworth, ring_seconds
from covermaker.effects.follower import Ballistics, GainFollower, Reduction, levels_db
from covermaker.effects.moving import MovingSections
from covermaker.effects.spec import Spec, Value, number, switch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

# The two pairs of poles of a Butterworth filter of fourth order: what is left and right of a resonance.
_DAMPING = tuple(2.0 * math.sin(math.pi * (2 * pair + 1) / 8) for pair in range(2))


class DeEsser:
    """Splits the sound, listens to its upper part, and turns that part down where it is too loud.

    The split is made twice, for the two pairs of poles of a Butterworth filter of fourth order. With s the frequency
    over the corner and k the damping of a pair, ``(1 + k s + s²) / (1 + k s + s²)`` is low + middle + high and exactly
    the input. For a gain g in all, each split loses ``1 - √g`` of its high part and ``1 - g^¼`` of its middle one: a
    shelf without a bump, whose squared magnitude is ``(1 + g² s⁸) / (1 + s⁸)``. Where nothing is to be reduced nothing
    is taken away, and every sample is the input's.
    """

    HELP: ClassVar[str] = "Turns sharp s, t and sh sounds down, only while they last and only high tones."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec(
            "frequency_hz", "Hz", 1000.0, 12000.0, 5000.0, "log", "What is higher is listened to and reduced."
        ),
        Spec(
            "threshold_db", "dB", -60.0, 0.0, -30.0, help="Peak level of the high part above which it works."
        ),
        Spec("ratio", ":1", 1.0, 20.0, 4.0, "log", "Input dB per output dB above the threshold; 1 is off."),
        Spec("range_db", "dB", 0.0, 24.0, 6.0, help="The most that is taken away; 0 is off."),
        Spec("attack_ms", "ms", 0.1, 50.0, 1.0, "log", "Time to turn down."),
        Spec("release_ms", "ms", 5.0, 500.0, 50.0, "log", "Time to come back."),
        switch("listen", False, "Hear only what it takes away, to set it by."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset(spec.name for spec in SPECS if spec.name != "listen")

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._values = dict(values)
        self._listen = bool(values["listen"])
        self._ballistics = Ballistics(number(values, "attack_ms"), number(values, "release_ms"), sample_rate)
        self._set()
        self._follower = GainFollower(self._control)
        self._splits = [
            (MovingSections(high, channels), MovingSections(middle, channels))
            for high, middle in self._sections()
        ]

    def process(self, block: Samples) -> Samples:
        """Return the block with its sharp sounds turned down."""
        left: Samples | NDArray[np.float64] = block
        steps: NDArray[np.float64] | None = None
        for high_pass, band_pass_ in self._splits:
            high, middle = high_pass.process(left), band_pass_.process(left)
            if steps is None:
                steps = np.sqrt(self._follower.gains(high), dtype=np.float64)
            if steps.min(initial=1.0) < 1.0:
                high *= 1.0 - steps
                middle *= 1.0 - np.sqrt(steps)
                high += middle
                left = np.subtract(left, high, out=high)
        if self._listen:
            return (block - left).astype(np.float32)
        return left.astype(np.float32)

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new values; attack and release smooth the way there."""
        self._values.update(values)
        self._set()
        for (high_pass, band_pass_), (high, middle) in zip(self._splits, self._sections(), strict=True):
            high_pass.move(high)
            band_pass_.move(middle)

    def tail_seconds(self) -> float:
        """Return how long the split rings."""
        sections = np.concatenate([high for high, _ in self._sections()])
        return ring_seconds(sections, sample_rate=self._sample_rate)

    def reduction(self) -> Reduction:
        """Return how far it has turned the high part down."""
        return self._follower.reduction()

    def _set(self) -> None:
        values = self._values
        self._threshold_db = number(values, "threshold_db")
        self._share = 1.0 - 1.0 / number(values, "ratio")
        self._range_db = number(values, "range_db")
        self._ballistics.set(number(values, "attack_ms"), number(values, "release_ms"))

    def _sections(self) -> list[tuple[Sections, Sections]]:
        """Design the high and the middle part of either split."""
        corner_hz, rate = number(self._values, "frequency_hz"), self._sample_rate
        high = butterworth("highpass", corner_hz, order=4, sample_rate=rate)
        return [
            (high[pair : pair + 1], band_pass(corner_hz, 1.0 / damping, sample_rate=rate))
            for pair, damping in enumerate(_DAMPING)
        ]

    def _control(self, peaks: NDArray[np.float64]) -> list[float]:
        over_db = np.maximum(levels_db(peaks) - self._threshold_db, 0.0)
        return self._ballistics.run(np.minimum(self._share * over_db, self._range_db))
