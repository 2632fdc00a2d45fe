"""Ogg Vorbis: libvorbis through libsndfile, exact in length.

libsndfile draws the stream's serial number from the clock. The pages get a fixed one afterwards, and with it the new
checksum that the container asks for, so that the same master gives the same bytes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import probe
from covermaker.disk import encoder_error
from covermaker.export.lossy import sound_for
from covermaker.export.tags import write_vorbis_tags

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.export.formats import Encoding
    from covermaker.export.labels import Labels
    from covermaker.progress import Progress

_QUALITY = 0.7  # of 0..1: some 220 kbit/s in stereo
_SERIAL = b"\0\0\0\1"
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class VorbisFormat:
    """Variable bit rate, any sample rate."""

    suffix: str = ".ogg"
    label: str = "vorbis"
    lossy: bool = True
    signable: bool = False

    def frames(self, frames: int, sample_rate: int) -> int:
        """Return the same length."""
        return frames

    def encode(self, master: Path, out: Path, *, settings: Encoding, progress: Progress) -> int:
        """Write the file."""
        import soundfile

        info = probe(master)
        done = 0
        try:
            with soundfile.SoundFile(
                str(out),
                "w",
                info.sample_rate,
                info.channels,
                format="OGG",
                subtype="VORBIS",
                compression_level=1.0 - _QUALITY,
            ) as file:
                for block in sound_for(master, info.sample_rate, settings.gain_db):
                    file.write(np.ascontiguousarray(block.T))
                    done += block.shape[1]
                    progress(done / info.frames)
        except soundfile.LibsndfileError as error:
            raise encoder_error(out, error.error_string) from error
        _fix_serial(out)
        return 0

    def tag(self, path: Path, labels: Labels) -> None:
        """Write Vorbis comments."""
        write_vorbis_tags(path, labels)


def _fix_serial(path: Path) -> None:
    """Give every page of an Ogg file (RFC 3533) the same serial number, and its checksum."""
    with path.open("r+b") as file:
        while True:
            at = file.tell()
            head = bytearray(file.read(27))
            if len(head) < 27 or head[:4] != b"OggS":
                return
            lengths = file.read(head[26])
            body = file.read(sum(lengths))
            head[14:18] = _SERIAL
            head[22:26] = bytes(4)
            head[22:26] = _checksum(bytes(head) + lengths + body)
            file.seek(at)
            file.write(head)
            file.seek(len(lengths) + len(body), 1)


def _checksum(page: bytes) -> bytes:
    """Return a page's CRC: zlib's polynomial, the bits the other way round, nothing inverted."""
    crc = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2).to_bytes(4, "little")


VORBIS = VorbisFormat()
