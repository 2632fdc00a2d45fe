"""What an effect is, and how its parameters are declared.

A parameter is one `Spec` row. Range checks, project validation, documentation and user interfaces all derive from
these rows; the audio libraries underneath check only some of their arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.audio.buffer import Samples

Value: TypeAlias = float | str | bool

# A level parameter at this value is off: its gain is exactly 0.
OFF_DB = -100.0


@dataclass(frozen=True, slots=True)
class Spec:
    """One parameter.

    Parameters
    ----------
    name : str
        As written in a rack row; carries its unit (``release_ms``).
    unit : str
        For people: ``"dB"``, ``"ms"``, ``"Hz"``, ``":1"`` or empty.
    minimum, maximum : float
        Allowed range, both ends included; unused for choices and switches.
    default : float, str or bool
        Also says the type: a bool is a switch.
    curve : {"linear", "log"}
        How a fader should spread the range.
    help : str
        One line.
    choices : tuple
        The allowed values, when they are a list and no range.
    """

    name: str
    unit: str
    minimum: float
    maximum: float
    default: Value
    curve: Literal["linear", "log"] = "linear"
    help: str = ""
    choices: tuple[float | str, ...] = ()

    @property
    def allowed(self) -> str:
        """The allowed values in words: ``"1 to 20 :1"``, ``"12, 24"``, ``"true or false"``."""
        if self.choices:
            return ", ".join(
                f"{choice:g}" if isinstance(choice, float) else choice for choice in self.choices
            )
        if isinstance(self.default, bool):
            return "true or false"
        return f"{self.minimum:g} to {self.maximum:g} {self.unit}".rstrip()


def choice(name: str, unit: str, choices: tuple[float, ...], default: float, help: str) -> Spec:
    """Declare a parameter that takes one of a few numbers."""
    return Spec(name, unit, min(choices), max(choices), default, help=help, choices=choices)


def switch(name: str, default: bool, help: str) -> Spec:
    """Declare a parameter that is true or false."""
    return Spec(name, "", 0.0, 1.0, default, help=help)


class Effect(Protocol):
    """A running effect: made for one stream, fed its blocks in order, thrown away after it.

    Every output sample depends on this and earlier input samples only and comes at its own place: no effect adds
    delay. The output does not depend on how the stream is cut into blocks. A fresh state is a fresh instance.
    `VERSION` grows with every change of the sound, so that cached renders are made again.

    An effect may have ``KEEPS_MONO: ClassVar[bool] = True`` when equal channels stay equal behind it: on a mono
    source it then runs on one channel.
    """

    SPECS: ClassVar[tuple[Spec, ...]]
    HELP: ClassVar[str]
    VERSION: ClassVar[int]

    def __init__(self, values: Mapping[str, Value], sample_rate: int, channels: int) -> None:
        """Take a value for every one of `SPECS`, the rate in Hz and 1 or 2 channels."""

    def process(self, block: Samples) -> Samples:
        """Return the processed block, same shape; the given block is left as it is."""

    def tail_seconds(self) -> float:
        """Return for how long, at most, sound above -90 dB goes on after the input has ended."""


def defaults(specs: Iterable[Spec]) -> dict[str, Value]:
    """Return every parameter's default."""
    return {spec.name: spec.default for spec in specs}


def number(values: Mapping[str, Value], name: str) -> float:
    """Read a numeric parameter that `covermaker.effects.rack.parse_rack` has checked."""
    return float(values[name])


def level_gain(level_db: float) -> float:
    """Return the amplitude factor of a level in dB; `OFF_DB` and below is exactly 0, 0 dB exactly 1."""
    return 0.0 if level_db <= OFF_DB else float(10.0 ** (level_db / 20.0))


def describe(effect: type[Effect]) -> list[dict[str, str]]:
    """Return a documentation table: one row a parameter, all cells as text."""
    return [
        {
            "parameter": spec.name,
            "allowed": spec.allowed,
            "default": _written(spec.default),
            "unit": spec.unit,
            "help": spec.help,
        }
        for spec in effect.SPECS
    ]


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:g}"
