"""What `[convert]` of a project offers on the screen: its settings in order, their values, ranges and help.

All but the order and the steps comes from the document's model. Textual is not imported.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import CovermakerError, UsageError
from covermaker.project.document import Convert, PitchCorrection
from covermaker.project.words import named, unit_of, written
from covermaker.units import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.project.document import Cover
    from covermaker.voices.voice import Voice

# The order in which they are shown, and what a key moves a number by.
_ROWS: Final[dict[str, float]] = {
    "transpose": 1.0,
    "index_ratio": 0.05,
    "protect": 0.01,
    "loudness_mix": 0.05,
    "pitch": 0.0,
    "noise_scale": 0.05,
    "formant_semitones": 0.5,
    "smooth_frames": 2.0,
    "repair_octaves": 0.0,
    "auto_pitch": 0.0,
    "singers": 0.0,
    "move_instrumental": 0.0,
    "pitch_correction.strength": 0.05,
    "pitch_correction.scale": 0.0,
    "pitch_correction.guide": 0.0,
    "pitch_correction.guide_track": 1.0,
    "pitch_correction.retune_ms": 10.0,
    "pitch_correction.a4_hz": 1.0,
}
_CORRECTION: Final = "pitch_correction"
_UNITS: Final = {"transpose": "semitones"}
_SWITCHES: Final = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
_HIGHEST_OF_ONE: Final = 2.0  # up to here a number without unit may be typed in percent


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes
    ----------
    name : str
        Below ``convert``: ``"protect"``, ``"pitch_correction.scale"``.
    types : frozenset of str
        Of JSON: ``"number"``, ``"integer"``, ``"boolean"``, ``"string"``, ``"array"``, ``"object"``, ``"null"``.
    low, high : float or None
        The range of a number, both ends included.
    words : tuple of str
        Words that may stand in place of a number, or all that there is to choose from.
    step : float
        What a key moves a number by.
    default : object
        Of the document's model.
    help : str
        The model's.
    """

    name: str
    types: frozenset[str]
    low: float | None
    high: float | None
    words: tuple[str, ...]
    step: float
    default: Any
    help: str

    @property
    def place(self) -> str:
        """Its place in a document."""
        return f"convert.{self.name}"

    @property
    def label(self) -> str:
        """What people call it."""
        table, _, key = self.name.rpartition(".")
        return f"correction {named(key)}" if table else named(key)

    @property
    def unit(self) -> str:
        """Of its number; empty for none."""
        return _UNITS.get(self.name) or unit_of((self.name.rpartition(".")[2],)).strip()

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off."""
        return "boolean" in self.types

    @property
    def is_number(self) -> bool:
        """Whether it can be a number."""
        return bool(self.types & {"number", "integer"})

    @property
    def choices(self) -> tuple[str, ...]:
        """All that there is to choose from; nothing where a value is typed."""
        return self.words if not self.is_number and not self.is_switch else ()

    @property
    def allowed(self) -> str:
        """What may stand there, in words."""
        parts = []
        if self.low is not None and self.high is not None:
            parts.append(f"{self.low:g} to {self.high:g} {self.unit}".rstrip())
        parts += self.words
        if self.is_switch:
            parts.append("on or off")
        return ", ".join(parts)

    @property
    def is_stepped(self) -> bool:
        """Whether a key moves it: it is a number, or a few words may stand in its place."""
        return self.is_number and ("string" not in self.types or bool(self.words))

    def text(self, value: Any) -> str:
        """Write a value with its unit."""
        if value is None or value == {}:
            return "none" if self.name.startswith(_CORRECTION) else "the voice's own"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return written(value)
        is_one = isinstance(value, int) and abs(value) == 1
        return f"{written(value)} {self.unit.removesuffix('s') if is_one else self.unit}".rstrip()

    def offered(self) -> list[tuple[str, str]]:
        """Return the choices, each with what it still needs on this machine; looks for files, opens none."""
        return [(name, _not_here(name) if self.name == "pitch" else "") for name in self.choices]

    def read(self, text: str) -> Any:
        """Read what was typed: a word, a number with or without its unit, ``anna 0.7, ben 0.3``.

        Texts and lists may be written as in the document, too: ``"F# minor"``, ``["C", "Eb"]``.

        Raises
        ------
        UsageError
            When it is no value of this setting.
        """
        text = text.strip()
        if text.lower() in self.words:
            return text.lower()
        found: Any = None
        if self.is_switch:
            found = _SWITCHES.get(text.lower())
        elif "object" in self.types:
            found = _weights(text)
        elif self.is_number:
            found = self._number(text)
        if found is None and "array" in self.types:
            found = _notes(text)
        if found is None and "string" in self.types and not self.words:
            found = _unquoted(text) or None
        if found is None:
            allowed = self.allowed or "each singer and how much of it, as in anna 0.7, ben 0.3"
            raise UsageError(f"'{text}' is no value of {self.label}", hint=allowed)
        return found

    def _number(self, text: str) -> float | None:
        """Read a number that the document would take; None where it is none."""
        found = quantity(text, self.unit, of_one=self.high is not None and self.high <= _HIGHEST_OF_ONE)
        if found is None:
            return None
        if (
            not (-math.inf if self.low is None else self.low)
            <= found
            <= (math.inf if self.high is None else self.high)
        ):
            raise UsageError(f"'{text}' is out of the range of {self.label}", hint=self.allowed or None)
        if "integer" not in self.types:
            return found
        if not found.is_integer():
            raise UsageError(
                f"'{text}' is no whole number, and {self.label} takes no other", hint=self.allowed or None
            )
        return int(found)

    def stepped(self, value: Any, steps: int) -> Any:
        """Return a number so many steps further, in its range; of a word or of nothing, from 0 or the lowest."""
        start = value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
        low, high = self.low or 0.0, self.high
        moved = start + steps * self.step
        if self.name == "smooth_frames":  # odd, or none at all
            moved = max(0.0, moved - 1.0 if moved % 2 == 0 and moved > 0 else moved)
        moved = max(low, moved if high is None else min(high, moved))
        return int(moved) if "integer" in self.types else float(f"{moved:.10g}")


@dataclass(frozen=True)
class Singing:
    """The settings of a project as they are.

    Attributes
    ----------
    values : mapping
        By the names of settings; what the document leaves out is filled in.
    changed : frozenset of str
        The settings that are not at their default.
    without : mapping
        By names: why a setting has no effect here.
    own : mapping
        By names: the number that the voice has of its own.
    """

    values: Mapping[str, Any]
    changed: frozenset[str] = frozenset()
    without: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, float] = field(default_factory=dict)

    def text(self, setting: Setting, value: Any) -> str:
        """Write a value; of one that is the voice's own, the number where it is known."""
        own = self.own.get(setting.name)
        return f"{own:g}, the voice's own" if value is None and own is not None else setting.text(value)


