"""WAV: 16 bits with dither, 24 bits, 32-bit float."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.audio.beside import Beside
from covermaker.audio.files import blocks, probe
from covermaker.audio.wav import FORMATS, RIFF_LIMIT, WavWriter
from covermaker.export.quantise import Dither, quantise
from covermaker.export.tags import write_wav_tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.progress import Progress

# Left free below 4 GB for the tags that follow the samples.
_TAG_ROOM = 1 << 24


@dataclass(frozen=True, slots=True)
class WavFormat:
    """A WAV of one sample format; `bits` 32 means float."""

    label: str
    bits: int
    sample_format: str
    dithered: bool = False
    suffix: str = ".wav"

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return the same length."""
        return frames

    def encode(self, master: Path, out: Path, *, seed: int, progress: Progress) -> int:
        """Write the file; past 4 GB it becomes RF64."""
        info = probe(master)
        data_bytes = info.frames * info.channels * FORMATS[self.sample_format].sample_bytes
        dither = Dither(seed) if self.dithered else None
        clipped = done = 0
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
                    integers, beyond = quantise(block, self.bits, dither)
                    clipped += beyond
                    written.push(integers)
                done += block.shape[1]
                progress(done / info.frames)
        return clipped

    def tag(self, path: Path, tags: Mapping[str, str]) -> None:
        """Append an ID3 chunk."""
        write_wav_tags(path, tags)


WAV16 = WavFormat("16bit", 16, "int16", dithered=True)
WAV24 = WavFormat("24bit", 24, "int24")
WAV32F = WavFormat("32bit-float", 32, "float32")
