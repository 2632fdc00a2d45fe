"""Bring your own stems: files that the user has already, in place of a separation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from covermaker.audio.files import AudioInfo, blocks, probe
from covermaker.audio.resample import Resampler, resampled_frames
from covermaker.errors import AudioInputError, ProjectError
from covermaker.progress import Progress, silent
from covermaker.stems.streaming import CHANNELS, BlockQueue, StemWriter, probe_song
from covermaker.weights.hashes import known_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from covermaker.audio.buffer import Samples
    from covermaker.stems.base import SeparationReport

VOCALS, OTHER = "vocals", "other"
# A set with one of these says itself that it is the whole song.
_REST = (OTHER, "accompaniment", "instrumental")
# Encoders add or lose some milliseconds; a larger difference is another take of the song.
_TOLERANCE_SECONDS = 0.05
# What a lossy encoder takes away is below this; more means that the stems are not of this song's mix.
_AUDIBLE_DB = -60.0
_BLOCK_FRAMES = 1 << 16


class ProvidedSeparator:
    """Takes the user's files as stems.

    A set that holds ``other``, ``accompaniment`` or ``instrumental`` is taken as complete and left as it is. Any
    other set gets a stem ``other`` with all that is in the song and in none of its stems.

    Parameters
    ----------
    device : str
        Of no use here.
    files : mapping of str to path
        Stem name to audio file of any format; ``vocals`` must be among them.

    Raises
    ------
    ProjectError
        When there are no vocals or a name cannot be a file's name.
    """

    VERSION: ClassVar[int] = 1

    def __init__(self, device: str = "auto", *, files: Mapping[str, str | Path]) -> None:
        del device
        if VOCALS not in files:
            raise ProjectError("stems.files has no 'vocals'", hint="name the file of the sung part")
        for name in files:
            if not name or name.startswith(".") or any(sign in name for sign in "/\\\0"):
                raise ProjectError(f"stems.files: '{name}' cannot be the name of a stem")
        rank = {VOCALS: -1, **dict.fromkeys(_REST, 1)}
        self._files = {name: Path(files[name]) for name in sorted(files, key=lambda name: rank.get(name, 0))}
        self._complete = any(name in files for name in _REST)

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the stems, vocals first."""
        return tuple(self._files) if self._complete else (*self._files, OTHER)

    def params(self) -> dict[str, Any]:
        """Return the names, in the order of `weights_used`."""
        return {"stems": list(self._files)}

    def weights_used(self) -> tuple[str, ...]:
        """Return the sha256 of every file."""
        for name, path in self._files.items():
            if not path.is_file():
                raise AudioInputError(f"the stem '{name}' is not at {path}", hint="see stems.files")
        return tuple(known_hash(path) for path in self._files.values())

    def separate(self, song: Path, out: Path, *, progress: Progress = silent) -> SeparationReport:
        """Write the stems at the song's rate and length; see `covermaker.stems.base.Separator`.

        Raises
        ------
        AudioInputError
            When a file cannot be read, has more than two channels or another length than the song.
        """
        info = probe_song(song)
        notes: list[str] = []
        streams = [BlockQueue(_stem_blocks(name, path, info, notes)) for name, path in self._files.items()]
        writer = StemWriter(
            song, out, self.stems, sample_rate=info.sample_rate, keep_residue=not self._complete
        )
        position = 0
        with writer:
            while position < info.frames:
                ready = min(info.frames - position, *(stream.fill() for stream in streams))
                block = np.zeros((len(self.stems), CHANNELS, ready), np.float32)
                for samples, stream in zip(block, streams, strict=False):
                    samples[:] = stream.take(ready)
                writer.write(block)
                position += ready
                progress(position / info.frames)
            report = writer.finish()
        if self._complete and report.residue_db > _AUDIBLE_DB:
            notes.append(f"the stems differ from the song by {report.residue_db:.1f} dB of its level")
        if not self._complete:
            notes.append(f"'{OTHER}' was made of what is in no stem: {report.residue_db:.1f} dB of the song")
        return replace(report, notes=tuple(notes))


def _stem_blocks(name: str, path: Path, song: AudioInfo, notes: list[str]) -> Iterator[Samples]:
    """Yield a stem as (2, n) blocks at the song's rate, then silence without end."""
    if not path.is_file():
        raise AudioInputError(f"the stem '{name}' is not at {path}", hint="see stems.files")
    info = probe(path)
    if info.channels > CHANNELS:
        raise AudioInputError(f"the stem '{name}' has {info.channels} channels", hint="one or two are taken")
    frames = resampled_frames(info.frames, info.sample_rate, song.sample_rate)
    difference = frames - song.frames
    if abs(difference) > _TOLERANCE_SECONDS * song.sample_rate:
        raise AudioInputError(
            f"the stem '{name}' is {info.seconds:.3f} s long, the song {song.seconds:.3f} s",
            hint="export the stem over the song's whole length",
        )
    if abs(difference) > 1:
        change = "longer" if difference > 0 else "shorter"
        milliseconds = abs(difference) / song.sample_rate * 1e3
        notes.append(f"the stem '{name}' is {milliseconds:.1f} ms {change} than the song: its end was fitted")
    resampler = Resampler(info.sample_rate, song.sample_rate, CHANNELS)
    for block in blocks(path):
        if not np.isfinite(block).all():
            raise AudioInputError(f"the stem '{name}' holds NaN or infinite samples")
        yield resampler.push(np.ascontiguousarray(np.broadcast_to(block, (CHANNELS, block.shape[1]))))
    yield resampler.finish()
    while True:
        yield np.zeros((CHANNELS, _BLOCK_FRAMES), np.float32)
