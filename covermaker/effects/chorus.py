"""A chorus: copies whose pitch and time sway make one voice sound like several."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.glide import Glide
from covermaker.effects.spec import Spec, Value, choice, number
from covermaker.effects.wander import LEAST_SAMPLES, WanderingLine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.audio.buffer import Samples

_PIECE_SAMPLES = 16384  # worked on at a time, so that what is in between stays in the cache
# The depth changes no faster than this: copies that are moved in time bend in pitch, and a jump would chirp.
_DEPTH_SECONDS = 0.05


class Chorus:
    """Copies behind the sound, each delayed by `delay_ms` and a swing of up to ``2 * depth_ms`` on top.

    The voices' swings are spread evenly over a cycle; on the right they are shifted by up to half of the distance
    between two voices. The direct sound stays where it is and as it is.
    """

    HELP: ClassVar[str] = "Copies that sway in pitch and time: width and shimmer, one voice as several."
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("rate_hz", "Hz", 0.02, 10.0, 0.6, "log", "Swings a second."),
        Spec(
            "depth_ms", "ms", 0.0, 10.0, 2.0, help="How far each copy sways to either side; 0 stands still."
        ),
        Spec("delay_ms", "ms", 1.0, 40.0, 8.0, "log", "Least time from the sound to a copy."),
        choice("voices", "", (1.0, 2.0, 3.0, 4.0), 2.0, "Number of copies."),
        Spec("spread", "", 0.0, 1.0, 1.0, help="How differently left and right sway; 0 keeps the middle."),
        Spec("mix", "", 0.0, 1.0, 0.35, help="Share of the copies; 0 is the sound alone."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset({"rate_hz", "depth_ms", "mix"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._mix = Glide(number(values, "mix"))
        self._depth = Glide(self._samples(number(values, "depth_ms")), round(_DEPTH_SECONDS * sample_rate))
        self._hz = number(values, "rate_hz")
        self._from, self._frames = (
            0.0,
            0,
        )  # where the swing was, in turns, when the rate was last set; heard since
        voices = int(number(values, "voices"))
        side = number(values, "spread") * 0.5 / voices
        self._shifts = [
            [voice / voices + side * channel for voice in range(voices)] for channel in range(channels)
        ]
        self._least = max(LEAST_SAMPLES, self._samples(number(values, "delay_ms")))
        deepest = next(spec.maximum for spec in self.SPECS if spec.name == "depth_ms")
        self._line = WanderingLine(self._least + 2.0 * self._samples(deepest), channels)
        self._tail_seconds = (self._least + 2.0 * self._samples(number(values, "depth_ms"))) / sample_rate

    def begin(self, song_frame: int) -> None:
        """Sway as the whole song does there."""
        self._frames = song_frame

    def process(self, block: Samples) -> Samples:
        """Return the block with its copies."""
        result = np.empty_like(block)
        for start in range(0, block.shape[1], _PIECE_SAMPLES):
            piece = slice(start, start + _PIECE_SAMPLES)
            result[:, piece] = self._chorus(block[:, piece])
        return result

    def tail_seconds(self) -> float:
        """Return the longest delay."""
        return self._tail_seconds

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new values; the swing goes on from where it is."""
        hz = float(values.get("rate_hz", self._hz))
        if hz != self._hz:
            self._from = math.fmod(self._from + self._frames * (self._hz / self._sample_rate), 1.0)
            self._hz, self._frames = hz, 0
        if "mix" in values:
            self._mix.to(number(values, "mix"))
        if "depth_ms" in values:
            depth = self._samples(number(values, "depth_ms"))
            self._depth.to(depth)
            self._tail_seconds = max(self._tail_seconds, (self._least + 2.0 * depth) / self._sample_rate)

    def _samples(self, milliseconds: float) -> float:
        return milliseconds / 1000.0 * self._sample_rate

    def _chorus(self, block: Samples) -> Samples:
        frames = block.shape[1]
        self._line.push(block)
        mix, depth = np.asarray(self._mix.take(frames), np.float32), self._depth.take(frames)
        turns = self._from + np.arange(self._frames, self._frames + frames) * (self._hz / self._sample_rate)
        self._frames += frames
        if not mix.any():
            return block
        result = np.empty_like(block)
        for channel, shifts in enumerate(self._shifts):
            copies = np.zeros(frames, np.float32)
            for shift in shifts:
                swing = 1.0 + np.sin(2.0 * np.pi * (turns + shift))
                copies += self._line.read(channel, self._least + depth * swing)
            copies *= np.float32(1.0 / len(shifts))
            result[channel] = (1 - mix) * block[channel] + mix * copies
        return result
