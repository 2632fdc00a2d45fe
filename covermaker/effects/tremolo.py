"""A tremolo: the level swings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.glide import Glide
from covermaker.effects.spec import Spec, Value, number
from covermaker.effects.sync import SYNC_OFF, SYNCS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

# The edges of the square take this part of a swing: vertical ones would click.
_EDGE_TURNS = 0.05


def _sine(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2.0 * math.pi * turns)


def _triangle(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 - np.abs(2.0 * (turns - np.floor(turns)) - 1.0)


def _square(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Loud for half a turn, quiet for the other half, with edges of half a cosine."""
    place = turns - np.floor(turns)
    down = np.clip((place - 0.5 + _EDGE_TURNS) / _EDGE_TURNS, 0.0, 1.0)
    up = np.clip((place - 1.0 + _EDGE_TURNS) / _EDGE_TURNS, 0.0, 1.0)
    return _sine(0.5 * (down - up))


# Each gives how far down the level is, 0 to 1, from turns; all begin loud.
_SHAPES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "sine": _sine,
    "triangle": _triangle,
    "square": _square,
}


class Tremolo:
    """The level swings between all of it and ``1 - depth``, `rate_hz` times a second, beginning loud.

    With `stereo_degrees` the right channel swings later than the left; at 180 the sound goes from side to side.
    """

    HELP: ClassVar[str] = "Lets the level swing, like the tremolo of an old amplifier; or from side to side."
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("rate_hz", "Hz", 0.1, 20.0, 5.0, "log", "Swings a second."),
        Spec(
            "sync",
            "",
            0.0,
            0.0,
            SYNC_OFF,
            help="A note length as one swing, in place of rate_hz.",
            choices=SYNCS,
        ),
        Spec("depth", "", 0.0, 1.0, 0.5, help="How far down it swings; 0 is not at all, 1 is to silence."),
        Spec("shape", "", 0.0, 0.0, "sine", help="Of the swing.", choices=tuple(_SHAPES)),
        Spec(
            "stereo_degrees", "°", 0.0, 180.0, 0.0, help="How much later the right swings; 180 is opposite."
        ),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset({"rate_hz", "depth", "stereo_degrees"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._shape = _SHAPES[str(values["shape"])]
        self._depth = Glide(number(values, "depth"))
        self._apart = Glide(number(values, "stereo_degrees") / 360.0)
        self._hz = number(values, "rate_hz")
        self._from = 0.0  # where the swing was, in turns, when the rate was last set
        self._frames = 0  # heard since then

    def begin(self, song_frame: int) -> None:
        """Swing as the whole song does there."""
        self._frames = song_frame

    def process(self, block: Samples) -> Samples:
        """Return the block with its level swinging."""
        frames = block.shape[1]
        turns = self._from + np.arange(self._frames, self._frames + frames) * (self._hz / self._sample_rate)
        self._frames += frames
        depth, apart = self._depth.take(frames), self._apart.take(frames)
        gain = np.empty((len(block), frames), dtype=np.float32)
        gain[0] = 1.0 - depth * self._shape(turns)
        if len(block) == 2:
            together = isinstance(apart, float) and apart == 0.0
            gain[1] = gain[0] if together else 1.0 - depth * self._shape(turns - apart)
        result: Samples = block * gain
        return result

    def move(self, values: Mapping[str, Value]) -> None:
        """Take another rate, depth or distance of the sides; the swing goes on from where it is."""
        hz = number(values, "rate_hz") if "rate_hz" in values else self._hz
        if hz != self._hz:
            self._from = math.fmod(self._from + self._frames * (self._hz / self._sample_rate), 1.0)
            self._hz, self._frames = hz, 0
        if "depth" in values:
            self._depth.to(number(values, "depth"))
        if "stereo_degrees" in values:
            self._apart.to(number(values, "stereo_degrees") / 360.0)

    def tail_seconds(self) -> float:
        """Return 0."""
        return 0.0
