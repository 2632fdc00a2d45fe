"""FLAC, 24 bits: the samples of the 24-bit WAV, lossless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.disk import encoder_error
from covermaker.export.quantise import quantise
from covermaker.export.tags import write_flac_tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.progress import Progress


@dataclass(frozen=True, slots=True)
class FlacFormat:
    """FLAC by libsndfile, at its usual compression."""

    suffix: str = ".flac"
    label: str = "24bit"

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return the same length."""
        return frames

    def encode(self, master: Path, out: Path, *, seed: int, progress: Progress) -> int:
        """Write the file."""
        import soundfile

        info = probe(master)
        clipped = done = 0
        try:
            with soundfile.SoundFile(
                str(out), "w", info.sample_rate, info.channels, subtype="PCM_24", format="FLAC"
            ) as file:
                for block in blocks(master):
                    integers, beyond = quantise(block, 24)
                    clipped += beyond
                    # libsndfile takes the upper 24 of 32 bits; its own float conversion scales by 2^23 - 1.
                    file.write(np.ascontiguousarray((integers << 8).T))
                    done += block.shape[1]
                    progress(done / info.frames)
        except soundfile.LibsndfileError as error:
            raise encoder_error(out, error.error_string) from error
        return clipped

    def tag(self, path: Path, tags: Mapping[str, str]) -> None:
        """Write Vorbis comments."""
        write_flac_tags(path, tags)


FLAC24 = FlacFormat()
