"""What of a song can be heard: its last render, and the song itself to hold it against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.render.state import State


@dataclass(frozen=True, slots=True)
class Hearable:
    """What of a song can be heard: its cover, where it was rendered, and the original, where it is there.

    `made` is when the cover was written, in seconds since the epoch.
    """

    folder: Path
    cover: Path | None
    original: Path | None
    made: float = 0.0

    @property
    def first(self) -> Path | None:
        """What is heard first, and drawn."""
        return self.cover or self.original


def hearable_of(folder: Path, state: State | None) -> Hearable:
    """Return what of a song can be heard; a file without loss before one that is made smaller."""
    if state is None:
        return Hearable(folder, None, None)
    lossless = {".wav", ".flac"}
    outputs = sorted(state.outputs, key=lambda output: (output.file.suffix not in lossless, output.file.name))
    best = outputs[0] if outputs else None
    return Hearable(folder, best.file if best else None, state.song, best.made if best else 0.0)
