"""An echo: slap-back, repeats, ping-pong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import (
    HIGH_CUT_OFF_HZ,
    LOW_CUT_OFF_HZ,
    Sections,
    butterworth,
    ring_seconds,
)
from covermaker.effects.follower import Ballistics, GainFollower, levels_db
from covermaker.effects.glide import Glide
from covermaker.effects.lines import TapLoop
from covermaker.effects.moving import IDENTITY, MovingSections
from covermaker.effects.spec import MOVE_SAMPLES, OFF_DB, Spec, Value, level_gain, number, switch
from covermaker.effects.sync import SYNC_OFF, SYNCS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

# Below this an echo that still goes round is taken as silence, so that the loop empties (float32 has 1e-38).
_TINY = 1e-20

_LONGEST_MS = 4000.0
_FADE_SECONDS = 0.015  # from one delay time to another
_DUCK_ATTACK_MS = 5.0


class Delay:
    """A feedback delay: the n-th echo comes after n times `time_ms`, each one `feedback` times the one before.

    The band limits are inside the loop, so each repeat is thinner and darker. With `ping_pong` the centred sound goes
    to the left and the echoes change sides; on one channel it makes no difference. `duck_db` turns the echoes down
    while the sound that feeds them is louder than `duck_threshold_db`: words stay clear, pauses are filled.
    """

    HELP: ClassVar[str] = "Echoes. As an insert lower wet_db; on a send bus set dry_db to -100."
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec(
            "time_ms",
            "ms",
            5.0,
            _LONGEST_MS,
            350.0,
            "log",
            "From the sound to its echo; a beat is 60000 / tempo.",
        ),
        Spec("sync", "", 0.0, 0.0, SYNC_OFF, help="A note length in place of time_ms.", choices=SYNCS),
        Spec("feedback", "", 0.0, 0.95, 0.25, help="How much of each echo comes again; 0 is one echo."),
        switch("ping_pong", False, "Echoes change between left and right."),
        Spec("low_cut_hz", "Hz", LOW_CUT_OFF_HZ, 2000.0, 200.0, "log", "Low cut of every repeat; 20 is off."),
        Spec("high_cut_hz", "Hz", 500.0, HIGH_CUT_OFF_HZ, 6000.0, "log", "High cut of it; 20000 is off."),
        Spec("duck_db", "dB", 0.0, 24.0, 0.0, help="The most the echoes give way to the sound; 0 is off."),
        Spec(
            "duck_threshold_db", "dB", -60.0, 0.0, -40.0, help="Peak level of the sound above which they do."
        ),
        Spec("duck_release_ms", "ms", 5.0, 2000.0, 250.0, "log", "Time until they are back."),
        Spec("wet_db", "dB", OFF_DB, 12.0, -16.0, help="Level of the echoes; -100 is off."),
        Spec("dry_db", "dB", OFF_DB, 12.0, 0.0, help="Level of the direct sound; -100 is off."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset(
        spec.name for spec in SPECS if spec.name not in ("sync", "ping_pong")
    )

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._values = dict(values)
        self._dry = Glide(self._level("dry_db"))
        self._wet = Glide(self._level("wet_db"))
        self._feedback = Glide(number(values, "feedback"))
        self._crossed = bool(values["ping_pong"]) and channels == 2
        self._loop = TapLoop(
            self._delay_samples(),
            channels,
            longest_samples=math.ceil(_LONGEST_MS / 1000.0 * sample_rate),
            # In whole steps of the moves: a fade ends where the next may begin.
            fade_samples=max(1, round(_FADE_SECONDS * sample_rate / MOVE_SAMPLES)) * MOVE_SAMPLES,
        )
        self._limits = MovingSections(self._sections(), channels)
        self._ballistics = Ballistics(_DUCK_ATTACK_MS, number(values, "duck_release_ms"), sample_rate)
        self._ducking = GainFollower(self._duck)
        self._ducks = number(values, "duck_db") > 0.0

    def process(self, block: Samples) -> Samples:
        """Return the block with its echoes."""
        frames = block.shape[1]
        dry: Samples = block * np.asarray(self._dry.take(frames), dtype=np.float32)
        echoes = np.empty(block.shape)
        done = 0
        while done < frames:
            stop = done + self._loop.reach(frames - done)
            echoes[:, done:stop] = self._limits.process(self._loop.read(stop - done))
            self._loop.write(self._fed(block[:, done:stop], echoes[:, done:stop]))
            done = stop
        echoes *= self._wet.take(frames)
        if self._ducks:
            echoes *= self._ducking.gains(block)
        dry += echoes.astype(np.float32)
        return dry

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new values: levels and feedback glide, cuts and the delay are faded over."""
        self._values.update(values)
        self._dry.to(self._level("dry_db"))
        self._wet.to(self._level("wet_db"))
        self._feedback.to(number(self._values, "feedback"))
        self._loop.delay_by(self._delay_samples())
        self._limits.move(self._sections())
        self._ballistics.set(_DUCK_ATTACK_MS, number(self._values, "duck_release_ms"))
        self._ducks = self._ducks or number(self._values, "duck_db") > 0.0

    def tail_seconds(self) -> float:
        """Return the time of the last echo above -90 dB."""
        if self._wet.goal == 0.0:
            return 0.0
        feedback = self._feedback.goal
        echoes = 1.0 if feedback <= 0.0 else 1.0 - 4.5 * math.log(10.0) / math.log(feedback)
        seconds = math.ceil(echoes) * self._delay_samples() / self._sample_rate
        return seconds + ring_seconds(self._limits.sections, sample_rate=self._sample_rate)

    def _level(self, name: str) -> float:
        return level_gain(number(self._values, name))

    def _delay_samples(self) -> int:
        return max(1, round(number(self._values, "time_ms") / 1000.0 * self._sample_rate))

    def _sections(self) -> Sections:
        low_hz, high_hz = number(self._values, "low_cut_hz"), number(self._values, "high_cut_hz")
        rate = self._sample_rate
        low = butterworth("highpass", low_hz, order=2, sample_rate=rate)
        high = butterworth("lowpass", high_hz, order=2, sample_rate=rate)
        return np.concatenate(
            [low if low_hz > LOW_CUT_OFF_HZ else IDENTITY, high if high_hz < HIGH_CUT_OFF_HZ else IDENTITY]
        )

    def _duck(self, peaks: NDArray[np.float64]) -> list[float]:
        most_db = number(self._values, "duck_db")
        over_db = levels_db(peaks) - number(self._values, "duck_threshold_db")
        return self._ballistics.run(np.clip(over_db, 0.0, most_db))

    def _fed(self, block: Samples, echo: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what enters the loop: the new sound and the echo that comes again."""
        feedback = self._feedback.take(block.shape[1])
        if self._crossed:
            again = echo[::-1] * feedback
            again[0] += block.mean(axis=0, dtype=np.float64)
        else:
            again = echo * feedback
            again += block
        tiny = np.abs(again) < _TINY
        if tiny.any():
            again[tiny] = 0.0
        return again
