"""A song of any format becomes a stereo float32 WAV at the project's rate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.downmix import mix_down, stereo_matrix, widen
from covermaker.audio.files import wav_writer
from covermaker.audio.resample import Resampler
from covermaker.audio.sources import open_sources, unreadable
from covermaker.disk import replacing
from covermaker.errors import AudioInputError
from covermaker.progress import Progress, silent
from covermaker.units import clock

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.audio.sources import Source

LOWEST_RATE = 44_100
HIGHEST_RATE = 96_000
# A file that ends earlier than its headers say by less than this is only sloppily cut.
_SHORT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class SongInfo:
    """What a decoded song is; `notes` are lines for the user, empty when all is well.

    `frames` counts at `sample_rate` (the written file), `source_frames` at `source_rate`.
    """

    sample_rate: int
    frames: int
    source_rate: int
    source_channels: int
    source_frames: int
    source_format: str
    notes: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


def project_rate(source_rate: int) -> int:
    """Return the rate a project works at: 44.1 to 96 kHz as it is, lower ones 44.1 kHz, higher ones halved."""
    rate = source_rate
    while rate > HIGHEST_RATE:
        rate = (rate + 1) // 2
    return max(rate, LOWEST_RATE)


def decode_song(
    path: Path, out: Path, *, sample_rate: int | None = None, progress: Progress = silent
) -> SongInfo:
    """Decode any file to a stereo float32 WAV, block by block.

    Encoder delay and padding are taken off, the length is ``round(frames * rate / source rate)``. A damaged file is
    decoded as far as it goes (holes become silence) and the notes say how far.

    Parameters
    ----------
    path : Path
        The song.
    out : Path
        The WAV to write; whole or not at all.
    sample_rate : int, optional
        Wanted rate in Hz; `project_rate` of the source when left out.

    Raises
    ------
    AudioInputError
        When nothing can be read, or when samples are NaN or infinite.
    ResourceError
        When `out` cannot be written.
    """
    sources, said = open_sources(path)
    source = sources[0]
    rate = sample_rate or project_rate(source.sample_rate)
    with replacing(out) as temporary:
        tally = _stream(source, temporary, rate=rate, progress=progress)
        if _damaged(source, tally.frames) and len(sources) > 1 and _count_frames(sources[1]) > tally.frames:
            source = sources[1]
            tally = _stream(source, temporary, rate=rate, progress=silent)
        if tally.not_finite:
            raise AudioInputError(
                f"'{path}' holds {tally.not_finite} NaN or infinite samples, the first at "
                f"{tally.first_not_finite / source.sample_rate:.3f} s (frame {tally.first_not_finite})",
                hint="render or export the file again",
            )
        if not tally.frames:
            if source.problem or source.claimed_frames:
                raise unreadable(
                    path, [*said, f"{source.backend}: {source.problem or 'no frame can be decoded'}"]
                )
            raise AudioInputError(f"'{path}' holds no samples", hint="is the recording empty?")
    progress(1.0)
    return SongInfo(
        sample_rate=rate,
        frames=tally.written,
        source_rate=source.sample_rate,
        source_channels=source.channels,
        source_frames=tally.frames,
        source_format=source.format,
        notes=[*_damage_notes(source, tally.frames), *_signal_notes(source, tally, rate)],
    )


@dataclass(slots=True)
class _Tally:
    frames: int = 0
    written: int = 0
    peak: float = 0.0
    not_finite: int = 0
    first_not_finite: int = -1


def _stream(source: Source, out: Path, *, rate: int, progress: Progress) -> _Tally:
    tally = _Tally()
    matrix = stereo_matrix(source.channels, source.channel_names)
    width = min(source.channels, 2)
    resampler = Resampler(source.sample_rate, rate, width)
    with wav_writer(out, sample_rate=rate, channels=2) as writer:
        for block in source.blocks():
            _count(tally, block)
            if tally.not_finite:
                continue  # keep counting; nothing will be written
            writer.write(widen(resampler.push(mix_down(block, matrix))))
            if source.claimed_frames:
                progress(min(1.0, tally.frames / source.claimed_frames))
        writer.write(widen(resampler.finish()))
        tally.written = writer.frames
    return tally


def _count(tally: _Tally, block: Samples) -> None:
    finite = np.isfinite(block)
    if not finite.all():
        if not tally.not_finite:
            tally.first_not_finite = tally.frames + int(np.argmin(finite.all(axis=0)))
        tally.not_finite += int(block.size - np.count_nonzero(finite))
    else:
        tally.peak = max(tally.peak, float(np.abs(block).max(initial=0.0)))
    tally.frames += block.shape[1]


def _count_frames(source: Source) -> int:
    return sum(block.shape[1] for block in source.blocks())


def _damaged(source: Source, frames: int) -> bool:
    return bool(source.problem or source.holes or _missing(source, frames))


def _missing(source: Source, frames: int) -> bool:
    claimed = source.claimed_frames
    return claimed is not None and claimed - frames > _SHORT_SECONDS * source.sample_rate


def _damage_notes(source: Source, frames: int) -> list[str]:
    notes = []
    if source.holes:
        start, _ = source.holes[0]
        lost = sum(length for _, length in source.holes) / source.sample_rate
        notes.append(
            f"damaged at {clock(int(start / source.sample_rate))}: {lost:.1f} s cannot be read and are silent"
        )
    cut = _missing(source, frames)
    if cut or (source.problem and not source.holes):
        seconds = frames / source.sample_rate
        whole = (
            f" of {source.claimed_frames / source.sample_rate:.1f} s" if cut and source.claimed_frames else ""
        )
        notes.append(f"damaged after {clock(int(seconds))}; {seconds:.1f} s{whole} can be read")
    return notes


def _signal_notes(source: Source, tally: _Tally, rate: int) -> list[str]:
    notes = []
    if source.channels == 1:
        notes.append("mono: both channels carry the same signal")
    elif source.channels > 2:
        notes.append(
            f"{source.channels} channels are mixed down to stereo (ITU-R BS.775, without the LFE channel)"
        )
    if rate != source.sample_rate:
        notes.append(f"resampled from {source.sample_rate} Hz to {rate} Hz")
    if tally.peak == 0.0:
        notes.append("the song is digital silence")
    if source.format.startswith("aac "):
        notes.append("raw AAC does not say its encoder delay: the song may start some 20 to 50 ms late")
    return notes
