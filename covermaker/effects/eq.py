"""A parametric equaliser: two cuts, two shelves and four bells."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.effects.filters import (
    HIGH_CUT_OFF_HZ,
    LOW_CUT_OFF_HZ,
    Sections,
    bell,
    butterworth,
    ring_seconds,
    shelf,
)
from covermaker.effects.moving import IDENTITY, MovingSections
from covermaker.effects.spec import Spec, Value, choice, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.audio.buffer import Samples

_BAND_DEFAULTS_HZ = {"band1": 250.0, "band2": 800.0, "band3": 3500.0, "band4": 6500.0}
_SLOPES_DB = (12.0, 24.0)


def _frequency(name: str, default_hz: float, help: str) -> Spec:
    return Spec(name, "Hz", 20.0, 20000.0, default_hz, "log", help)


def _gain(name: str) -> Spec:
    return Spec(name, "dB", -24.0, 24.0, 0.0, help="Boost or cut; 0 leaves the sound untouched.")


class Equaliser:
    """A low shelf, four bells, a high shelf, a low cut and a high cut in series; what is off is left out."""

    HELP: ClassVar[str] = (
        "Boosts or cuts six bands: a low shelf, four bells, a high shelf; and cuts both ends off."
    )
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
        Spec(
            "low_cut_hz",
            "Hz",
            LOW_CUT_OFF_HZ,
            2000.0,
            LOW_CUT_OFF_HZ,
            "log",
            "What is lower goes; 3 dB down here; 20 is off.",
        ),
        choice("low_cut_slope_db", "dB/oct", _SLOPES_DB, 12.0, "Steepness of the low cut."),
        Spec(
            "high_cut_hz",
            "Hz",
            500.0,
            HIGH_CUT_OFF_HZ,
            HIGH_CUT_OFF_HZ,
            "log",
            "What is higher goes; 3 dB down here; 20000 is off.",
        ),
        choice("high_cut_slope_db", "dB/oct", _SLOPES_DB, 12.0, "Steepness of the high cut."),
    )
    MOVES: ClassVar[frozenset[str]] = frozenset(spec.name for spec in SPECS if not spec.choices)

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._values = dict(values)
        self._filter = MovingSections(self._sections(), channels)

    def process(self, block: Samples) -> Samples:
        """Return the equalised block."""
        return self._filter.process(block).astype(np.float32, copy=False)

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new corners, gains and widths."""
        self._values.update(values)
        self._filter.move(self._sections())

    def tail_seconds(self) -> float:
        """Return how long the bands ring."""
        return ring_seconds(self._filter.sections, sample_rate=self._sample_rate)

    def _sections(self) -> Sections:
        """Design every band in its place, those that are off as `IDENTITY`."""

        def of(name: str) -> float:
            return number(self._values, name)

        rate = self._sample_rate
        low_db, high_db = of("low_shelf_db"), of("high_shelf_db")
        parts = [shelf("low", of("low_shelf_hz"), low_db, sample_rate=rate) if low_db else IDENTITY]
        for band in _BAND_DEFAULTS_HZ:
            gain_db = of(f"{band}_db")
            made = bell(of(f"{band}_hz"), gain_db, of(f"{band}_q"), sample_rate=rate) if gain_db else IDENTITY
            parts.append(made)
        parts.append(shelf("high", of("high_shelf_hz"), high_db, sample_rate=rate) if high_db else IDENTITY)
        low_order, high_order = (round(of(f"{end}_cut_slope_db") / 6.0) for end in ("low", "high"))
        if of("low_cut_hz") > LOW_CUT_OFF_HZ:
            parts.append(butterworth("highpass", of("low_cut_hz"), order=low_order, sample_rate=rate))
        else:
            parts += [IDENTITY] * (low_order // 2)
        if of("high_cut_hz") < HIGH_CUT_OFF_HZ:
            parts.append(butterworth("lowpass", of("high_cut_hz"), order=high_order, sample_rate=rate))
        else:
            parts += [IDENTITY] * (high_order // 2)
        return np.concatenate(parts)
