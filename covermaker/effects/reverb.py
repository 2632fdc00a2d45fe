"""A room: many dense reflections that decay."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import (
    HIGH_CUT_OFF_HZ,
    LOW_CUT_OFF_HZ,
    SectionStream,
    band_limits,
    ring_seconds,
)
from covermaker.effects.glide import Glide
from covermaker.effects.lines import Line
from covermaker.effects.spec import OFF_DB, Spec, Value, level_gain, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pedalboard

    from covermaker.audio.buffer import Samples

# The longest comb filter of Freeverb with its stereo spread, at 44.1 kHz, and its feedback as a function of size.
_LONGEST_COMB_SECONDS = (1617 + 23) / 44100.0
_FEEDBACK_SCALE, _FEEDBACK_OFFSET = 0.28, 0.7
_ALLPASS_SECONDS = (556 + 441 + 341 + 225 + 4 * 23) / 44100.0

# pedalboard forgets its state when a block is longer than every one before: the first is the longest of all.
_BLOCK_SAMPLES = 8192

# Freeverb adds and takes off 0.1 in every loop against denormal numbers, which rounds to 7e-9 and leaves an idle tone
# of up to -89 dBFS that never ends. Fed this much louder (a power of two: exact) the tone sinks below -170 dBFS, where
# it is taken for the silence it should be.
_HEADROOM = 16384.0
_IDLE = 1e-8

# Where the room itself moves, its energy is looked up between rooms so far apart: 0.02 dB off at most.
_STEPS = 32
_ROOM = ("room_size", "damping", "width")


class Reverb:
    """Freeverb (pedalboard's, wet only), with pre-delay and band limits; the dry sound is added here, untouched.

    The wet sound is scaled by the energy of its impulse response, so that at ``wet_db = 0`` it carries as much energy
    as a centred sound that feeds it, before the band limits, whatever the size. The first reflection comes 25 ms
    after the direct sound, plus `pre_delay_ms`.

    A room that moves glides by itself, within 10 ms. One whose `wet_db` comes up from -100 hears from there on.
    """

    HELP: ClassVar[str] = (
        "A room around the sound. As an insert lower wet_db; on a send bus set dry_db to -100."
    )
    VERSION: ClassVar[int] = 1
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("room_size", "", 0.0, 1.0, 0.4, help="Decay: 0 is 0.6 s, 0.5 is 1.2 s, 0.9 is 4 s, 1 is 10 s."),
        Spec("damping", "", 0.0, 1.0, 0.5, help="How much faster high tones decay."),
        Spec("width", "", 0.0, 1.0, 1.0, help="Stereo width of the wet sound; 0 is mono."),
        Spec(
            "pre_delay_ms", "ms", 0.0, 500.0, 0.0, help="Pause before the room answers, beyond its own 25 ms."
        ),
        Spec(
            "low_cut_hz", "Hz", LOW_CUT_OFF_HZ, 2000.0, 200.0, "log", "Low cut of the wet sound; 20 is off."
        ),
        Spec("high_cut_hz", "Hz", 500.0, HIGH_CUT_OFF_HZ, 9000.0, "log", "High cut of it; 20000 is off."),
        Spec("wet_db", "dB", OFF_DB, 12.0, -16.0, help="Level of the wet sound; -100 is off."),
        Spec("dry_db", "dB", OFF_DB, 12.0, 0.0, help="Level of the direct sound; -100 is off."),
    )

    MOVES: ClassVar[frozenset[str]] = frozenset({"room_size", "damping", "width", "wet_db", "dry_db"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._values = {spec.name: number(values, spec.name) for spec in self.SPECS}
        self._sample_rate, self._channels = sample_rate, channels
        self._dry = Glide(level_gain(self._values["dry_db"]))
        self._tail_seconds = 0.0
        self._room: pedalboard.Reverb | None = None
        self._unit_gain = 1.0
        if self._values["wet_db"] > OFF_DB:
            self._enter()
        self._wet = Glide(level_gain(self._values["wet_db"]) * self._unit_gain)

    def process(self, block: Samples) -> Samples:
        """Return the block with its room."""
        frames = block.shape[-1]
        dry: Samples = block * np.asarray(self._dry.take(frames), np.float32)
        level = self._wet.take(frames)
        if self._room is None:
            return dry
        wet = np.empty_like(block)
        for start in range(0, frames, _BLOCK_SAMPLES):
            piece = slice(start, start + _BLOCK_SAMPLES)
            wet[:, piece] = _answer(self._room, block[:, piece], self._sample_rate)
        late = self._line.process(wet)
        shaped = late if self._limits is None else self._limits.process(late)
        result: Samples = dry + (shaped * level).astype(np.float32)
        return result

    def tail_seconds(self) -> float:
        """Return the decay by 90 dB at low tones, which decay slowest; that of the largest room there was."""
        return self._tail_seconds

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new levels or another room."""
        moved = {name for name in values if number(values, name) != self._values[name]}
        for name in moved:
            self._values[name] = number(values, name)
        self._dry.to(level_gain(self._values["dry_db"]))
        if self._room is None and self._values["wet_db"] > OFF_DB:
            self._enter()
        elif self._room is not None and moved.intersection(_ROOM):
            for name in _ROOM:
                setattr(self._room, name, self._values[name])
            room_size, damping, width = (self._values[name] for name in _ROOM)
            self._unit_gain = _between_rooms(room_size, damping, width, self._sample_rate, self._channels)
            self._tail_seconds = max(self._tail_seconds, self._decay())
        self._wet.to(level_gain(self._values["wet_db"]) * self._unit_gain)

    def _enter(self) -> None:
        """Build the room."""
        room_size, damping, width = (self._values[name] for name in _ROOM)
        self._unit_gain = _unit_gain(room_size, damping, width, self._sample_rate, self._channels)
        self._room = _room(room_size, damping, width, self._sample_rate, self._channels)
        self._line = Line(round(self._values["pre_delay_ms"] / 1000.0 * self._sample_rate), self._channels)
        self._sections = band_limits(
            self._values["low_cut_hz"], self._values["high_cut_hz"], sample_rate=self._sample_rate
        )
        self._limits = SectionStream(self._sections, self._channels) if len(self._sections) else None
        self._tail_seconds = self._decay()

    def _decay(self) -> float:
        ring = ring_seconds(self._sections, sample_rate=self._sample_rate)
        return self._values["pre_delay_ms"] / 1000.0 + _decay_seconds(self._values["room_size"]) + ring


def _room(
    room_size: float, damping: float, width: float, sample_rate: int, channels: int
) -> pedalboard.Reverb:
    import pedalboard

    room = pedalboard.Reverb(
        room_size=room_size, damping=damping, width=width, wet_level=1.0, dry_level=0.0, freeze_mode=0.0
    )
    room.reset()
    # Silence leaves the room silent, and teaches it the channel layout and the longest block there will be: later
    # blocks of any size, even of one sample, are then neither misread nor a reason to start anew.
    _answer(room, np.zeros((channels, _BLOCK_SAMPLES), np.float32), sample_rate)
    return room


def _answer(room: pedalboard.Reverb, block: Samples, sample_rate: int) -> Samples:
    loud = np.ascontiguousarray(block * np.float32(_HEADROOM))
    wet = room.process(loud, sample_rate, buffer_size=_BLOCK_SAMPLES, reset=False)
    wet *= np.float32(1.0 / _HEADROOM)
    wet[np.abs(wet) < _IDLE] = 0.0
    return wet


@lru_cache(maxsize=64)
def _unit_gain(room_size: float, damping: float, width: float, sample_rate: int, channels: int) -> float:
    energy = 0.0
    for answer in _answers(room_size, damping, width, sample_rate, channels):
        energy += float(np.square(answer, dtype=np.float64).sum()) / channels
    return 1.0 / math.sqrt(energy)


def _answers(
    room_size: float, damping: float, width: float, sample_rate: int, channels: int
) -> Iterator[Samples]:
    """Yield what a room answers to a centred click, block by block."""
    room = _room(room_size, damping, width, sample_rate, channels)
    click = np.zeros((channels, _BLOCK_SAMPLES), np.float32)
    click[:, 0] = 1.0
    for _ in range(math.ceil(_decay_seconds(room_size) * sample_rate / _BLOCK_SAMPLES)):
        yield _answer(room, click, sample_rate)
        click = np.zeros_like(click)


def _between_rooms(room_size: float, damping: float, width: float, sample_rate: int, channels: int) -> float:
    """Return the gain of a room that moves, out of the energies of its neighbours on a grid."""
    corners = _neighbours(room_size), _neighbours(damping)
    own, shared = (
        math.exp(
            math.fsum(
                one_share * other_share * math.log(_energies(one, other, sample_rate, channels)[which])
                for one, one_share in corners[0]
                for other, other_share in corners[1]
            )
        )
        for which in (0, 1)
    )
    # Width 1 keeps the room's two sides apart, 0 hears their mean on both.
    near, far = (1.0 + width) / 2.0, (1.0 - width) / 2.0
    if channels == 1:
        return 1.0 / (near * math.sqrt(own))
    # The energy of the sum is that of both, and twice what they have in common.
    common = (shared - 2.0 * own) / 2.0
    return 1.0 / math.sqrt((near * near + far * far) * own + 2.0 * near * far * common)


def _neighbours(value: float) -> list[tuple[float, float]]:
    """Return the places of the grid around a value, and what each has to say."""
    below = min(int(value * _STEPS), _STEPS - 1)
    share = value * _STEPS - below
    return [(below / _STEPS, 1.0 - share), ((below + 1) / _STEPS, share)]


@lru_cache(maxsize=2048)
def _energies(room_size: float, damping: float, sample_rate: int, channels: int) -> tuple[float, float]:
    """Return the energy of a room's answer by channel at width 1, and that of the sum of its two sides."""
    own = shared = 0.0
    for answer in _answers(room_size, damping, 1.0, sample_rate, channels):
        own += float(np.square(answer, dtype=np.float64).sum()) / channels
        shared += float(np.square(answer.sum(axis=0, dtype=np.float64)).sum())
    return own, shared


def _decay_seconds(room_size: float) -> float:
    feedback = _FEEDBACK_OFFSET + _FEEDBACK_SCALE * room_size
    loops = -4.5 * math.log(10.0) / math.log(feedback)  # until 90 dB down
    return loops * _LONGEST_COMB_SECONDS + 10 * _ALLPASS_SECONDS
