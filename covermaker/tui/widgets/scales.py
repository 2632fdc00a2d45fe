"""How a fader spreads values over its way, how far a key moves it, how a value is written and read.

A scale is made of a `Spec` (linear, log, choices, switches, levels) or of a mixer's gain. All of them speak
`covermaker.effects.spec.Value`.
"""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from covermaker.effects.spec import OF_ONE, OFF_DB
from covermaker.errors import UsageError, nearest
from covermaker.tui.widgets.canvas import nice_step
from covermaker.units import quantity

if TYPE_CHECKING:
    from covermaker.effects.spec import Spec, Value

# The fader law: equal ways near 0 dB, ever shorter ones below, as on mixing desks (after the scale of IEC 60268-18).
_LAW_DB = (-60.0, -48.0, -36.0, -24.0, -12.0, -6.0, 0.0, 6.0, 12.0, 24.0)
_LAW = (0.0, 0.06, 0.14, 0.28, 0.5, 0.65, 0.8, 1.0, 1.2, 1.6)
BOTTOM_DB: Final = _LAW_DB[0]
NO_SEND_DB: Final = -96.0  # at this level and below there is no send


class Scale(Protocol):
    """What a fader asks."""

    @property
    def default(self) -> Value:
        """The value to go back to."""

    @property
    def marks(self) -> tuple[float, ...]:
        """Values to write beside a standing fader."""

    def fraction(self, value: Value) -> float:
        """Return where a value stands, 0 to 1."""

    def at(self, fraction: float) -> Value:
        """Return the value at a place, on the grid of the coarse step."""

    def step(self, value: Value, steps: int, *, fine: bool = False) -> Value:
        """Return the value so many steps further."""

    def text(self, value: Value) -> str:
        """Write a value with its unit."""

    def parse(self, text: str) -> Value:
        """Read what was typed; `UsageError` with the allowed values when it does not fit."""


def scale_of(spec: Spec) -> Scale:
    """Return the scale of an effect's parameter."""
    if isinstance(spec.default, bool):
        return ChoiceScale(("off", "on"), spec.default, values=(False, True))
    if spec.choices:
        names = tuple(
            f"{item:g} {spec.unit}".rstrip() if isinstance(item, float) else item for item in spec.choices
        )
        kind = FileScale if spec.file else ChoiceScale
        return kind(names, spec.default, values=spec.choices)
    assert not isinstance(spec.default, str)
    if spec.unit == "dB" and spec.minimum <= OFF_DB:
        return DbScale(spec.minimum, spec.maximum, default=spec.default, top_db=spec.maximum)
    return NumberScale(
        spec.unit,
        spec.minimum,
        spec.maximum,
        default=spec.default,
        log=spec.curve == "log" and spec.minimum > 0,
    )


class NumberScale:
    """A range of numbers, spread evenly or by ratios."""

    marks: tuple[float, ...] = ()

    def __init__(
        self, unit: str, minimum: float, maximum: float, *, default: float, log: bool = False
    ) -> None:
        self.unit, self.minimum, self.maximum, self.default = unit, minimum, maximum, default
        self._log = log
        span = maximum - minimum
        self._coarse = 0.5 if unit == "dB" else nice_step(span, 100)
        self._fine = self._coarse / 5

    def fraction(self, value: Value) -> float:
        """Return where a value stands, 0 to 1."""
        number = min(max(float(value), self.minimum), self.maximum)
        if self._log:
            return math.log(number / self.minimum) / math.log(self.maximum / self.minimum)
        return (number - self.minimum) / (self.maximum - self.minimum)

    def at(self, fraction: float) -> Value:
        """Return the value at a place, on the grid of the coarse step; 0 and 1 are the ends."""
        fraction = min(max(fraction, 0.0), 1.0)
        if self._log:
            return self._clipped(_figures(self.minimum * (self.maximum / self.minimum) ** fraction, 2))
        value = self.minimum + fraction * (self.maximum - self.minimum)
        return self._clipped(_clean(round(value / self._coarse) * self._coarse))

    def step(self, value: Value, steps: int, *, fine: bool = False) -> Value:
        """Return the value so many steps further: by semitones (fine: fifths of one) on a log scale."""
        if self._log:
            ratio = 2.0 ** (steps / (60 if fine else 12))
            moved = _figures(float(value) * ratio, 3 if fine else 2)
            if moved == float(value):  # Rounding must not hold a value fast.
                moved = _figures(float(value) * 2.0 ** (steps / 12), 3)
            return self._clipped(moved)
        return self._clipped(_clean(float(value) + steps * (self._fine if fine else self._coarse)))

    def text(self, value: Value) -> str:
        """Write a value with its unit."""
        number = float(value)
        if self.unit == "dB":
            return f"{number:+.1f} dB" if self.minimum < 0 < self.maximum and number else f"{number:.1f} dB"
        if not self.unit and self.maximum - self.minimum <= 2.0:
            return f"{number:.2f}"
        return f"{_plain(number)} {self.unit}".rstrip()

    def parse(self, text: str) -> Value:
        """Read a number: ``-2.5``, ``6.8k``, ``6.8 kHz``, ``1.2 s`` for milliseconds, ``50 %`` of one."""
        value = None
        with suppress(UsageError):
            value = quantity(text, self.unit, of_one=self.maximum <= OF_ONE)
        if value is None:
            raise UsageError(f"'{text.strip()}' is no value here", hint=f"allowed: {self._allowed}")
        if not self.minimum <= value <= self.maximum:
            raise UsageError(f"{self.text(value)} is out of range", hint=f"allowed: {self._allowed}")
        return value

    @property
    def _allowed(self) -> str:
        return f"{_plain(self.minimum)} to {_plain(self.maximum)} {self.unit}".rstrip()

    def _clipped(self, value: float) -> float:
        return min(max(value, self.minimum), self.maximum)


