"""A sampler of the eighties: few bits, few samples a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import SectionStream, butterworth, ring_seconds
from covermaker.effects.glide import Glide
from covermaker.effects.spec import Spec, Value, number, switch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

# The steepest filter that old converters had in front of them and behind them.
_FILTER_ORDER = 8
_PASSED = 0.45  # of the lower rate
FULL_RATE_HZ = 48000.0


class Bitcrush:
    """Rounds to ``2 ** bits`` steps over the full range, and holds each sample until the next of a lower rate.

    The steps include zero: silence stays silence. Without `filter` the held steps alias, which is the sound that is
    meant; with it, what the lower rate cannot hold is taken away before and behind.
    """

    HELP: ClassVar[str] = "Fewer bits and a lower sample rate: the dirt of old samplers and toys."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        Spec("bits", "bit", 1.0, 16.0, 8.0, help="Resolution; between whole numbers, steps in between."),
        Spec(
            "rate_hz",
            "Hz",
            500.0,
            FULL_RATE_HZ,
            16000.0,
            "log",
            "Samples a second; 48000 leaves the rate alone.",
        ),
        switch("filter", False, "Takes away what the lower rate cannot hold; without it, it folds back."),
        Spec("mix", "", 0.0, 1.0, 1.0, help="Share of the crushed sound; 0 is the sound alone."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset({"bits", "mix"})

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._bits = Glide(number(values, "bits"))
        self._mix = Glide(number(values, "mix"))
        rate_hz = number(values, "rate_hz")
        self._rates = rate_hz, float(sample_rate)
        self._holds = rate_hz < min(FULL_RATE_HZ, sample_rate)
        self._seen = 0
        self._held: Samples = np.zeros((channels, 1), np.float32)
        self._filters: list[SectionStream] = []
        self._tail_seconds = 1.0 / rate_hz
        if values["filter"] and self._holds:
            sections = butterworth("lowpass", _PASSED * rate_hz, order=_FILTER_ORDER, sample_rate=sample_rate)
            self._filters = [SectionStream(sections, channels) for _ in range(2)]
            self._tail_seconds += 2.0 * ring_seconds(sections, sample_rate=sample_rate)

    def process(self, block: Samples) -> Samples:
        """Return the crushed block."""
        frames = block.shape[1]
        bits, mix = self._bits.take(frames), np.asarray(self._mix.take(frames), np.float32)
        if not frames:
            return block.copy()
        limited = self._filters[0].process(block) if self._filters else block.astype(np.float64)
        levels = np.exp2(np.asarray(bits) - 1.0)
        crushed = np.rint(self._sampled(limited) * levels) / levels
        if self._filters:
            crushed = self._filters[1].process(crushed)
        result: Samples = (1 - mix) * block + mix * crushed.astype(np.float32)
        return result

    def tail_seconds(self) -> float:
        """Return the length of a held sample, and how long the filters ring."""
        return self._tail_seconds

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new values."""
        if "bits" in values:
            self._bits.to(number(values, "bits"))
        if "mix" in values:
            self._mix.to(number(values, "mix"))

    def _sampled(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """Hold each sample of the lower rate until the next one."""
        frames = block.shape[1]
        if not self._holds:
            return block
        lower, full = self._rates
        places = np.floor(np.arange(self._seen - 1, self._seen + frames) * lower / full)
        self._seen += frames
        taken = np.flatnonzero(np.diff(places) > 0.0)
        held = np.concatenate([self._held, block[:, taken]], axis=1)
        self._held = held[:, -1:].copy()
        runs = np.diff(np.concatenate([[0], taken, [frames]]))
        return np.repeat(held, runs, axis=1)
