"""What gate and compressor share: what they listen to, and how far they look ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.effects.filters import LOW_CUT_OFF_HZ, Sections, butterworth
from covermaker.effects.lines import Line
from covermaker.effects.moving import IDENTITY, MovingSections
from covermaker.effects.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.effects.follower import GainFollower, Reduction

LONGEST_LOOKAHEAD_MS = 20.0


def lookahead(help: str) -> Spec:
    """Declare how far an effect looks ahead."""
    return Spec("lookahead_ms", "ms", 0.0, LONGEST_LOOKAHEAD_MS, 0.0, help=help)


def detector_low_cut() -> Spec:
    """Declare the low cut of what an effect listens to."""
    return Spec(
        "detector_low_cut_hz",
        "Hz",
        LOW_CUT_OFF_HZ,
        2000.0,
        LOW_CUT_OFF_HZ,
        "log",
        "It does not react to what is lower, which still sounds; 20 is off.",
    )


class SideChain:
    """Applies the gains of a follower to a sound that it may hear early, filtered, or not at all.

    Parameters
    ----------
    follower : GainFollower
        Decides the gains.
    lookahead_samples : int
        How far the sound is delayed against what the follower hears.
    low_cut_hz : float
        Low cut of what it hears, 12 dB per octave.
    sample_rate : int
        In Hz.
    channels : int
        Of the sound.
    """

    def __init__(
        self,
        follower: GainFollower,
        *,
        lookahead_samples: int,
        low_cut_hz: float,
        sample_rate: int,
        channels: int,
    ) -> None:
        self._follower = follower
        self._line = Line(lookahead_samples, channels)
        self._sample_rate = sample_rate
        self._sections = self._low_cut(low_cut_hz)
        self._filter: MovingSections | None = None  # made for as many channels as the key turns out to have

    def process(self, block: Samples, key: Samples) -> Samples:
        """Return the block, late by the lookahead, turned down as `key` says."""
        if self._filter is None:
            self._filter = MovingSections(self._sections, len(key))
        heard: Samples | NDArray[np.float64] = self._filter.process(key)
        result: Samples = self._line.process(block) * self._follower.gains(heard)
        return result

    def move_low_cut(self, low_cut_hz: float) -> None:
        """Take another low cut of what is heard."""
        self._sections = self._low_cut(low_cut_hz)
        if self._filter is not None:
            self._filter.move(self._sections)

    def reduction(self) -> Reduction:
        """Return how far the sound was turned down."""
        return self._follower.reduction()

    def _low_cut(self, low_cut_hz: float) -> Sections:
        if low_cut_hz <= LOW_CUT_OFF_HZ:
            return IDENTITY
        return butterworth("highpass", low_cut_hz, order=2, sample_rate=self._sample_rate)
