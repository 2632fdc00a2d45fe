"""A song in, stems out, block by block: what every separator shares.

Networks have one sample rate, songs have any; the stems must have the song's length and add up to it. `song_blocks`
feeds a network at its rate, `StemWriter` takes what it gives back, returns it to the song's rate, and gives what is
missing from the song to the last stem.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import numpy as np

from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.audio.resample import Resampler
from covermaker.errors import AudioInputError
from covermaker.stems.base import SeparationReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from covermaker.audio.buffer import Samples
    from covermaker.audio.files import AudioInfo, Writer

CHANNELS = 2


def probe_song(song: Path) -> AudioInfo:
    """Return what the song file holds.

    Raises
    ------
    AudioInputError
        When it is not stereo or holds no sample.
    """
    info = probe(song)
    if info.channels != CHANNELS:
        raise AudioInputError(f"{song} has {info.channels} channels, separation takes stereo")
    if info.frames < 1:
        raise AudioInputError(f"{song} holds no samples")
    return info


def song_blocks(song: Path, sample_rate: int) -> Iterator[Samples]:
    """Yield the song as (2, n) blocks at `sample_rate`, in Hz."""
    info = probe_song(song)
    resampler = Resampler(info.sample_rate, sample_rate, CHANNELS)
    for block in blocks(song):
        yield resampler.push(block)
    yield resampler.finish()


class BlockQueue:
    """Blocks of a stream, taken in lengths that suit its neighbours; the stream must not end before it is asked."""

    def __init__(self, stream: Iterator[Samples]) -> None:
        self._stream = stream
        self._held: Samples | None = None

    def fill(self) -> int:
        """Make sure that something is there; return how many samples are."""
        while self._held is None or not self._held.shape[-1]:
            self._held = next(self._stream)
        return int(self._held.shape[-1])

    def take(self, frames: int) -> Samples:
        """Return (…, frames) samples, at most as many as `fill` has said."""
        assert self._held is not None
        taken, self._held = self._held[..., :frames], self._held[..., frames:]
        return taken


class StemWriter:
    """Writes the stems of one song; a context manager that leaves no file behind when the work fails.

    Parameters
    ----------
    song : Path
        The stereo song, read again in step with the stems.
    out : Path
        Folder for ``<stem>.wav``; made when missing.
    stems : sequence of str
        Names; the last one takes the residue.
    sample_rate : int
        In Hz, of what `write` is given.
    keep_residue : bool
        Whether the last stem takes what the stems lack; otherwise it is measured only.
    """

    def __init__(
        self, song: Path, out: Path, stems: Sequence[str], *, sample_rate: int, keep_residue: bool = True
    ) -> None:
        self._keep_residue = keep_residue
        self._info = probe_song(song)
        self._song = song
        self._out = out
        self._stems = tuple(stems)
        channels = CHANNELS * len(self._stems)
        self._resampler = Resampler(sample_rate, self._info.sample_rate, channels)
        self._files = ExitStack()
        self._writers: list[Writer] = []
        self._position = 0
        self._song_energy = self._residue_energy = 0.0

    def __enter__(self) -> Self:
        self._out.mkdir(parents=True, exist_ok=True)
        with ExitStack() as files:
            self._writers = [
                files.enter_context(
                    wav_writer(
                        self._out / f"{stem}.wav", sample_rate=self._info.sample_rate, channels=CHANNELS
                    )
                )
                for stem in self._stems
            ]
            self._files = files.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)

    def write(self, block: Samples) -> None:
        """Append (stems, 2, n) samples at the network's rate."""
        self._put(self._resampler.push(block.reshape(CHANNELS * len(self._stems), block.shape[-1])))

    def finish(self) -> SeparationReport:
        """Write what the resampler still holds, fill up to the song's length, and report."""
        self._put(self._resampler.finish())
        # Two roundings of the length may leave the last sample uncovered: the residue takes it.
        missing = self._info.frames - self._position
        self._put(np.zeros((CHANNELS * len(self._stems), missing), np.float32))
        return SeparationReport(
            stems=self._stems,
            sample_rate=self._info.sample_rate,
            frames=self._info.frames,
            residue_db=relative_db(self._residue_energy, self._song_energy),
        )

    def _put(self, flat: Samples) -> None:
        frames = min(flat.shape[-1], self._info.frames - self._position)
        if not frames:
            return
        stems = flat[:, :frames].reshape(len(self._stems), CHANNELS, frames)
        song = np.concatenate(list(blocks(self._song, start=self._position, frames=frames)), axis=-1)
        # Summed in float64, so that the last stem makes the sum right to its own rounding.
        residue = song - stems.sum(axis=0, dtype=np.float64)
        self._song_energy += float(np.square(song, dtype=np.float64).sum())
        self._residue_energy += float(np.square(residue).sum())
        for writer, samples in zip(self._writers[:-1], stems, strict=False):
            writer.write(np.ascontiguousarray(samples))
        last = (stems[-1] + residue).astype(np.float32) if self._keep_residue else stems[-1]
        self._writers[-1].write(np.ascontiguousarray(last))
        self._position += frames


def relative_db(energy: float, reference: float) -> float:
    """Return the level of one energy relative to another in dB; minus infinity for nothing."""
    if energy == 0.0:
        return -math.inf
    return 10.0 * math.log10(energy / reference) if reference else math.inf
