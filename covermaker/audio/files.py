"""Audio files in and out, whole or block by block.

Reads anything `sources` can open, at exact length and offset; PCM and FLAC are sought into, compressed files are
decoded from the start. Writes float32 WAV, the format of everything the house keeps.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.buffer import Audio, Samples
from covermaker.audio.sources import BLOCK_FRAMES as BLOCK_FRAMES
from covermaker.audio.sources import native_name, open_sources, sniff
from covermaker.audio.wav import WavWriter
from covermaker.disk import write_error
from covermaker.errors import AudioInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Containers in which libsndfile seeks to the exact sample.
_SEEKABLE_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"caff", b"riff", b".snd")


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
    """Return rate, channels and exact length of a file.

    A file whose headers do not say its length is decoded once to count it.

    Raises
    ------
    AudioInputError
        When there is no such file or no backend can read it.
    """
    with _seekable(path) as file:
        if file is not None:
            return AudioInfo(file.samplerate, file.channels, file.frames)
    source = open_sources(path)[0][0]
    frames = source.claimed_frames
    if frames is None:
        frames = sum(block.shape[1] for block in source.blocks())
    return AudioInfo(source.sample_rate, source.channels, frames)


def read(path: Path, *, start: int = 0, frames: int | None = None) -> Audio:
    """Read a file, or `frames` of it from `start`, as float32; less when the file ends earlier.

    Raises
    ------
    AudioInputError
        When the file cannot be read, or holds NaN or infinity.
    """
    info = probe(path)
    parts = list(blocks(path, start=start, frames=frames))
    samples = np.concatenate(parts, axis=1) if parts else np.zeros((info.channels, 0), np.float32)
    if not np.isfinite(samples).all():
        raise AudioInputError(
            f"'{path}' holds NaN or infinite samples", hint="render or export the file again"
        )
    return Audio(samples, info.sample_rate)


def blocks(
    path: Path, *, block_frames: int = BLOCK_FRAMES, start: int = 0, frames: int | None = None
) -> Iterator[Samples]:
    """Yield (channels, n) blocks of `block_frames`, the last one shorter.

    Parameters
    ----------
    path : Path
        Any readable file.
    block_frames : int
        Frames a block.
    start, frames : int
        First frame and how many; all of them when `frames` is left out.
    """
    with _seekable(path) as file:
        if file is not None:
            yield from _sought(file, block_frames, start, frames)
            return
    yield from _recut(open_sources(path)[0][0].blocks(), block_frames, start, frames)


class Writer:
    """An open float32 WAV; see `wav_writer`."""

    def __init__(self, file: WavWriter) -> None:
        self._file = file

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._file.frames

    def write(self, block: Samples) -> None:
        """Append (channels, n) samples."""
        self._file.write(block)


@contextmanager
def wav_writer(path: Path, *, sample_rate: int, channels: int) -> Iterator[Writer]:
    """Open a float32 WAV (RF64 past 4 GB) to be written block by block; deleted when the block raises.

    Raises
    ------
    ResourceError
        When the disk is full or may not be written.
    """
    try:
        file = WavWriter(path, sample_rate=sample_rate, channels=channels)
    except OSError as error:
        raise write_error(error, path) from error
    done = False
    try:
        with file:
            yield Writer(file)
        done = True
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        if not done:
            path.unlink(missing_ok=True)


@contextmanager
def _seekable(path: Path) -> Iterator[Any]:
    """Yield the open `soundfile.SoundFile` of a file that can be sought into, else None."""
    import soundfile

    file = None
    if sniff(path).startswith(_SEEKABLE_MAGIC):
        try:
            file = soundfile.SoundFile(native_name(path))
        except soundfile.LibsndfileError:
            file = None  # another backend may read it, or say why not
    if file is not None and file.frames >= 1 << 60:  # FLAC that was streamed: length unknown, no seeking
        file.close()
        file = None
    try:
        yield file
    finally:
        if file is not None:
            file.close()


def _sought(file: Any, block_frames: int, start: int, frames: int | None) -> Iterator[Samples]:
    import soundfile

    left = max(0, file.frames - start)
    left = left if frames is None else min(left, frames)
    if not left:
        return
    try:
        file.seek(start)
        while left > 0:
            data = file.read(min(block_frames, left), dtype="float32", always_2d=True)
            if not len(data):
                return
            left -= len(data)
            yield np.ascontiguousarray(data.T)
    except soundfile.LibsndfileError as error:
        raise AudioInputError(f"'{os.fsdecode(file.name)}' is damaged: {error.error_string}") from error


def _recut(source: Iterator[Samples], block_frames: int, start: int, frames: int | None) -> Iterator[Samples]:
    """Cut a stream into blocks of one size, leaving out what is before `start` and after `frames`."""
    skip, left = start, frames
    held: list[Samples] = []
    size = 0
    for block in source:
        if skip >= block.shape[1]:
            skip -= block.shape[1]
            continue
        part = block[:, skip:] if left is None else block[:, skip : skip + left]
        skip = 0
        if left is not None:
            left -= part.shape[1]
        held.append(part)
        size += part.shape[1]
        if size >= block_frames:
            whole = np.concatenate(held, axis=1)
            full = size - size % block_frames
            for at in range(0, full, block_frames):
                yield np.ascontiguousarray(whole[:, at : at + block_frames])
            held, size = [whole[:, full:]], size - full
        if left == 0:
            break
    if size:
        yield np.ascontiguousarray(np.concatenate(held, axis=1))
