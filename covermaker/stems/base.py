"""What a separator is: the seam between a song and its stems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class SeparationReport:
    """What a separation made.

    Parameters
    ----------
    stems : tuple of str
        Names of the files ``<stem>.wav``, the last one holds the residue.
    sample_rate, frames : int
        Of the song and of every stem.
    residue_db : float
        Level of *song − sum of stems* in dB relative to the song, before it was given to the last stem. Minus
        infinity when nothing was missing.
    notes : tuple of str
        What a person should know, one sentence each.
    """

    stems: tuple[str, ...]
    sample_rate: int
    frames: int
    residue_db: float
    notes: tuple[str, ...] = ()


class Separator(Protocol):
    """Splits a song. Constructed with the device first and its own options as keywords."""

    VERSION: ClassVar[int]
    """Raised whenever the same input would give other samples."""

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the stems, in the order in which they are reported."""
        ...

    def params(self) -> dict[str, Any]:
        """Return every option that changes the samples, as plain values; never a path or a device."""
        ...

    def weights_used(self) -> tuple[str, ...]:
        """Return the sha256 of every file beside the song that decides about the samples."""
        ...

    def separate(self, song: Path, out: Path, *, progress: Progress = silent) -> SeparationReport:
        """Write ``out/<stem>.wav``, float32, at the song's rate and length to the sample, adding up to the song.

        `song` is a stereo float32 WAV. Memory does not grow with its length.
        """
        ...