@cache
def settings() -> tuple[Setting, ...]:
    """Return the settings in the order of the screen."""
    from covermaker.features.pitch import METHODS

    choices = {"pitch": tuple(METHODS.names())}
    found = []
    for name, step in _ROWS.items():
        table, _, key = name.rpartition(".")
        model = PitchCorrection if table else Convert
        about = model.model_json_schema()["properties"][key]
        kinds = about.get("anyOf", [about])
        numbers = [kind for kind in kinds if kind.get("type") in ("number", "integer")]
        words = [
            word for kind in kinds for word in kind.get("enum", [kind["const"]] if "const" in kind else [])
        ]
        found.append(
            Setting(
                name,
                frozenset(str(kind.get("type")) for kind in kinds),
                next((kind.get("minimum") for kind in numbers), None),
                next((kind.get("maximum") for kind in numbers), None),
                tuple(words) or choices.get(name, ()),
                step,
                getattr(model(), key),
                " ".join(about.get("description", "").replace("`", "").split()),
            )
        )
    return tuple(found)


def singing_of(cover: Cover, singer: Singer | None) -> Singing:
    """Return the settings of a document; `singer` is who sings, where that is known."""
    values = {one.name: _value(cover.convert, one.name) for one in settings()}
    changed = {one.name for one in settings() if values[one.name] != one.default}
    found = {} if singer is None else dict(singer.without)
    return Singing(
        values, frozenset(changed), found | _unheard(cover.convert), {} if singer is None else singer.own
    )


