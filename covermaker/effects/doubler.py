"""A doubler: the voice once more at the left and once more at the right, as if it had been sung three times."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.audio.overlap import fade_in_ramp
from covermaker.effects.glide import Glide
from covermaker.effects.spec import OFF_DB, Spec, Value, level_gain, number
from covermaker.effects.wander import WanderingLine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

_PIECE_SAMPLES = 16384
# A copy of another pitch drifts away in time. When it has drifted half of this, it jumps back by about the whole:
# by that distance at which the sound is most like itself, so that the join is a whole number of its periods.
_DRIFT_SECONDS = 0.006
_SHORTEST_JUMP, _LONGEST_JUMP = 0.6, 1.4  # of the drift
_LIKENESS_SECONDS = 0.012  # how much of the sound is compared
_FADE_SECONDS = 0.012
_SILENCE = 1e-12


class Doubler:
    """Two copies of what is in the middle, late and detuned against each other.

    Each copy is a delay line read a little too slowly or too fast. The direct sound is not touched.
    """

    HELP: ClassVar[str] = "Sings along left and right, a little late and out of tune: a doubled voice."
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("left_ms", "ms", 6.0, 60.0, 14.0, help="How late the left copy is, on average."),
        Spec("right_ms", "ms", 6.0, 60.0, 19.0, help="How late the right copy is."),
        Spec(
            "cents",
            "cents",
            0.0,
            25.0,
            6.0,
            help="How far the left copy is below the pitch, the right above.",
        ),
        Spec("width", "", 0.0, 1.0, 1.0, help="Where the copies are: 1 is left and right, 0 the middle."),
        Spec("level_db", "dB", OFF_DB, 6.0, -9.0, help="Level of each copy; -100 is off."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset({"width", "level_db"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        cents = number(values, "cents")
        longest = (number(values, "left_ms"), number(values, "right_ms"))
        self._late = max(longest) / 1000.0 + 2.0 * _DRIFT_SECONDS
        self._line = WanderingLine((self._late + _LIKENESS_SECONDS + 2.0 * _DRIFT_SECONDS) * sample_rate, 1)
        self._copies = [
            _Copy(self._line, late / 1000.0 * sample_rate, slope, sample_rate)
            for late, slope in zip(
                longest, (1.0 - 2.0 ** (-cents / 1200.0), 1.0 - 2.0 ** (cents / 1200.0)), strict=True
            )
        ]
        self._level = Glide(level_gain(number(values, "level_db")))
        self._width = Glide(number(values, "width"))

    def process(self, block: Samples) -> Samples:
        """Return the block with its copies."""
        result = np.empty_like(block)
        for start in range(0, block.shape[1], _PIECE_SAMPLES):
            piece = slice(start, start + _PIECE_SAMPLES)
            result[:, piece] = self._doubled(block[:, piece])
        return result

    def tail_seconds(self) -> float:
        """Return how late the later copy can be."""
        return self._late

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new values."""
        if "level_db" in values:
            self._level.to(level_gain(number(values, "level_db")))
        if "width" in values:
            self._width.to(number(values, "width"))

    def _doubled(self, block: Samples) -> Samples:
        frames = block.shape[1]
        middle = block if len(block) == 1 else (block[:1] + block[1:]) * np.float32(0.5)
        self._line.push(middle)
        left, right = (copy.read(frames) for copy in self._copies)
        level = np.asarray(self._level.take(frames), np.float32)
        width = np.asarray(self._width.take(frames), np.float32)
        if not level.any():
            return block
        doubled: Samples
        if len(block) == 1:
            doubled = block + (left + right) * (level * np.float32(math.sqrt(0.5)))
            return doubled
        # Turned from middle to side at equal power.
        near, far = np.sqrt((1 + width) / 2) * level, np.sqrt((1 - width) / 2) * level
        doubled = block + np.stack([near * left + far * right, far * left + near * right])
        return doubled


class _Copy:
    """A reader of the line whose delay grows by `slope` a sample, and is set back where nobody hears it."""

    def __init__(self, line: WanderingLine, late: float, slope: float, sample_rate: int) -> None:
        self._line, self._slope = line, slope
        drift = _DRIFT_SECONDS * sample_rate
        # The ends of the road: where a growing delay turns back, or a shrinking one.
        self._end = late + math.copysign(drift / 2.0, slope)
        self._jumps = np.arange(round(_SHORTEST_JUMP * drift), round(_LONGEST_JUMP * drift) + 1)
        self._alike = round(_LIKENESS_SECONDS * sample_rate)
        self._ramp = fade_in_ramp(round(_FADE_SECONDS * sample_rate)).astype(np.float32)
        self._base = self._old = late  # delays at the last jump: behind it, before it
        self._gone = len(self._ramp)  # samples since it
        self._until = self._distance()

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return the copy of the block that the line was given last."""
        copy = np.empty(frames, np.float32)
        at = 0
        while at < frames:
            if self._gone == self._until:
                self._jump(at)
            stop = at + min(frames - at, self._until - self._gone)
            copy[at:stop] = self._stretch(at, stop - at)
            self._gone += stop - at
            at = stop
        return copy

    def _distance(self) -> int:
        """Return after how many samples the next jump is due; without detuning never."""
        if self._slope == 0.0:
            return 1 << 62
        return max(len(self._ramp), math.ceil((self._end - self._base) / self._slope))

    def _stretch(self, first: int, frames: int) -> NDArray[np.float32]:
        drift = self._slope * np.arange(self._gone, self._gone + frames, dtype=np.float64)
        copy = self._line.read(0, self._base + drift, first)
        fading = min(frames, len(self._ramp) - self._gone)
        if fading > 0:
            ramp = self._ramp[self._gone : self._gone + fading]
            old = self._line.read(0, self._old + drift[:fading], first)
            copy[:fading] = old + ramp * (copy[:fading] - old)
        return copy

    def _jump(self, first: int) -> None:
        """Set the delay back by the distance at which the last of the sound is most like itself."""
        delay = self._base + self._slope * self._gone
        sign = -1 if self._slope > 0.0 else 1
        whole, longest = round(delay), int(self._jumps[-1])
        here = self._line.past(0, first, self._alike, whole).astype(np.float64)
        # The stretch that holds every candidate, the oldest first.
        newest = whole - longest if sign < 0 else whole
        around = self._line.past(0, first, self._alike + longest, newest).astype(np.float64)
        both = np.correlate(around, here, "valid")  # by the start of the candidate, 0 .. longest
        energy = np.concatenate([[0.0], np.cumsum(around * around)])
        power = energy[self._alike :] - energy[: -self._alike]
        starts = self._jumps if sign < 0 else longest - self._jumps
        alike = both[starts] / np.sqrt(np.maximum(power[starts], _SILENCE))
        self._old, self._gone = delay, 0
        self._base = delay + sign * int(self._jumps[int(np.argmax(alike))])
        self._until = self._distance()
