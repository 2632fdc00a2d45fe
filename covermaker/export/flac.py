"""FLAC: the samples of the 16 and 24-bit WAVs, lossless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.disk import encoder_error
from covermaker.export.quantise import Quantiser
from covermaker.export.tags import write_flac_tags

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.export.formats import Encoding
    from covermaker.export.labels import Labels
    from covermaker.progress import Progress


@dataclass(frozen=True, slots=True)
class FlacFormat:
    """FLAC of 16 or 24 bits by libsndfile, at its usual compression."""

    bits: int
    label: str
    suffix: str = ".flac"
    lossy: bool = False
    signable: bool = True

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return the same length."""
        return frames

    def encode(self, master: Path, out: Path, *, settings: Encoding, progress: Progress) -> int:
        """Write the file."""
        import soundfile

        info = probe(master)
        quantiser = Quantiser(
            self.bits,
            settings.dither if self.bits < 24 else "off",
            seed=settings.seed,
            channels=info.channels,
            sample_rate=info.sample_rate,
        )
        subtype = f"PCM_{self.bits}"
        done = 0
        try:
            with soundfile.SoundFile(
                str(out), "w", info.sample_rate, info.channels, subtype=subtype, format="FLAC"
            ) as file:

                def write(integers: NDArray[np.int32]) -> None:
                    # libsndfile takes the upper bits of 32; its own float conversion scales by 2^23 - 1.
                    file.write(np.ascontiguousarray((integers << (32 - self.bits)).T))

                for block in blocks(master):
                    for integers in quantiser.push(block):
                        write(integers)
                    done += block.shape[1]
                    progress(done / info.frames)
                for integers in quantiser.finish():
                    write(integers)
        except soundfile.LibsndfileError as error:
            raise encoder_error(out, error.error_string) from error
        return quantiser.clipped

    def tag(self, path: Path, labels: Labels) -> None:
        """Write Vorbis comments."""
        write_flac_tags(path, labels)


FLAC24 = FlacFormat(24, "24bit")
FLAC16 = FlacFormat(16, "16bit")