@dataclass(frozen=True)
class Singer:
    """What a voice makes of the settings; `without` and `own` as in `Singing`."""

    without: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, float] = field(default_factory=dict)


def singer_of(cover: Cover, root: Path) -> Singer | None:
    """Return who sings; None where the project trains its voice, or names none that can be read. Reads the card."""
    from covermaker.voices.library import find_voice

    with suppress(CovermakerError):
        if cover.voice.train is None:
            voice = find_voice(cover.voice.name, root)
            return Singer(_without(voice), _own(voice))
    return None


def _value(convert: Convert, name: str) -> Any:
    table, _, key = name.rpartition(".")
    return getattr(getattr(convert, table) if table else convert, key)


def _unheard(convert: Convert) -> dict[str, str]:
    """Say which settings have no effect beside the others."""
    correction = convert.pitch_correction
    if correction.strength == 0.0:
        rest = [name for name in _ROWS if name.startswith(f"{_CORRECTION}.")][1:]
        return dict.fromkeys(rest, "No effect while correction strength is 0.")
    if correction.guide is not None:
        return {f"{_CORRECTION}.scale": "No effect: the guide says the notes."}
    return {f"{_CORRECTION}.guide_track": "No effect without a guide."}


def _without(voice: Voice) -> dict[str, str]:
    """Say which settings a voice has no ear for, and which it refuses."""
    from covermaker.convert.manners import makes_up_pitch, manner_of

    card, name = voice.card, f"the voice '{voice.name}'"
    found = {key: f"No effect: {name} {why}." for key, why in manner_of(card).without.items()}
    if card.index is None:
        found["index_ratio"] = f"No effect: {name} has no index."
    if not makes_up_pitch(card):
        found["auto_pitch"] = f"Not for {name}: it cannot make up a melody."
    if not card.singers:
        found["singers"] = f"Not for {name}: it is of one singer."
    return found


def _own(voice: Voice) -> dict[str, float]:
    """Return the numbers that a voice has of its own, where nobody says otherwise."""
    from covermaker.voices.networks.vits_config import VitsConfig
    from covermaker.voices.retrieval import default_ratio

    found, card = {}, voice.card
    with suppress(CovermakerError):
        if card.network.kind == "vits":
            found["noise_scale"] = VitsConfig.from_mapping(card.network.config).noise_scale
        if card.index is not None:
            found["index_ratio"] = default_ratio(voice.folder / card.index.file)
    return found


def _not_here(method: str) -> str:
    """Say how the weights of a pitch method come here; nothing where they are here, or it needs none."""
    from covermaker.features.pitch import METHODS
    from covermaker.voices.readiness import not_here, pull_words

    missing = not_here(METHODS.load(method).WEIGHTS)
    return f"not here yet: {pull_words(missing)}" if missing else ""


def _unquoted(text: str) -> str:
    """Return a text without the quotes that a document has around it."""
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _notes(text: str) -> list[str] | None:
    """Read ``C, Eb, G`` or ``["C", "Eb", "G"]``; None where it is no list."""
    inside = text.removeprefix("[").removesuffix("]")
    if "," not in inside and inside == text:
        return None
    return [note for one in inside.split(",") if (note := _unquoted(one.strip()))]


def _weights(text: str) -> dict[str, float] | None:
    """Read ``anna 0.7, ben=0.3``; a name alone is 1."""
    found = {}
    for piece in filter(None, (one.strip() for one in text.strip("{} ").split(","))):
        name, _, weight = piece.replace("=", " ").rpartition(" ")
        try:
            number = float(weight)
        except ValueError:
            name, number = piece, 1.0
        if not name.strip():
            return None
        found[name.strip().strip('"')] = number
    return found or None
