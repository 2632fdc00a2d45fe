"""Between which notes a voice is at home: what its card says, and what automatic transposition aims at.

Two answers. The takes' own range is what the singer sang. The trained range is where the network learned to sing: it
has met the takes moved and on made-up melodies, too, so it reaches further up. It is worked out from the takes' pitch
and from the profile's rules for what is made (`material.transposition`, `material.melody_bounds`), as if everything
that the profile wants had been made: how much of it a wall-clock budget leaves room for depends on the machine's mood,
and a card must not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from covermaker.training.augment import WORLD_FRAME_SECONDS, melody_hz
from covermaker.training.material import melody_bounds, transposition
from covermaker.voices.card import F0Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from covermaker.training.profiles import Augmentation

# 5th percentile, median and 95th percentile of a pitch, in Hz.
PitchRange: TypeAlias = tuple[float, float, float]

_PERCENTILES = (5.0, 50.0, 95.0)
_DRAWS = (
    256  # pieces of each kind that stand for all: the percentiles then lie within a quarter tone of many more
)
_MELODY_FRAMES = round(12.0 / WORLD_FRAME_SECONDS)
_LEVELS = 199  # quantiles that stand for the takes' pitch


@dataclass(frozen=True)
class Sung:
    """What one singer sang.

    Parameters
    ----------
    f0_hz : sequence of float32 array
        Pitch curves, 0 where unvoiced.
    seconds : float
        How much of it enters the training as it is.
    median_hz : float
        As `material.make` gets it.
    """

    f0_hz: Sequence[NDArray[np.float32]]
    seconds: float
    median_hz: float

    def voiced(self) -> NDArray[np.float64]:
        """Return the pitch of the voiced frames."""
        pitch = np.concatenate(list(self.f0_hz)).astype(np.float64)
        return pitch[pitch > 0]


def taken_range(singers: Sequence[Sung]) -> PitchRange:
    """Return the range of takes as they are."""
    low, median, high = np.percentile(np.concatenate([one.voiced() for one in singers]), _PERCENTILES)
    return float(low), float(median), float(high)


def trained_range(singers: Sequence[Sung], augmentation: Augmentation) -> PitchRange:
    """Return the range of everything that a profile makes of some takes."""
    rng = np.random.default_rng(8)  # one for all voices: the range is no matter of luck
    shares = augmentation.transposed, augmentation.sung + augmentation.held
    made = 60.0 * augmentation.made_minutes / sum(shares) if sum(shares) > 0 else 0.0
    whole = sum(one.seconds for one in singers)
    parts: list[tuple[NDArray[np.float64], float]] = []
    for one in singers:
        own = made * (one.seconds / whole if whole > 0 else 1.0 / len(singers))
        plain = np.quantile(one.voiced(), np.linspace(0.0, 1.0, _LEVELS + 2)[1:-1])
        moved = [plain * 2.0 ** (transposition(rng, one.median_hz) / 12.0) for _ in range(_DRAWS)]
        sung = [_melody(rng, one.median_hz) for _ in range(_DRAWS)]
        parts += [
            (plain, one.seconds),
            (np.concatenate(moved), own * shares[0]),
            (np.concatenate(sung), own * shares[1]),
        ]
    pitch = np.concatenate([values for values, _ in parts])
    weights = np.concatenate([np.full(len(values), weight / len(values)) for values, weight in parts])
    low, median, high = np.percentile(pitch, _PERCENTILES, weights=weights, method="inverted_cdf")
    return float(low), float(median), float(high)


def _melody(rng: np.random.Generator, median_hz: float) -> NDArray[np.float64]:
    low_hz, high_hz = melody_bounds(rng, median_hz)
    return melody_hz(_MELODY_FRAMES, rng, low_hz=low_hz, high_hz=high_hz)


def on_card(taken: PitchRange, trained: PitchRange) -> F0Part:
    """Return what a card says of a voice's pitch."""
    low_hz, median_hz, high_hz = (round(hz, 1) for hz in trained)
    return F0Part(low_hz=low_hz, median_hz=median_hz, high_hz=high_hz, takes_median_hz=round(taken[1], 1))
