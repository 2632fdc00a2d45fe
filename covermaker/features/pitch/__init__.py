"""Which note is sung: one contract for every way to find the fundamental frequency."""

from __future__ import annotations

from covermaker.features.pitch.base import PitchMethod
from covermaker.features.pitch.estimate import VERSION, estimate_pitch
from covermaker.registry import Registry

METHODS: Registry[type[PitchMethod]] = Registry(
    "pitch method",
    "covermaker.pitch_methods",
    {
        "fcpe": "covermaker.features.pitch.fcpe:Fcpe",
        "crepe": "covermaker.features.pitch.crepe:Crepe",
        "crepe-tiny": "covermaker.features.pitch.crepe:CrepeTiny",
        "rmvpe": "covermaker.features.pitch.rmvpe:Rmvpe",
        "swift-f0": "covermaker.features.pitch.swift_f0:SwiftF0",
        "pm": "covermaker.features.pitch.pm:Pm",
        "harvest": "covermaker.features.pitch.harvest:Harvest",
        "dio": "covermaker.features.pitch.dio:Dio",
    },
)


def versions_of(method: str) -> list[int]:
    """Return the versions of all that decides about the pitch that a method of `METHODS` reads, for keys.

    Raises
    ------
    UsageError
        When there is no such method.
    """
    return [METHODS.load(method).VERSION, VERSION]


__all__ = ["METHODS", "PitchMethod", "estimate_pitch", "versions_of"]
