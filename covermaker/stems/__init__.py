"""A song in, its stems out.

``SEPARATORS.load("spleeter")(device="cpu").separate(song, folder)`` writes one WAV a stem; `base` says what a
separator promises, tests/contracts/test_separators.py holds every member to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.stems.base import Separator

SEPARATORS: Registry[Callable[..., Separator]] = Registry(
    "separator",
    "covermaker.separators",
    {
        "spleeter": "covermaker.stems.spleeter:SpleeterSeparator",
        "demucs": "covermaker.stems.demucs:DemucsSeparator",
        "provided": "covermaker.stems.provided:ProvidedSeparator",
    },
)
