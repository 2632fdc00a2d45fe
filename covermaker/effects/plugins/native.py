"""Where foreign code runs: loading a plug-in, reading and setting its parameters. Only child processes call this."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from covermaker.effects.plugins.parameters import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from covermaker.effects.spec import Value

# Numbers that a parameter shows, rising; for each the place in its range from 0 to 1, and how much of it shows that.
Course: TypeAlias = list[tuple[float, float, float]]

STEPS: Final = 1000  # in how many places a parameter's range is read

# Sound goes through a plug-in in pieces of this many samples, always: its result may depend on the size.
BLOCK_SAMPLES: Final = 512

# What DPF adds to the parameters of every plug-in made with it.
_HIDDEN: Final = frozenset({"buffer_size_frames", "sample_rate_frames", "latency_frames", "current_program"})
# Some plug-ins offer every MIDI controller as a parameter.
_ENDLESS: Final = re.compile(r"MIDI CC |P\d\d\d$")
# What cannot be automated and has more steps than this is a meter; with less, a setting.
_SETTING_STEPS: Final = 128
_FEW: Final = 16
_MOST_CHOICES: Final = 128

_NUMBER: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf)\s*(.*?)\s*", re.IGNORECASE)
_SWITCHES: Final = ({"off", "on"}, {"no", "yes"}, {"false", "true"}, {"disabled", "enabled"})
_ON: Final = frozenset({"on", "yes", "true", "enabled"})
# Suffixes that mean the same unit, and how much of it.
_SCALES: Final = {
    "hz": ("Hz", 1.0), "khz": ("Hz", 1000.0), "ms": ("ms", 1.0), "s": ("ms", 1000.0), "sec": ("ms", 1000.0),
}  # fmt: skip


def load(bundle: Path, name: str | None) -> Any:
    """Load a plug-in of a bundle; None is its only one. On the main thread, as JUCE asks for.

    Raises
    ------
    ImportError, ValueError, RuntimeError
        As pedalboard says it.
    """
    import pedalboard
    from pedalboard import _pedalboard

    # At every load pedalboard tries a thousand values of each parameter, sets them where a text tells nothing, and a
    # reverb that reads an impulse response for each of them takes minutes. We read parameters ourselves.
    mixin = _pedalboard._PythonExternalPluginMixin
    setattr(mixin, "__set_initial_parameter_values__", lambda plugin, values: None)  # noqa: B010 - mypy forbids the other
    return pedalboard.VST3Plugin(str(bundle), plugin_name=name)


def names_of(bundle: Path) -> list[str]:
    """List the plug-ins in a bundle."""
    import pedalboard

    return list(pedalboard.VST3Plugin.get_plugin_names_for_file(str(bundle)))


def renew(plugin: Any) -> None:
    """Make a plug-in as if nothing had gone through it, its settings kept.

    To learn whether a plug-in can be reset, pedalboard sends it noise when it is loaded, and believes what it hears of
    it within a few milliseconds: a long delay would play that noise to us. So it is always made anew.
    """
    plugin._reload_type = type(plugin._reload_type).PersistsAudioOnReset
    plugin.reset()


def read_parameters(plugin: Any) -> list[Parameter]:
    """Read the parameters that a row can set."""
    found: dict[str, Parameter] = {}
    for native in plugin._parameters:
        if _ENDLESS.match(native.name):
            continue
        name = _unique(name_of(native.name, native.label), found)
        if name in _HIDDEN or (not native.is_automatable and native.num_steps > _SETTING_STEPS):
            continue
        read = Reading(native)
        parameter = read.parameter(name)
        if parameter is not None:
            found[name] = parameter
    return list(found.values())


def name_of(title: str, label: str) -> str:
    """Return a parameter's name for a row: ``Threshold`` in dB is ``threshold_db``."""
    unit = "" if label.strip().startswith(":") else label
    return re.sub(r"[^a-z0-9]+", "_", f"{title} {unit}".lower()).strip("_") or "parameter"


def _unique(name: str, taken: Mapping[str, object]) -> str:
    number, found = 2, name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What a parameter's texts say, as numbers."""

    values: list[float]
    unit: str
    scaled: bool


