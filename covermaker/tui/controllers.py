"""What the faders of a MIDI controller move in a project: places, their ranges, and who has a fader in hand.

A controller's fader stands where it was left, seldom where the value is. With soft takeover it does nothing until it
has come to the value or gone past it, so that nothing jumps. Whenever a value is changed by anything else, its fader
has to be taken over anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from covermaker.effects.typed import spec_at
from covermaker.errors import UsageError
from covermaker.project.places import ABSENT, get, parse_place
from covermaker.tui.widgets.scales import NO_SEND_DB, ChoiceScale, DbScale, NumberScale, SendScale, scale_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.effects.spec import Value
    from covermaker.play.midi import Control
    from covermaker.project.places import Place
    from covermaker.tui.settings import Midi
    from covermaker.tui.widgets.scales import Scale

HIGHEST: Final = 127
_NEAR = 2.5 / HIGHEST


@dataclass(frozen=True, slots=True)
class Moved:
    """A value that is wanted: where, what (None for a send that is none), and both in words."""

    place: str
    value: Value | None
    words: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A fader that has not been taken over yet, in words: where it has to go first."""

    place: str
    words: str


@dataclass
class _Hand:
    """A fader of the controller: where it was last, and the value that it set."""

    fraction: float
    value: Value | None = None
    has_it: bool = False


@dataclass
class Controllers:
    """See the module; `wanted` is the user's ``[midi]``."""

    wanted: Midi
    _hands: dict[str, _Hand] = field(default_factory=dict)

    def place_of(self, control: Control) -> str | None:
        """Return what a controller is for; one that is named with its channel before one that is not."""
        controls = self.wanted.controls
        return controls.get(control.name) or controls.get(str(control.number))

    def take(
        self, control: Control, values: Mapping[str, Any], unsaved: Mapping[str, Any] | None = None
    ) -> Moved | Waiting | None:
        """Take a move.

        Parameters
        ----------
        control : Control
            What came.
        values : mapping
            The project's document.
        unsaved : mapping, optional
            Values by place that are not in it yet; None for what has its default again.

        Returns
        -------
        Moved, Waiting or None
            None for a controller that is for nothing, or moves nothing.

        Raises
        ------
        UsageError
            When the project has no such place, or nothing there that a fader could move.
        """
        place = self.place_of(control)
        if place is None:
            return None
        scale = scale_at(place, values)
        current = _current(place, values, unsaved or {}, scale)
        fraction = control.value / HIGHEST
        hand = self._hands.get(place)
        if hand is None:
            hand = self._hands[place] = _Hand(fraction)
        if hand.has_it and hand.value != current:
            hand.has_it = False  # somebody else moved it
        if not hand.has_it and not self._arrives(hand, fraction, scale.fraction(current)):
            hand.fraction = fraction
            way = "up" if fraction < scale.fraction(current) else "down"
            return Waiting(place, f"{place} is at {scale.text(current)}: move the fader {way} to it")
        hand.fraction, hand.has_it = fraction, True
        hand.value = scale.at(fraction)
        if hand.value == current:
            return None
        none = isinstance(scale, SendScale) and float(hand.value) <= NO_SEND_DB
        return Moved(place, None if none else hand.value, f"{place} {scale.text(hand.value)}")

    def _arrives(self, hand: _Hand, fraction: float, wanted: float) -> bool:
        if self.wanted.takeover == "jump":
            return True
        passed = (hand.fraction - wanted) * (fraction - wanted) <= 0.0
        return passed or abs(fraction - wanted) <= _NEAR


def scale_at(text: str, values: Mapping[str, Any]) -> Scale:
    """Return how a fader moves a value of a project.

    Raises
    ------
    UsageError
        When there is no such place, or no value with a range.
    """
    place = parse_place(text, values)
    scale = _mixer_scale(place) or _effect_scale(place, values)
    if scale is None:
        raise UsageError(
            f"{text} is nothing that a fader moves",
            hint="gain_db, pan, mute, sends, or an effect's parameter",
        )
    return scale


def _mixer_scale(place: Place) -> Scale | None:
    match place:
        case ("master", "loudness_lufs"):
            return NumberScale("LUFS", -40.0, -5.0, default=-14.0)
        case (_, _, "gain_db"):
            return DbScale()
        case (_, _, "pan"):
            return NumberScale("", -1.0, 1.0, default=0.0)
        case (_, _, "mute"):
            return ChoiceScale(("off", "on"), False, values=(False, True))
        case (_, _, "sends", str()):
            return SendScale()
    return None


def _effect_scale(place: Place, values: Mapping[str, Any]) -> Scale | None:
    spec = spec_at(place, values)
    if spec is None or (isinstance(spec.default, str) and not spec.choices):
        return None
    return scale_of(spec)


def _current(text: str, values: Mapping[str, Any], unsaved: Mapping[str, Any], scale: Scale) -> Value:
    found = unsaved[text] if text in unsaved else get(values, parse_place(text, values))
    if found is ABSENT or found is None:
        return scale.default
    value: Value = found if isinstance(found, (str, bool)) else float(found)
    return scale.default if isinstance(value, str) and not isinstance(scale, ChoiceScale) else value
