"""Values as people type them, read for the parameter that they are for."""

from __future__ import annotations

import pytest

from covermaker.effects import EFFECTS
from covermaker.effects.spec import Spec, Value
from covermaker.effects.typed import typed_as
from covermaker.errors import UsageError
from covermaker.units import quantity


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("-6", "dB", -6.0),
        ("-6dB", "dB", -6.0),
        (" -6,5 DB ", "dB", -6.5),
        ("1.2k", "Hz", 1200.0),
        ("1.2 kHz", "Hz", 1200.0),
        (".25 s", "ms", 250.0),
        ("250 ms", "s", 0.25),
        ("2 st", "semitones", 2.0),
        ("4:1", ":1", 4.0),
        ("4", ":1", 4.0),
        ("-1 dB", "dBTP", -1.0),
        ("90deg", "°", 90.0),
        ("0.1", "", 0.1),
        ("loud", "dB", None),
        ("", "dB", None),
        ("--6", "dB", None),
    ],
)
def test_numbers_are_read_in_any_way_to_write_their_unit(text: str, unit: str, value: float | None) -> None:
    assert quantity(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit", "hint"),
    [
        ("3 Hz", "dB", "write it in dB"),
        ("3 dB", "", "write the number alone"),
        ("3 %", "", "write the number alone"),
    ],
)
def test_another_unit_is_refused(text: str, unit: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"'{text}' has the wrong unit") as raised:
        quantity(text, unit)
    assert raised.value.hint == hint


def _specs() -> list[Spec]:
    return [spec for name in EFFECTS.names() for spec in EFFECTS.load(name).SPECS]


def test_every_number_is_read_as_its_own_specification_writes_it() -> None:
    for spec in _specs():
        if isinstance(spec.default, (bool, str)):
            continue
        for number in (spec.minimum, spec.maximum, spec.default):
            assert typed_as(spec, f"{number:.10g} {spec.unit}") == pytest.approx(number)


@pytest.mark.parametrize(
    ("text", "value"),
    [("on", True), ("Yes", True), ("off", False), ("NO", False), ("perhaps", None), ("1", None)],
)
def test_switches_are_words(text: str, value: Value | None) -> None:
    (spec,) = [spec for spec in EFFECTS.load("delay").SPECS if spec.name == "ping_pong"]
    assert typed_as(spec, text) is value


def test_words_are_left_alone() -> None:
    (spec,) = [spec for spec in EFFECTS.load("delay").SPECS if spec.name == "sync"]
    assert typed_as(spec, "1/4") is None