class Reading:
    """What a parameter of a loaded plug-in shows along its range."""

    def __init__(self, native: Any) -> None:
        self._native = native
        self._texts = [str(native.get_text_for_raw_value(step / STEPS)) for step in range(STEPS + 1)]
        self._numbers = _numbers(self._texts, native.label.strip())
        self._distinct = list(dict.fromkeys(self._texts))

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter as rows know it; None where it shows one text only."""
        distinct, native = self._distinct, self._native
        if len(distinct) < 2:
            return None
        about = {"index": native.index, "name": name, "title": native.name}
        if self._is_switch():
            return Parameter(
                **about, unit="", kind="switch", minimum=0.0, maximum=1.0, default=bool(self.value())
            )
        numbers = self._numbers
        if numbers is None and len(distinct) <= _MOST_CHOICES:
            return Parameter(
                **about, unit="", kind="choice", minimum=0.0, maximum=1.0, default=self.value(),
                choices=tuple(distinct),
            )  # fmt: skip
        if numbers is None:
            return Parameter(**about, unit="", kind="raw", minimum=0.0, maximum=1.0, default=self.value())
        finite = [value for value in numbers.values if math.isfinite(value)]
        low, high, middle = min(finite), max(finite), numbers.values[STEPS // 2]
        few = sorted(set(finite)) if len(distinct) <= _FEW else []
        log = low > 0.0 and abs(middle - math.sqrt(low * high)) < abs(middle - (low + high) / 2.0)
        return Parameter(
            **about, unit=numbers.unit, kind="number", minimum=low, maximum=high, default=self.value(),
            choices=tuple(few), log=log and not few,
        )  # fmt: skip

    def value(self) -> Value:
        """Return what it stands at."""
        raw = float(self._native.raw_value)
        text = str(self._native.get_text_for_raw_value(raw))
        if self._is_switch():
            return text.strip().lower() in _ON
        if self._numbers is not None:
            found = self._number(raw)
            if math.isfinite(found):
                return found
            finite = [value for value in self._numbers.values if math.isfinite(value)]
            return min(finite) if found < 0.0 else max(finite)
        return text if len(self._distinct) <= _MOST_CHOICES else raw

    def set(self, value: Value) -> None:
        """Set it, as near to a value as the plug-in lets."""
        self._native.raw_value = min(max(self._raw_of(value), 0.0), 1.0)

    def course(self) -> Course | None:
        """Return where along the range its numbers lie; None where they neither rise nor fall all the way.

        A number that several places show lies in their middle, or at the end of the range.
        """
        if self._numbers is None:
            return None
        found: Course = []
        for value, group in groupby(enumerate(self._numbers.values), key=lambda one: one[1]):
            steps = [step for step, _ in group]
            if math.isfinite(value):
                first, last = steps[0], steps[-1]
                middle = 0 if first == 0 else STEPS if last == STEPS else (first + last) / 2.0
                found.append((value, middle / STEPS, len(steps) / STEPS))
        if found and found[0][0] > found[-1][0]:
            found.reverse()
        return found if all(one[0] < next_[0] for one, next_ in pairwise(found)) else None

    def _raw_of(self, value: Value) -> float:
        if self._is_switch():
            wanted = [text for text in self._distinct if (text.strip().lower() in _ON) == bool(value)]
            return self._middle_of(wanted[0])
        if self._numbers is None:
            return self._middle_of(str(value)) if isinstance(value, str) else float(value)
        number = float(value)
        # The plug-in's own way back is exact, where it has one that can be believed.
        own = float(self._native.get_raw_value_for_text(f"{number:.9g}"))
        steps = self._numbers.values
        nearest = min(range(STEPS + 1), key=lambda step: (abs(steps[step] - number), step))
        if len(self._distinct) <= _FEW:
            return self._middle_of(self._texts[nearest])
        candidates = [nearest / STEPS, self._between(nearest, number)]
        if 0.0 <= own <= 1.0:
            candidates.insert(0, own)
        return min(candidates, key=lambda raw: abs(self._number(raw) - number))

    def _between(self, step: int, number: float) -> float:
        """Look for a number in the neighbourhood of a step, by halving."""
        values = self._numbers.values if self._numbers is not None else []
        low, high = max(0, step - 1), min(STEPS, step + 1)
        rising = values[high] >= values[low]
        one, other = low / STEPS, high / STEPS
        for _ in range(24):
            middle = (one + other) / 2.0
            if (self._number(middle) < number) == rising:
                one = middle
            else:
                other = middle
        return other

    def _number(self, raw: float) -> float:
        text = str(self._native.get_text_for_raw_value(raw))
        scaled = self._numbers is not None and self._numbers.scaled
        found = _numbers([text], self._native.label.strip(), scaled=scaled)
        return math.nan if found is None else found.values[0]

    def _middle_of(self, text: str) -> float:
        """Return the middle of where a text is shown: what rounds there cannot miss it."""
        places = [step for step, shown in enumerate(self._texts) if shown == text]
        if places[0] == 0:
            return 0.0
        return 1.0 if places[-1] == STEPS else (places[0] + places[-1]) / 2.0 / STEPS

    def _is_switch(self) -> bool:
        return {text.strip().lower() for text in self._distinct} in _SWITCHES


def _numbers(texts: Sequence[str], label: str, *, scaled: bool | None = None) -> _Numbers | None:
    """Read texts as numbers of one unit; None where they are none. `scaled` is known where they are only some."""
    matches = [_NUMBER.fullmatch(text) for text in texts]
    if not all(matches):
        return None
    found = [(float(match[1]), match[2]) for match in matches if match is not None]
    suffixes = {suffix.lower(): suffix for _, suffix in reversed(found)}
    if scaled is None:
        scaled = suffixes.keys() <= _SCALES.keys() and (len(suffixes) > 1 or "khz" in suffixes)
    if scaled and suffixes.keys() <= _SCALES.keys():
        values = [number * _SCALES[suffix.lower()][1] for number, suffix in found]
        return _Numbers(values, _SCALES[next(iter(suffixes))][0], True)
    # A level that ends in "-inf" may say it without the unit.
    units = {suffix for number, suffix in found if not math.isinf(number)} or {""}
    if len(units) > 1:
        return None
    return _Numbers([number for number, _ in found], label or next(iter(units)), False)


def read(plugin: Any, indices: Iterable[int]) -> dict[int, Reading]:
    """Read some parameters by their index, in the plug-in's order."""
    natives = {native.index: native for native in plugin._parameters}
    return {index: Reading(natives[index]) for index in sorted(indices)}


