"""The seam of export formats: what one must offer, and the table of them.

To add one: a module with an object of this shape, a row in `FORMATS` (or an entry point in the group
``covermaker.exporters``), and the contract tests of ``tests/export`` run over it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from covermaker.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.progress import Progress


class Format(Protocol):
    """One way to write a finished song.

    `suffix` ends the file's name (".wav"); `label` tells formats of the same suffix apart ("16bit").
    The same master, tags and seed give the same bytes: no time of day, no machine name.
    """

    suffix: str
    label: str

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return how many frames a master of `frames` becomes (a format may have to change the rate)."""

    def encode(self, master: Path, out: Path, *, seed: int, progress: Progress) -> int:
        """Write `out` from the float32 master in blocks; return how many samples had to be clipped."""

    def tag(self, path: Path, tags: Mapping[str, str]) -> None:
        """Write tags (see `tags.KEYS`) into an encoded file."""


FORMATS: Registry[Format] = Registry(
    "export format",
    "covermaker.exporters",
    {
        "wav16": "covermaker.export.wav:WAV16",
        "wav24": "covermaker.export.wav:WAV24",
        "wav32f": "covermaker.export.wav:WAV32F",
        "flac": "covermaker.export.flac:FLAC24",
        "mp3": "covermaker.export.mp3:MP3_320",
    },
)
