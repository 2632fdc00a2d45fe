"""What an effect is, and how its parameters are declared.

A parameter is one `Spec` row. Range checks, project validation, documentation and user interfaces all derive from
these rows; the audio libraries underneath check only some of their arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from covermaker.audio.buffer import Samples

Value: TypeAlias = float | str | bool

# A level parameter at this value is off: its gain is exactly 0.
OFF_DB = -100.0

# A number without unit that goes no higher is a share, or a width: it may be typed in percent.
OF_ONE = 2.0


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
    file : bool
        A file may be named instead of one of `choices`: relative to the project in a document, absolute in the values
        that an effect is made with.
    """

    name: str
    unit: str
    minimum: float
    maximum: float
    default: Value
    curve: Literal["linear", "log"] = "linear"
    help: str = ""
    choices: tuple[float | str, ...] = ()
    file: bool = False

    @property
    def allowed(self) -> str:
        """The allowed values in words: ``"1 to 20 :1"``, ``"12, 24"``, ``"true or false"``."""
        if self.choices or self.file:
            named = [f"{choice:g}" if isinstance(choice, float) else choice for choice in self.choices]
            return ", ".join([*named, *(["a file"] if self.file else [])])
        if isinstance(self.default, bool):
            return "true or false"
        return f"{self.minimum:g} to {self.maximum:g} {self.unit}".rstrip()


def choice(name: str, unit: str, choices: tuple[float, ...], default: float, help: str) -> Spec:
    """Declare a parameter that takes one of a few numbers."""
    return Spec(name, unit, min(choices), max(choices), default, help=help, choices=choices)


def switch(name: str, default: bool, help: str) -> Spec:
    """Declare a parameter that is true or false."""
    return Spec(name, "", 0.0, 1.0, default, help=help)


def file(name: str, choices: tuple[str, ...], help: str) -> Spec:
    """Declare a parameter that is one of a few names, the first by default, or a file.

    The effect's class then has a classmethod ``content(values)``, as `Reading` says.
    """
    return Spec(name, "", 0.0, 0.0, choices[0], help=help, choices=choices, file=True)


class Effect(Protocol):
    """A running effect: made for one stream, fed its blocks in order, thrown away after it.

    The output does not depend on how the stream is cut into blocks. A fresh state is a fresh instance. `VERSION` grows
    with every change of the sound, so that cached renders are made again.

    An effect may have ``KEEPS_MONO: ClassVar[bool] = True`` when equal channels stay equal behind it: on a mono
    source it then runs on one channel. ``FIXED: ClassVar[frozenset[str]]`` names parameters that decide how late it is
    and can never be automated. What else it can do it says by being `Late`, `Keyed` or `Movable`; without
    that, every output sample comes at its own place and depends on this and earlier input samples only.
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


@runtime_checkable
class Late(Protocol):
    """An effect that sees ahead: what `process` returns is `latency_samples` late, its dry part included.

    The number is fixed when the effect is made and the first `latency_samples` of the stream are exactly silent. The
    rack puts its sound back into place: nobody hears the delay.
    """

    latency_samples: int


@runtime_checkable
class Keyed(Protocol):
    """An effect that can listen to another sound than the one it works on: its side chain."""

    def process_keyed(self, block: Samples, key: Samples) -> Samples:
        """Return the processed block; `key` is (1 or 2 channels, n) of the same stretch of the song."""


@runtime_checkable
class Movable(Protocol):
    """An effect with parameters that may move while it runs, without a click.

    `move` comes before the sound it is for, on a grid of `MOVE_SAMPLES` counted from the start of the stream, and
    holds until the next. Between two values the effect itself glides, within that many samples.
    """

    MOVES: ClassVar[frozenset[str]]

    def move(self, values: Mapping[str, Value]) -> None:
        """Take new values for some of `MOVES`."""


@runtime_checkable
class Reading(Protocol):
    """An effect that reads files, named by parameters made with `file`."""

    @classmethod
    def content(cls, values: Mapping[str, Value]) -> dict[str, str]:
        """Return the sha256 of every file that `values` name, by parameter; refuse a file that is of no use.

        In step keys this stands for the path: what is in a file decides the sound, not where it lies.
        """


@runtime_checkable
class Telling(Protocol):
    """An effect that may have something to say to people: a plug-in whose state is not what its row says."""

    def notes(self) -> tuple[str, ...]:
        """Return what it noticed."""


@runtime_checkable
class ReadsRow(Protocol):
    """An effect whose rows hold more than its `SPECS`: a plug-in has parameters of its own."""

    @classmethod
    def read_row(cls, row: Mapping[str, object], where: str) -> dict[str, Value]:
        """Check a rack row, all of it but what every row may hold, and return its values.

        Whatever decides the sound is among them: they are what the step's key is made of.
        """

    @classmethod
    def title_of(cls, values: Mapping[str, Value]) -> str:
        """Return what people call an effect with these values."""

    @classmethod
    def specs_of(cls, values: Mapping[str, Value]) -> tuple[Spec, ...]:
        """Return the parameters that a row with these values can have beside `SPECS`."""

    @classmethod
    def unknown(cls, values: Mapping[str, Value]) -> bool:
        """Tell whether nobody here can say what parameters such a row has."""

    @classmethod
    def moves_of(cls, values: Mapping[str, Value]) -> frozenset[str]:
        """Return which of `specs_of` may glide; see `Movable`."""

    @classmethod
    def moved(cls, row: Mapping[str, Value], values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return what to make an effect of, in a row in which some values move and are `values` now."""


@runtime_checkable
class Shifting(Protocol):
    """An effect of which nobody knows beforehand what changes how late it is: a plug-in."""

    def refuse_latency(self, before: int) -> NoReturn:
        """Raise that with its values of now it is not as late as it was; nothing that moves may do that."""


MOVE_SAMPLES = 64


@runtime_checkable
class Swinging(Protocol):
    """An effect whose sound depends on when it is: of a stretch of a song it makes what it makes of the whole."""

    def begin(self, song_frame: int) -> None:
        """Take the frame of the song at which the stream begins; may be below 0."""


def defaults(specs: Iterable[Spec]) -> dict[str, Value]:
    """Return every parameter's default."""
    return {spec.name: spec.default for spec in specs}


def number(values: Mapping[str, Value], name: str) -> float:
    """Read a numeric parameter that `covermaker.effects.rack.parse_rack` has checked."""
    return float(values[name])


def contents(effect: type[Effect], values: Mapping[str, Value]) -> dict[str, str]:
    """Return the sha256 of the files that an effect's values name, by parameter; nothing for one that reads none."""
    if not issubclass(effect, Reading):
        return {}
    return effect.content(values)


def level_gain(level_db: float) -> float:
    """Return the amplitude factor of a level in dB; `OFF_DB` and below is exactly 0, 0 dB exactly 1."""
    return 0.0 if level_db <= OFF_DB else float(10.0 ** (level_db / 20.0))


def describe(effect: type[Effect]) -> list[dict[str, str]]:
    """Return a documentation table: one row a parameter, all cells as text."""
    return [
        {
            "parameter": spec.name,
            "allowed": spec.allowed,
            "default": value_words(spec.default),
            "unit": spec.unit,
            "help": spec.help,
        }
        for spec in effect.SPECS
    ]


def value_words(value: Value) -> str:
    """Write a value as a row does: ``true``, ``12``, ``hard``."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:g}"
