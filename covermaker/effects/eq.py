"""A parametric equaliser: two shelves and four bells."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import SectionStream, bell, ring_seconds, shelf
from covermaker.effects.spec import Spec, Value, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.audio.buffer import Samples

_BAND_DEFAULTS_HZ = {"band1": 250.0, "band2": 800.0, "band3": 3500.0, "band4": 6500.0}


def _frequency(name: str, default_hz: float, help: str) -> Spec:
    return Spec(name, "Hz", 20.0, 20000.0, default_hz, "log", help)


def _gain(name: str) -> Spec:
    return Spec(name, "dB", -24.0, 24.0, 0.0, help="Boost or cut; 0 leaves the sound untouched.")


class Equaliser:
    """A low shelf, four bells and a high shelf in series; a band at 0 dB is left out."""

    HELP: ClassVar[str] = "Boosts or cuts six bands: a low shelf, four bells, a high shelf."
    VERSION: ClassVar[int] = 1
    KEEPS_MONO: ClassVar[bool] = True
    SPECS: ClassVar[tuple[Spec, ...]] = (
        _frequency("low_shelf_hz", 120.0, "Corner of the low shelf, half its gain."),
        _gain("low_shelf_db"),
        *(
            spec
            for band, default_hz in _BAND_DEFAULTS_HZ.items()
            for spec in (
                _frequency(f"{band}_hz", default_hz, "Centre of the bell."),
                _gain(f"{band}_db"),
                Spec(f"{band}_q", "", 0.1, 20.0, 1.0, "log", "Narrowness: centre divided by width."),
            )
        ),
        _frequency("high_shelf_hz", 10000.0, "Corner of the high shelf, half its gain."),
        _gain("high_shelf_db"),
    )

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        def of(name: str) -> float:
            return number(values, name)

        parts = [np.zeros((0, 6))]
        if of("low_shelf_db"):
            parts.append(shelf("low", of("low_shelf_hz"), of("low_shelf_db"), sample_rate=sample_rate))
        parts += [
            bell(of(f"{band}_hz"), of(f"{band}_db"), of(f"{band}_q"), sample_rate=sample_rate)
            for band in _BAND_DEFAULTS_HZ
            if of(f"{band}_db")
        ]
        if of("high_shelf_db"):
            parts.append(shelf("high", of("high_shelf_hz"), of("high_shelf_db"), sample_rate=sample_rate))
        sections = np.concatenate(parts)
        self._stream = SectionStream(sections, channels) if len(sections) else None
        self._tail_seconds = ring_seconds(sections, sample_rate=sample_rate)

    def process(self, block: Samples) -> Samples:
        """Return the equalised block."""
        return block if self._stream is None else self._stream.process(block).astype(np.float32)

    def tail_seconds(self) -> float:
        """Return how long the bands ring."""
        return self._tail_seconds
