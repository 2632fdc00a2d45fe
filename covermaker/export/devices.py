"""Racks as devices of a DAWproject: those that every program has, and plug-ins by their names. All are off."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from xml.etree.ElementTree import Element, SubElement

from covermaker.effects.filters import HIGH_CUT_OFF_HZ, LOW_CUT_OFF_HZ
from covermaker.effects.spec import OFF_DB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from covermaker.effects.rack import EffectSettings

    Values: TypeAlias = Mapping[str, float | str | bool]

# Element, unit, our parameter and what it is multiplied by: in the order of the format's schema.
_SECONDS = 0.001
_DYNAMICS: dict[str, tuple[str, tuple[tuple[str, str, str, float], ...]]] = {
    "compressor": (
        "Compressor",
        (
            ("Attack", "seconds", "attack_ms", _SECONDS),
            ("OutputGain", "decibel", "makeup_db", 1.0),
            ("Ratio", "linear", "ratio", 1.0),
            ("Release", "seconds", "release_ms", _SECONDS),
            ("Threshold", "decibel", "threshold_db", 1.0),
        ),
    ),
    "gate": (
        "NoiseGate",
        (
            ("Attack", "seconds", "attack_ms", _SECONDS),
            ("Range", "decibel", "range_db", -1.0),
            ("Ratio", "linear", "ratio", 1.0),
            ("Release", "seconds", "release_ms", _SECONDS),
            ("Threshold", "decibel", "threshold_db", 1.0),
        ),
    ),
    "limiter": (
        "Limiter",
        (
            ("InputGain", "decibel", "gain_db", 1.0),
            ("Release", "seconds", "release_ms", _SECONDS),
            ("Threshold", "decibel", "ceiling_db", 1.0),
        ),
    ),
}


def add_devices(channel: Element, rack: Sequence[EffectSettings], *, identity: str) -> None:
    """Add a rack to a channel; what no program has in common is left out."""
    made = [
        _made(row, f"{identity}.effect.{number}")
        for number, row in enumerate(rack, start=1)
        if row.effect in _MAKERS
    ]
    if made:
        SubElement(channel, "Devices").extend(made)


def _made(row: EffectSettings, identity: str) -> Element:
    values = {spec.name: row.value_of(spec) for spec in row.specs()}
    return _MAKERS[row.effect](row, {**row.values, **values}, identity)


def _device(tag: str, name: str, identity: str) -> Element:
    device = Element(tag, id=identity, name=name, deviceName=name, deviceRole="audioFX")
    SubElement(device, "Enabled", id=f"{identity}.on", value="false")
    return device


def _dynamics(row: EffectSettings, values: Values, identity: str) -> Element:
    tag, parameters = _DYNAMICS[row.effect]
    device = _device(tag, row.title, identity)
    for name, unit, key, factor in parameters:
        if key in values:
            _number(device, name, unit, float(values[key]) * factor)
    return device


def _filter(row: EffectSettings, values: Values, identity: str) -> Element:
    device = _device("Equalizer", row.title, identity)
    kind = "highPass" if row.effect == "high_pass" else "lowPass"
    _cut(device, kind, float(values["cutoff_hz"]), float(values["slope_db"]))
    return device


def _equalizer(row: EffectSettings, values: Values, identity: str) -> Element:
    device = _device("Equalizer", row.title, identity)
    if float(values["low_cut_hz"]) > LOW_CUT_OFF_HZ:
        _cut(device, "highPass", float(values["low_cut_hz"]), float(values["low_cut_slope_db"]))
    bands = [name[:-3] for name in values if name.endswith("_db") and f"{name[:-3]}_hz" in values]
    for name in bands:
        if not float(values[f"{name}_db"]):
            continue
        kind = {"low_shelf": "lowShelf", "high_shelf": "highShelf"}.get(name, "bell")
        band = SubElement(device, "Band", type=kind)
        _number(band, "Freq", "hertz", float(values[f"{name}_hz"]))
        _number(band, "Gain", "decibel", float(values[f"{name}_db"]))
        if kind == "bell":
            _number(band, "Q", "linear", float(values[f"{name}_q"]))
    if float(values["high_cut_hz"]) < HIGH_CUT_OFF_HZ:
        _cut(device, "lowPass", float(values["high_cut_hz"]), float(values["high_cut_slope_db"]))
    return device


def _cut(device: Element, kind: str, cutoff_hz: float, slope_db: float) -> None:
    band = SubElement(device, "Band", type=kind, order=str(round(slope_db / 6.0)))
    _number(band, "Freq", "hertz", cutoff_hz)


def _plugin(row: EffectSettings, values: Values, identity: str) -> Element:
    device = _device("Vst3Plugin", row.title, identity)
    if values.get("vendor"):
        device.set("deviceVendor", str(values["vendor"]))
    return device


def _number(parent: Element, name: str, unit: str, value: float) -> None:
    SubElement(parent, name, unit=unit, value=f"{max(value, OFF_DB):.12g}")


_MAKERS: dict[str, Callable[[EffectSettings, Values, str], Element]] = {
    **dict.fromkeys(_DYNAMICS, _dynamics),
    "high_pass": _filter,
    "low_pass": _filter,
    "eq": _equalizer,
    "vst3": _plugin,
}
