"""WAV: 16 bits with dither, 24 bits, 32-bit float."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.audio.beside import Beside
from covermaker.audio.files import blocks, probe
from covermaker.audio.wav import FORMATS, RIFF_LIMIT, WavWriter
from covermaker.export.quantise import Quantiser
from covermaker.export.tags import write_wav_tags

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.export.formats import Encoding
    from covermaker.export.labels import Labels
    from covermaker.progress import Progress

# Left free below 4 GB for the tags that follow the samples.
_TAG_ROOM = 1 << 24


@dataclass(frozen=True, slots=True)
class WavFormat:
    """A WAV of one sample format; `bits` 32 means float."""

    label: str
    bits: int
    sample_format: str
    suffix: str = ".wav"
    lossy: bool = False
    signable: bool = True

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return the same length."""
        return frames

    def encode(self, master: Path, out: Path, *, settings: Encoding, progress: Progress) -> int:
        """Write the file; past 4 GB it becomes RF64."""
        info = probe(master)
        data_bytes = info.frames * info.channels * FORMATS[self.sample_format].sample_bytes
        quantiser = Quantiser(
            self.bits,
            settings.dither if self.bits < 24 else "off",
            seed=settings.seed,
            channels=info.channels,
            sample_rate=info.sample_rate,
        )
        done = 0
        with (
            WavWriter(
                out,
                sample_rate=info.sample_rate,
                channels=info.channels,
                sample_format=self.sample_format,
                reserve=data_bytes + _TAG_ROOM > RIFF_LIMIT,
            ) as writer,
            Beside(writer.write) as written,
        ):
            for block in blocks(master):
                if self.bits == 32:
                    written.push(block)
                else:
                    for integers in quantiser.push(block):
                        written.push(integers)
                done += block.shape[1]
                progress(done / info.frames)
            for integers in quantiser.finish():
                written.push(integers)
        return quantiser.clipped

    def tag(self, path: Path, labels: Labels) -> None:
        """Append an ID3 chunk."""
        write_wav_tags(path, labels)


WAV16 = WavFormat("16bit", 16, "int16")
WAV24 = WavFormat("24bit", 24, "int24")
WAV32F = WavFormat("32bit-float", 32, "float32")
