"""A noise gate: what is quieter than a threshold is turned down."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from covermaker.effects.follower import CONTROL_SAMPLES, GainFollower, Reduction, levels_db, smoothing
from covermaker.effects.side_chain import SideChain, detector_low_cut, lookahead
from covermaker.effects.spec import Spec, Value, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

# How fast the measured level falls between two crests of a wave: without it a low note would rattle the gate.
_DETECTOR_MS = 10.0
_SILENCE_DB = -200.0
_SETTLED_DB = 1e-6


class Gate:
    """A downward expander with hold, hysteresis and a limited range, all channels linked.

    Below `threshold_db` every dB becomes `ratio` dB, down to `range_db` of reduction at most: breaths and reverb
    are pushed back, not chopped. Smoothed in dB, with `attack_ms` when opening and `release_ms` when closing. Once
    open it stays so down to `hysteresis_db` below the threshold. It can listen to another sound than its own.
    """

    HELP: ClassVar[str] = (
        "Turns down what is quieter than a threshold: noise, bleed and breaths between phrases."
    )
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("threshold_db", "dB", -90.0, 0.0, -50.0, help="Peak level below which the gate closes."),
        Spec(
            "ratio",
            ":1",
            1.0,
            100.0,
            4.0,
            "log",
            "How steeply the level falls below the threshold; 1 is off.",
        ),
        Spec("range_db", "dB", 0.0, 90.0, 30.0, help="The most that is taken away; 0 is off."),
        Spec("attack_ms", "ms", 0.1, 100.0, 1.0, "log", "Time to open."),
        Spec("hold_ms", "ms", 0.0, 2000.0, 40.0, help="How long it stays open after the level has fallen."),
        Spec("release_ms", "ms", 1.0, 4000.0, 150.0, "log", "Time to close."),
        Spec(
            "hysteresis_db", "dB", 0.0, 24.0, 0.0, help="An open gate closes this much below the threshold."
        ),
        lookahead("It opens this long before the sound that opens it."),
        detector_low_cut(),
    )
    FIXED: ClassVar[frozenset[str]] = frozenset({"lookahead_ms"})
    MOVES: ClassVar[frozenset[str]] = frozenset(spec.name for spec in SPECS if spec.name != "lookahead_ms")

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._values = dict(values)
        self._fall_db = -20.0 * math.log10(smoothing(_DETECTOR_MS, sample_rate))
        self._set()
        self._held = 0
        self._open = False
        self._level_db = _SILENCE_DB
        self._reduction_db = self._range_db  # closed until sound comes
        self.latency_samples = round(number(values, "lookahead_ms") / 1000.0 * sample_rate)
        self._chain = SideChain(
            GainFollower(self._control, start_db=self._range_db),
            lookahead_samples=self.latency_samples,
            low_cut_hz=number(values, "detector_low_cut_hz"),
            sample_rate=sample_rate,
            channels=channels,
        )

    def process(self, block: Samples) -> Samples:
        """Return the gated block."""
        return self._chain.process(block, block)

    def process_keyed(self, block: Samples, key: Samples) -> Samples:
        """Return the block, open while `key` is above the threshold."""
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
        """Return how far it has closed."""
        return self._chain.reduction()

    def _set(self) -> None:
        values = self._values
        self._threshold_db = number(values, "threshold_db")
        self._hysteresis_db = number(values, "hysteresis_db")
        self._slope = number(values, "ratio") - 1.0
        self._range_db = number(values, "range_db") if self._slope > 0.0 else 0.0
        self._attack = smoothing(number(values, "attack_ms"), self._sample_rate)
        self._release = smoothing(number(values, "release_ms"), self._sample_rate)
        self._hold_steps = round(number(values, "hold_ms") / 1000.0 * self._sample_rate / CONTROL_SAMPLES)

    def _control(self, peaks: NDArray[np.float64]) -> list[float]:
        level_db, held, reduction_db = self._level_db, self._held, self._reduction_db
        threshold_db, slope, range_db, fall_db = (
            self._threshold_db,
            self._slope,
            self._range_db,
            self._fall_db,
        )
        opening_db, closing_db = threshold_db, threshold_db - self._hysteresis_db
        border_db = closing_db if self._open else opening_db
        reductions = []
        # Runs 2756 times for each second of a song: comparisons, since calls of min and max would double its time.
        for peak_db in levels_db(peaks).tolist():
            level_db -= fall_db
            if peak_db > level_db:
                level_db = peak_db
            if level_db >= border_db:
                held, target_db, border_db = self._hold_steps, 0.0, closing_db
            elif held > 0:
                held, target_db = held - 1, 0.0
            else:
                border_db = opening_db
                target_db = slope * (threshold_db - level_db) if level_db > _SILENCE_DB else range_db
                if target_db > range_db:
                    target_db = range_db
            if reduction_db != target_db:
                keep = self._attack if target_db < reduction_db else self._release
                reduction_db = target_db + keep * (reduction_db - target_db)
                if reduction_db < _SETTLED_DB:
                    reduction_db = 0.0
            reductions.append(reduction_db)
        self._level_db, self._held, self._reduction_db = level_db, held, reduction_db
        self._open = border_db == closing_db
        return reductions
