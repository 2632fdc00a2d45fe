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
from covermaker.effects.lines import Line
from covermaker.effects.spec import OFF_DB, Spec, Value, level_gain, number

if TYPE_CHECKING:
    from collections.abc import Mapping

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


class Reverb:
    """Freeverb (pedalboard's, wet only), with pre-delay and band limits; the dry sound is added here, untouched.

    The wet sound is scaled by the energy of its impulse response, so that at ``wet_db = 0`` it carries as much energy
    as a centred sound that feeds it, before the band limits, whatever the size. The first reflection comes 25 ms
    after the direct sound, plus `pre_delay_ms`.
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

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        room_size, damping, width = (number(values, name) for name in ("room_size", "damping", "width"))
        self._sample_rate = sample_rate
        self._dry = np.float32(level_gain(number(values, "dry_db")))
        self._wet = level_gain(number(values, "wet_db"))
        self._tail_seconds = 0.0
        if self._wet == 0.0:
            return
        self._wet *= _unit_gain(room_size, damping, width, sample_rate, channels)
        self._room = _room(room_size, damping, width, sample_rate, channels)
        pre_delay_seconds = number(values, "pre_delay_ms") / 1000.0
        self._line = Line(round(pre_delay_seconds * sample_rate), channels)
        sections = band_limits(
            number(values, "low_cut_hz"), number(values, "high_cut_hz"), sample_rate=sample_rate
        )
        self._limits = SectionStream(sections, channels) if len(sections) else None
        self._tail_seconds = (
            pre_delay_seconds + _decay_seconds(room_size) + ring_seconds(sections, sample_rate=sample_rate)
        )

    def process(self, block: Samples) -> Samples:
        """Return the block with its room."""
        dry: Samples = block * self._dry
        if self._wet == 0.0:
            return dry
        wet = np.empty_like(block)
        for start in range(0, block.shape[-1], _BLOCK_SAMPLES):
            piece = slice(start, start + _BLOCK_SAMPLES)
            wet[:, piece] = _answer(self._room, block[:, piece], self._sample_rate)
        late = self._line.process(wet)
        shaped = late if self._limits is None else self._limits.process(late)
        result: Samples = dry + (shaped * self._wet).astype(np.float32)
        return result

    def tail_seconds(self) -> float:
        """Return the decay by 90 dB at low tones, which decay slowest."""
        return self._tail_seconds


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
    room = _room(room_size, damping, width, sample_rate, channels)
    energy = 0.0
    click = np.zeros((channels, _BLOCK_SAMPLES), np.float32)
    click[:, 0] = 1.0
    for _ in range(math.ceil(_decay_seconds(room_size) * sample_rate / _BLOCK_SAMPLES)):
        answer = _answer(room, click, sample_rate)
        energy += float(np.square(answer, dtype=np.float64).sum()) / channels
        click = np.zeros_like(click)
    return 1.0 / math.sqrt(energy)


def _decay_seconds(room_size: float) -> float:
    feedback = _FEEDBACK_OFFSET + _FEEDBACK_SCALE * room_size
    loops = -4.5 * math.log(10.0) / math.log(feedback)  # until 90 dB down
    return loops * _LONGEST_COMB_SECONDS + 10 * _ALLPASS_SECONDS
