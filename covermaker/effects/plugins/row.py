"""A row of a rack that holds a plug-in: its values checked against what a scan found, and what to say where it is not.

``{ effect = "vst3", plugin = "ZamCompX2", latency_samples = 0, state = "…", parameters = { threshold_db = -20.0 } }``

A plug-in that is not there, is blocked, has changed since it was looked at, or has failed with these settings before,
is *absent*: the sound passes its place untouched, under a step key of its own, so that nothing made without it is ever
taken for what it makes.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from covermaker.documents.document import PlaceError
from covermaker.effects.plugins.catalogue import catalogue
from covermaker.effects.plugins.failures import failures
from covermaker.effects.rack import ROW_KEYS, parse_value
from covermaker.effects.spec import Spec
from covermaker.effects.stage import BYPASS
from covermaker.errors import UsageError, nearest
from covermaker.graph.key import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.effects.automation import Move
    from covermaker.effects.plugins.catalogue import Found
    from covermaker.effects.rack import EffectSettings
    from covermaker.effects.spec import Value

EFFECT: Final = "vst3"
PARAMETERS: Final = "parameters"
ABSENT: Final = "absent"
BINARY: Final = "sha256"
SETTINGS: Final = "settings"  # of a plug-in at work whose values move: the digest of its row
_PREFIX: Final = f"{PARAMETERS}."
_KEYS: Final = ("plugin", "latency_samples", "state", PARAMETERS)

LATENCY = Spec(
    "latency_samples",
    "samples",
    0.0,
    192000.0,
    0.0,
    help="How late the plug-in is beyond what it reports; for those that are late and do not say so.",
)

_MISSING, _CHANGED, _BLOCKED, _FAILED = "missing", "changed", "blocked", "failed"
_PASSES: Final = "; the sound passes it by"
_LOOK_AGAIN: Final = "covermaker plugins scan --again"


def read_row(row: Mapping[str, object], where: str) -> dict[str, Value]:
    """Check a row and return its values: the plug-in's identity, its state, and ``parameters.<name>`` for each one set.

    Raises
    ------
    PlaceError
        For an unknown key or parameter (nearest name) and a value out of its range.
    """
    for key in row:
        if key not in _KEYS and key not in ROW_KEYS:
            hint = nearest(str(key), [*_KEYS, *ROW_KEYS])
            known = catalogue().find(str(row.get("plugin")))
            if known is not None and key in {one.name for one in known.plugin.parameters}:
                hint = f"write it as parameters = {{ {key} = … }}"
            raise PlaceError(f"{where}.{key}", f"is no key of {EFFECT}", hint=hint)
    name = row.get("plugin")
    if not isinstance(name, str) or not name:
        problem = "must be a plug-in's name" if "plugin" in row else "is missing"
        raise PlaceError(
            f"{where}.plugin", problem, hint="to see those of this machine: covermaker plugins list"
        )
    state = row.get("state", "")
    if not isinstance(state, str) or not _is_base64(state):
        raise PlaceError(
            f"{where}.state", "is damaged", hint="make it again: covermaker plugins row, or leave it out"
        )
    given = row.get(PARAMETERS, {})
    if not isinstance(given, dict):
        raise PlaceError(f"{where}.{PARAMETERS}", "must be a table", hint="as in { threshold_db = -20.0 }")
    values: dict[str, Value] = {
        "plugin": name,
        "latency_samples": parse_value(row.get("latency_samples", 0), LATENCY, f"{where}.latency_samples"),
        "state": state,
    }
    found = catalogue().find(name)
    values |= _untold(given, where) if found is None else _checked(given, found, f"{where}.{PARAMETERS}")
    if found is not None:
        plugin = found.plugin
        values |= {"vendor": plugin.vendor, "release": plugin.version, BINARY: found.bundle.sha256}
    absent = _absence(values, found)
    return {**values, ABSENT: absent} if absent else values


def specs_of(values: Mapping[str, Value]) -> tuple[Spec, ...]:
    """Return the parameters of the plug-in that some values are of, as a row has them; none where it is not known."""
    found = catalogue().find(str(values["plugin"]))
    if found is None:
        return ()
    return tuple(replace(one.spec(), name=f"{_PREFIX}{one.name}") for one in found.plugin.parameters)


def moves_of(values: Mapping[str, Value]) -> frozenset[str]:
    """Return the parameters that can take any value on the way to another, as `specs_of` names them."""
    found = catalogue().find(str(values["plugin"]))
    if found is None:
        return frozenset()
    return frozenset(f"{_PREFIX}{one.name}" for one in found.plugin.parameters if one.glides)


def parameters_of(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the plug-in's own parameters among the values of a row."""
    return {name.removeprefix(_PREFIX): value for name, value in values.items() if name.startswith(_PREFIX)}