class Glider:
    """Sets a number of a loaded plug-in again and again while sound goes through it, as finely as it can be set.

    What a plug-in shows is rounded: set by that alone, a slow sweep would go in steps.
    """

    def __init__(self, plugin: Any, index: int) -> None:
        self._reading = read(plugin, [index])[index]
        self._native = next(native for native in plugin._parameters if native.index == index)
        self._course = self._reading.course()
        # The plug-in's own way from a text to a place is exact, where it leads where its texts are.
        self._exact = all(abs(self._asked(value) - raw) <= width for value, raw, width in self._course or ())

    def to(self, value: float) -> None:
        """Set it."""
        if not self._course:
            self._reading.set(value)
            return
        raw = self._asked(value) if self._exact else self._between(value)
        self._native.raw_value = min(max(raw, 0.0), 1.0)

    def _between(self, value: float) -> float:
        values, raws, _ = zip(*self._course or (), strict=True)
        return float(np.interp(value, values, raws))

    def _asked(self, value: float) -> float:
        return float(self._native.get_raw_value_for_text(f"{value:.9g}"))


def set_values(plugin: Any, values: Mapping[int, Value]) -> dict[int, Reading]:
    """Set parameters by their index, in the plug-in's order, twice: one may decide what another can be.

    Returns
    -------
    dict of int to Reading
        To read them back with.
    """
    readings = read(plugin, values)
    for _ in range(2):
        for index, reading in readings.items():
            reading.set(values[index])
    return readings
