"""Saturation: loud waves are bent, which adds overtones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import SectionStream, butterworth, ring_seconds
from covermaker.effects.glide import Glide
from covermaker.effects.lines import Line
from covermaker.effects.oversampling import Oversampler
from covermaker.effects.spec import Spec, Value, level_gain, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from covermaker.audio.buffer import Samples

# The level compensation holds for a sine of -18 dBFS RMS: about what a voice has in front of its rack.
_REFERENCE_PEAK = 10.0 ** (-15.0 / 20.0)
_CYCLE = np.sin(2.0 * math.pi * (np.arange(256) + 0.5) / 256).astype(np.float32)

# What a lopsided curve adds as a constant goes through this low cut.
_COUPLING_HZ = 10.0

_TUBE_BIAS = np.float32(0.5)


def _tape(wave: Samples) -> Samples:
    """Bend both halves alike: odd overtones."""
    bent: Samples = np.tanh(wave)
    return bent


def _tube(wave: Samples) -> Samples:
    """Bend one half earlier than the other: even overtones as well; slope 1 and value 0 at 0."""
    rest = np.tanh(np.full(1, _TUBE_BIAS))
    bent: Samples = (np.tanh(wave + _TUBE_BIAS) - rest) / (np.float32(1.0) - rest * rest)
    return bent


def _warm(wave: Samples) -> Samples:
    """Bend late and slowly: fewer, lower overtones."""
    bent: Samples = wave / np.sqrt(np.float32(1.0) + wave * wave)
    return bent


_CURVES: dict[str, Callable[[Samples], Samples]] = {"tape": _tape, "tube": _tube, "warm": _warm}


class Saturation:
    """A bent curve at four times the rate, with the level brought back to where it was.

    `drive_db` goes into the curve and the gain behind it makes up for it: a sine of -18 dBFS RMS comes out as loud
    as it went in. The linear-phase filters around it take time: the sound is late by `latency_samples`, the dry
    share too, so that `mix` adds up.
    """

    HELP: ClassVar[str] = "Adds overtones: warmth at low drive, grit at high drive, at much the same level."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec(
            "curve", "", 0.0, 0.0, "tape", help="tape bends both halves, tube one more, warm slowly.",
            choices=tuple(_CURVES),
        ),
        Spec("drive_db", "dB", 0.0, 36.0, 6.0, help="How loud it meets the curve; made up for behind it."),
        Spec("mix", "", 0.0, 1.0, 1.0, help="Share of the bent sound; 0 leaves the input."),
        Spec("output_db", "dB", -24.0, 12.0, 0.0, help="Level of the bent sound."),
    )  # fmt: skip
    MOVES: ClassVar[frozenset[str]] = frozenset({"drive_db", "mix", "output_db"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._values = dict(values)
        self._curve = _CURVES[str(values["curve"])]
        self._sampler = Oversampler(self._curve, channels)
        self.latency_samples = self._sampler.latency_samples
        self._line = Line(self.latency_samples, channels)
        drive, level = self._gains()
        self._drive, self._level = Glide(drive), Glide(level)
        self._mix = Glide(number(values, "mix"))
        self._coupling: SectionStream | None = None
        self._tail_seconds = self.latency_samples / sample_rate
        if values["curve"] == "tube":
            sections = butterworth("highpass", _COUPLING_HZ, order=1, sample_rate=sample_rate)
            self._coupling = SectionStream(sections, channels)
            self._tail_seconds += ring_seconds(sections, sample_rate=sample_rate)

    def process(self, block: Samples) -> Samples:
        """Return the block, late and bent."""
        frames = block.shape[1]
        drive, level, mix = (
            np.asarray(glide.take(frames), dtype=np.float32)
            for glide in (self._drive, self._level, self._mix)
        )
        bent = self._sampler.process(block * drive)
        if self._coupling is not None:
            bent = self._coupling.process(bent).astype(np.float32)
        dry = self._line.process(block)
        result: Samples = dry + mix * (bent * level - dry)
        return result

    def move(self, values: Mapping[str, Value]) -> None:
        """Take another drive, mix or level."""
        self._values.update(values)
        drive, level = self._gains()
        self._drive.to(drive)
        self._level.to(level)
        self._mix.to(number(self._values, "mix"))

    def tail_seconds(self) -> float:
        """Return how long the filters ring."""
        return self._tail_seconds

    def _gains(self) -> tuple[float, float]:
        """Return the factor in front of the curve and the one behind it."""
        drive = level_gain(number(self._values, "drive_db"))
        wave = _CYCLE * np.float32(_REFERENCE_PEAK)
        bent = self._curve(wave * np.float32(drive)).astype(np.float64)
        bent -= bent.mean()
        made_up = math.sqrt(float(np.square(wave, dtype=np.float64).sum() / np.square(bent).sum()))
        return drive, made_up * level_gain(number(self._values, "output_db"))
