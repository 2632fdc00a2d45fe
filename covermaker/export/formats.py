"""The seam of export formats: what one must offer, and the table of them.

To add one: a module with an object of this shape, a row in `FORMATS` (or an entry point in the group
``covermaker.exporters``), and the contract tests of ``tests/export`` run over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from covermaker.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.export.labels import Labels
    from covermaker.progress import Progress

Dithering: TypeAlias = Literal["tpdf", "shaped", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a file is encoded.

    Parameters
    ----------
    seed : int
        Of the dither.
    dither : {"tpdf", "shaped", "off"}
        Where 24 or more bits become 16; see `quantise`.
    gain_db : float
        Applied before a lossy encoder; lossless formats hold the master as it is.
    """

    seed: int
    dither: Dithering = "tpdf"
    gain_db: float = 0.0


class Format(Protocol):
    """One way to write a finished song.

    `suffix` ends the file's name (".wav"); `label` tells formats of the same suffix apart ("16bit"). What a `lossy`
    one decodes to may have higher peaks than the master; `signable` ones can carry content credentials. The same
    master, labels and settings give the same bytes: no time of day, no machine name.
    """

    suffix: str
    label: str
    lossy: bool
    signable: bool

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return how many frames a master of `frames` becomes (a format may have to change the rate)."""

    def encode(self, master: Path, out: Path, *, settings: Encoding, progress: Progress) -> int:
        """Write `out` from the float32 master in blocks; return how many samples had to be clipped."""

    def tag(self, path: Path, labels: Labels) -> None:
        """Write labels into an encoded file."""


FORMATS: Registry[Format] = Registry(
    "export format",
    "covermaker.exporters",
    {
        "wav16": "covermaker.export.wav:WAV16",
        "wav24": "covermaker.export.wav:WAV24",
        "wav32f": "covermaker.export.wav:WAV32F",
        "flac": "covermaker.export.flac:FLAC24",
        "flac16": "covermaker.export.flac:FLAC16",
        "mp3": "covermaker.export.mp3:MP3_320",
        "mp3-v0": "covermaker.export.mp3:MP3_V0",
        "mp3-192": "covermaker.export.mp3:MP3_192",
        "ogg": "covermaker.export.vorbis:VORBIS",
        "opus": "covermaker.export.packets:OPUS",
        "m4a": "covermaker.export.packets:M4A",
    },
)
