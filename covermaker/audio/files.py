"""Audio files in and out, whole or block by block."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.buffer import Audio, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file holds: `frames` is exact, after encoder delay and padding are taken off."""

    sample_rate: int
    channels: int
    frames: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


def probe(path: Path) -> AudioInfo:
    """Return rate, channels and exact length of a file."""
    import soundfile

    info = soundfile.info(str(path))
    return AudioInfo(info.samplerate, info.channels, info.frames)


def read(path: Path, *, start: int = 0, frames: int | None = None) -> Audio:
    """Read a file, or `frames` of it from `start`, as float32."""
    import soundfile

    data, rate = soundfile.read(
        str(path), start=start, frames=-1 if frames is None else frames, dtype="float32", always_2d=True
    )
    return Audio(np.ascontiguousarray(data.T), rate)


def blocks(
    path: Path, *, block_frames: int = BLOCK_FRAMES, start: int = 0, frames: int | None = None
) -> Iterator[Samples]:
    """Yield (channels, n) blocks of `block_frames`, the last one shorter."""
    import soundfile

    with soundfile.SoundFile(str(path)) as file:
        file.seek(start)
        left = file.frames - start if frames is None else frames
        while left > 0:
            data = file.read(min(block_frames, left), dtype="float32", always_2d=True)
            if not len(data):
                return
            left -= len(data)
            yield np.ascontiguousarray(data.T)


class Writer:
    """An open float32 WAV; see `wav_writer`."""

    def __init__(self, file: object) -> None:
        self._file = file
        self.frames = 0

    def write(self, block: Samples) -> None:
        """Append (channels, n) samples."""
        self._file.write(block.T)  # type: ignore[attr-defined]
        self.frames += block.shape[-1]


@contextmanager
def wav_writer(path: Path, *, sample_rate: int, channels: int) -> Iterator[Writer]:
    """Open a float32 WAV (RF64 past 4 GB) to be written block by block."""
    import soundfile

    with soundfile.SoundFile(
        str(path), "w", samplerate=sample_rate, channels=channels, subtype="FLOAT", format="WAV"
    ) as file:
        yield Writer(file)