def settings_digest(values: Mapping[str, Value]) -> str:
    """Return what names a plug-in and how it is set, wherever it stands."""
    return digest({name: value for name, value in values.items() if name not in {ABSENT, "latency_samples"}})


def absence(setting: EffectSettings, *, switched: bool = False) -> str:
    """Say why a rack's plug-in is not heard, and what to do; "" for every effect that is, or that is off for good.

    `switched` tells that its bypass moves.
    """
    if setting.effect != EFFECT or (setting.bypass and not switched) or ABSENT not in setting.values:
        return ""
    name, kind = str(setting.values["plugin"]), setting.values[ABSENT]
    words, hint = {
        _MISSING: _missing, _CHANGED: _changed, _BLOCKED: _blocked, _FAILED: _failed,
    }[str(kind)](name, setting.values)  # fmt: skip
    return f"{words}{_PASSES} ({hint})"


def absences(settings: Sequence[EffectSettings], owner: str, moves: Sequence[Move] = ()) -> list[str]:
    """Say which plug-ins of a rack are not heard; `owner` is whose rack it is: ``"track 'vocals'"``."""
    return [f"{owner}: {words}" for words in _absences(settings, moves) if words]


def _absences(settings: Sequence[EffectSettings], moves: Sequence[Move]) -> list[str]:
    switched = {move.index for move in moves if move.parameter == BYPASS}
    return [absence(one, switched=index in switched) for index, one in enumerate(settings)]


def refuse_absent(settings: Sequence[EffectSettings], where: str, moves: Sequence[Move] = ()) -> None:
    """Refuse a rack in which a plug-in is not heard.

    Raises
    ------
    PlaceError
        With why.
    """
    for index, words in enumerate(_absences(settings, moves)):
        if words:
            words, _, hint = words.partition(f"{_PASSES} (")
            raise PlaceError(f"{where}[{index}].plugin", f": {words}", hint=hint.removesuffix(")"))


def refuse_unknown(name: str) -> None:
    """Refuse the name of a plug-in that no scan has found, where a person chooses one.

    Raises
    ------
    UsageError
        With the nearest name.
    """
    known = catalogue()
    if known.find(name) is not None or any(one.name == name for one in known.blocked()):
        return
    words, hint = _missing(name, {})
    raise UsageError(words, hint=hint)


def _missing(name: str, values: Mapping[str, Value]) -> tuple[str, str]:
    if not catalogue().bundles:
        return f"plug-in '{name}' is not known", "look for plug-ins: covermaker plugins scan"
    names = [one.plugin.name for one in catalogue().found()]
    close = nearest(name, names)
    hint = f"{close} " if close.startswith("did") else ""
    return f"plug-in '{name}' is not on this machine", f"{hint}install it, then: covermaker plugins scan"


def _changed(name: str, values: Mapping[str, Value]) -> tuple[str, str]:
    return f"plug-in '{name}' has changed since it was looked at", "covermaker plugins scan"


def _blocked(name: str, values: Mapping[str, Value]) -> tuple[str, str]:
    problem = next((one.problem for one in catalogue().blocked() if one.name == name), "it cannot be used")
    return f"plug-in '{name}' is blocked, it {problem}", f"to try it once more: {_LOOK_AGAIN}"


def _failed(name: str, values: Mapping[str, Value]) -> tuple[str, str]:
    failure = failures().get(settings_digest(values))
    words = failure.words if failure is not None else f"plug-in '{name}' failed"
    return words, f"change its values, or try it once more: {_LOOK_AGAIN}"


def _absence(values: Mapping[str, Value], found: Found | None) -> str:
    if found is None:
        blocked = any(one.name == values["plugin"] for one in catalogue().blocked())
        return _BLOCKED if blocked else _MISSING
    if not found.bundle.path.exists():
        return _MISSING
    if found.bundle.changed():
        return _CHANGED
    return _FAILED if settings_digest(values) in failures() else ""


def _checked(given: Mapping[str, Any], found: Found, where: str) -> dict[str, Value]:
    specs = {one.name: one.spec() for one in found.plugin.parameters}
    for name in given:
        if name not in specs:
            raise PlaceError(
                f"{where}.{name}", f"is no parameter of {found.plugin.name}", hint=nearest(str(name), specs)
            )
    return {f"{_PREFIX}{name}": parse_value(given[name], specs[name], f"{where}.{name}") for name in given}


def _untold(given: Mapping[str, Any], where: str) -> dict[str, Value]:
    """Take the values of a plug-in that nobody here has looked at, as far as they can be values at all."""
    for name, value in given.items():
        if not isinstance(value, (str, bool, int, float)):
            raise PlaceError(f"{where}.{PARAMETERS}.{name}", "must be a number, a text, true or false")
    return {
        f"{_PREFIX}{name}": float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in given.items()
    }


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
