"""Takes become training clips: one channel, cut at pauses, without rumble, at one loudness a take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import probe, wav_writer
from covermaker.audio.loudness import LoudnessMeter
from covermaker.audio.rumble import without_rumble
from covermaker.disk import disk_errors, replacing
from covermaker.errors import AudioInputError
from covermaker.features.workers import unheard
from covermaker.progress import part, silent
from covermaker.takes.analysis import analyse, cuts_of
from covermaker.takes.cache import cache_folder
from covermaker.takes.create import LEAST_SECONDS, too_little
from covermaker.takes.document import TakeRow, Takes, read_takes, recorded_bytes, take_path
from covermaker.takes.pool import each
from covermaker.takes.working import working_copy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from covermaker.audio.buffer import Samples
    from covermaker.progress import Progress

VERSION = 2  # raised whenever the same takes would give other clips

TARGET_LUFS = -23.0
PEAK_DBFS = -1.0  # no sample of a take is raised above this
_HIGH_PASS_ORDER = 4  # run both ways: -0.2 dB at 82 Hz


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of a take, ready for training.

    Parameters
    ----------
    path : Path
        Mono float32 WAV at the take's own rate.
    take : str
        The take's file name.
    start_seconds, seconds : float
        Where it lies in the take.
    band_limit_hz : float
        Above this the take holds nothing.
    """

    path: Path
    take: str
    start_seconds: float
    seconds: float
    band_limit_hz: float


def prepare_clips(
    folder: Path,
    out: Path,
    *,
    least_seconds: float = LEAST_SECONDS,
    progress: Progress = silent,
    note: Callable[[str], None] = unheard,
) -> list[Clip]:
    """Cut the takes of a voice folder into clips.

    The same takes give the same clips, bit for bit. Every voiced sample above the noise gate is in exactly one; a
    label track beside a take (`labels`) decides instead where there is one. Each take is brought to -23 LUFS as a
    whole, so its dynamics stay, or to a peak of -1 dBFS if that comes first.

    Parameters
    ----------
    folder : Path
        With a ``takes.toml``.
    out : Path
        Where the clips go: ``<take>-0001.wav`` and on. Other files there are left alone.
    least_seconds : float
        Less than this in all is refused.
    progress : Progress
        Told the finished fraction.
    note : callable
        See `in_processes`.

    Returns
    -------
    list of Clip
        In the order of the document and of time.

    Raises
    ------
    ProjectError
        When ``takes.toml`` or a label track is missing or refused.
    AudioInputError
        When a take is missing or cannot be read, nobody sings in any, or the clips are too short in all.
    ResourceError
        When the disk is full, or a package for cleaning is missing.
    """
    takes = read_takes(folder)
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    arguments = [(folder, takes, row, out) for row in takes.used]
    made = each(_prepare, arguments, size_bytes=recorded_bytes(folder, takes), progress=progress, note=note)
    clips = [clip for own in made for clip in own]
    if not clips:
        raise AudioInputError(
            f"nobody sings in the takes of '{takes.name}'", hint="look at them with: covermaker voices scan"
        )
    seconds = sum(clip.seconds for clip in clips)
    if (short := too_little(seconds, least_seconds)) is not None:
        raise AudioInputError(f"the takes of '{takes.name}' hold {short[0]}", hint=short[1])
    return clips


def _prepare(folder: Path, takes: Takes, row: TakeRow, out: Path, progress: Progress = silent) -> list[Clip]:
    """Write the clips of one take."""
    known = analyse(folder, takes, row, progress=part(progress, 0.0, 0.6))
    cuts, _ = cuts_of(folder, takes, row, known)
    rate = known.sample_rate
    clips: list[Clip] = []
    if not cuts:
        return clips
    with working_copy(take_path(folder, row), takes.cleaning, cache_folder(folder)) as mono:
        assert probe(mono).frames == known.facts.frames, "a working copy is as long as its take"

        def pieces() -> Iterator[Samples]:
            for start, end in cuts:
                yield without_rumble(mono, start, end, order=_HIGH_PASS_ORDER)

        gain = _gain(pieces(), rate)
        for number, (piece, (start, end)) in enumerate(zip(pieces(), cuts, strict=True), 1):
            path = out / f"{row.stem}-{number:04d}.wav"
            with replacing(path) as temporary, wav_writer(temporary, sample_rate=rate, channels=1) as file:
                file.write(piece * gain)
            clips.append(Clip(path, row.file, start / rate, (end - start) / rate, known.band_hz))
    return clips


def _gain(pieces: Iterator[Samples], sample_rate: int) -> np.float32:
    """Return the factor that brings a take's clips to the target, or their peak to its limit."""
    meter = LoudnessMeter(1, sample_rate)
    for piece in pieces:
        meter.push(piece)
    found = meter.finish()
    most_db = PEAK_DBFS - found.sample_peak_dbfs
    lufs = found.integrated_lufs
    if lufs is None or lufs == -np.inf:  # too short or too quiet to weigh: the peak alone decides
        gain_db = min(most_db, TARGET_LUFS - found.sample_peak_dbfs + 12.0)
    else:
        gain_db = min(TARGET_LUFS - lufs, most_db)
    return np.float32(10.0 ** (gain_db / 20.0)) if np.isfinite(gain_db) else np.float32(1.0)