class DbScale(NumberScale):
    """A gain: the fader law from -60 dB up, and everything below at its lower end.

    Parameters
    ----------
    minimum, maximum : float
        What may be typed, in dB. A minimum of `OFF_DB` is written ``off``.
    default : float
        In dB.
    top_db : float
        The upper end of the way; `maximum` when that is lower.
    """

    marks: tuple[float, ...] = (6.0, 0.0, -6.0, -12.0, -24.0, -48.0)

    def __init__(
        self, minimum: float = -96.0, maximum: float = 24.0, *, default: float = 0.0, top_db: float = 6.0
    ) -> None:
        super().__init__("dB", minimum, maximum, default=default)
        self._top = min(maximum, top_db)

    def fraction(self, value: Value) -> float:
        """Return where a level stands, 0 to 1; below -60 dB it is 0, above the top 1."""
        return min(1.0, _law(float(value)) / _law(self._top))

    def at(self, fraction: float) -> Value:
        """Return the level at a place, to half a dB; 0 is the minimum."""
        if fraction <= 0.0:
            return self.minimum
        level = float(np.interp(min(fraction, 1.0) * _law(self._top), _LAW, _LAW_DB))
        return self._clipped(round(level * 2) / 2)

    def step(self, value: Value, steps: int, *, fine: bool = False) -> Value:
        """Return the level so many half (fine: tenth) dB further; from -60 dB the next step down is the minimum."""
        level = float(value)
        if level < BOTTOM_DB:
            return BOTTOM_DB if steps > 0 else self.minimum
        level = _clean(level + steps * (self._fine if fine else self._coarse))
        return self.minimum if level < BOTTOM_DB else self._clipped(level)

    def text(self, value: Value) -> str:
        """Write a level: ``-2.5 dB``, ``off``."""
        return "off" if float(value) <= OFF_DB else super().text(value)

    def parse(self, text: str) -> Value:
        """Read a level; ``off`` is the minimum."""
        return self.minimum if text.strip().lower() in ("off", "-inf") else super().parse(text)


class SendScale(DbScale):
    """A send's level; its lower end is no send at all, which it goes back to."""

    def __init__(self) -> None:
        super().__init__(default=NO_SEND_DB)

    def text(self, value: Value) -> str:
        """Write a level."""
        return "off" if float(value) <= NO_SEND_DB else super().text(value)


class ChoiceScale:
    """A few values, side by side.

    Parameters
    ----------
    names : tuple of str
        As they are written.
    default : Value
        One of `values`.
    values : tuple
        What the names mean.
    """

    marks: tuple[float, ...] = ()

    def __init__(self, names: tuple[str, ...], default: Value, *, values: tuple[Value, ...]) -> None:
        self.names, self.default, self.values = names, default, values

    def fraction(self, value: Value) -> float:
        """Return where a value stands, 0 to 1."""
        return self.values.index(value) / max(1, len(self.values) - 1)

    def at(self, fraction: float) -> Value:
        """Return the nearest value."""
        return self.values[round(min(max(fraction, 0.0), 1.0) * (len(self.values) - 1))]

    def step(self, value: Value, steps: int, *, fine: bool = False) -> Value:
        """Return the value so many places further; fine is the same."""
        return self.values[min(max(self.values.index(value) + steps, 0), len(self.values) - 1)]

    def text(self, value: Value) -> str:
        """Write a value."""
        return self.names[self.values.index(value)]

    def parse(self, text: str) -> Value:
        """Read one of the names, or its number."""
        wanted = text.strip().lower()
        synonyms = {"true": "on", "yes": "on", "1": "on", "false": "off", "no": "off", "0": "off"}
        for name, value in zip(self.names, self.values, strict=True):
            written = f"{value:g}" if isinstance(value, float) else name
            if wanted in (name.lower(), written.lower()) or synonyms.get(wanted) == name:
                return value
        raise UsageError(f"'{text.strip()}' is no value here", hint=nearest(wanted, self.names))


class FileScale(ChoiceScale):
    """A few values side by side, or a file: it is typed, and shown by its name in front of them all."""

    def fraction(self, value: Value) -> float:
        """Return where a value stands, 0 to 1; a file at 0."""
        return super().fraction(value) if value in self.values else 0.0

    def step(self, value: Value, steps: int, *, fine: bool = False) -> Value:
        """Return the value so many places further; from a file to the first of them."""
        return super().step(value, steps, fine=fine) if value in self.values else self.values[0]

    def text(self, value: Value) -> str:
        """Write a value; of a path, the file's name."""
        return super().text(value) if value in self.values else PurePath(str(value)).name

    def parse(self, text: str) -> Value:
        """Read one of the names, or a path."""
        wanted = text.strip()
        if not wanted:
            raise UsageError("nothing was written", hint=f"a file, or one of {', '.join(self.names)}")
        return wanted.lower() if wanted.lower() in self.values else wanted


def _law(db: float) -> float:
    return float(np.interp(db, _LAW_DB, _LAW))


def _clean(value: float) -> float:
    """Drop what binary fractions leave: 0.30000000000000004 is 0.3."""
    return float(f"{value:.10g}")


def _figures(value: float, count: int) -> float:
    return float(f"{value:.{count}g}")


def _plain(value: float) -> str:
    """Write up to four figures, never with an exponent."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
