"""Everything that is measured of one take, once: kept under the hash of the recording and its cleaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.audio.loudness import measure_file
from covermaker.disk import file_sha256
from covermaker.features.loudness import frame_loudness_db
from covermaker.features.pitch import estimate_pitch
from covermaker.progress import part, silent
from covermaker.takes.band import average, band_limit_hz
from covermaker.takes.cache import Arrays, cache_folder, cached
from covermaker.takes.document import TakeRow, Takes, labels_path, take_path
from covermaker.takes.labels import read_labels
from covermaker.takes.signal import Facts
from covermaker.takes.slicer import frames_to_samples, slice_frames
from covermaker.takes.working import facts_of, working_copy, working_key

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.progress import Progress

VERSION = 4  # raised whenever a take's measurements change: other versions' are measured anew
# DIO agrees with Harvest on which frames are voiced within one in a hundred, at a twentieth of the time, and unlike
# the networks gives the same bits on every machine: the cuts depend on it.
PITCH_METHOD = "dio"
F0_MIN_HZ, F0_MAX_HZ = 50.0, 1500.0


@dataclass(frozen=True)
class Analysis:
    """What is known of a take.

    `facts`, `lufs`, `true_peak_dbtp` and `channels` are of the recording as it came; the rest of its working copy
    (one channel, cleaned if asked).

    Parameters
    ----------
    key : str
        Hash of the working copy's making.
    level_db, f0_hz : float32 arrays (frames,)
        On the feature clock.
    band_hz : float
        Highest frequency that holds sound.
    lufs : float or None
        None when shorter than 0.4 s; minus infinity when silent.
    """

    key: str
    sha256: str
    sample_rate: int
    channels: int
    facts: Facts
    lufs: float | None
    true_peak_dbtp: float
    band_hz: float
    level_db: NDArray[np.float32]
    f0_hz: NDArray[np.float32]

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.facts.frames / self.sample_rate


def analyse(folder: Path, takes: Takes, row: TakeRow, *, progress: Progress = silent) -> Analysis:
    """Measure a take of a voice folder, or read what was measured before.

    Raises
    ------
    AudioInputError, ResourceError
        See `working_copy`.
    """
    take = take_path(folder, row)
    sha256 = file_sha256(take)
    key = working_key(sha256, takes.cleaning)
    cache = cache_folder(folder)

    def make() -> Arrays:
        with working_copy(take, takes.cleaning, cache, progress=part(progress, 0.0, 0.4)) as mono:
            return _measure(take, mono, progress=part(progress, 0.4, 1.0))

    found = cached(cache, f"signal-{VERSION}-{key}", make)
    progress(1.0)
    return _unpack(found, key, sha256)


def cuts_of(folder: Path, takes: Takes, row: TakeRow, known: Analysis) -> tuple[list[tuple[int, int]], bool]:
    """Return the clips of a take in samples, and whether a label track gave them.

    Raises
    ------
    ProjectError
        When there is a label track that cannot be used.
    """
    labels = labels_path(folder, row)
    if labels.exists():
        return read_labels(labels, known.sample_rate, known.facts.frames), True
    return automatic_cuts(takes, known), False


def automatic_cuts(takes: Takes, known: Analysis) -> list[tuple[int, int]]:
    """Return the clips that the slicer finds, in samples."""
    clips = slice_frames(known.level_db, known.f0_hz, **takes.slicing.model_dump())
    return frames_to_samples(clips, len(known.level_db), known.sample_rate, known.facts.frames)


def _measure(take: Path, mono: Path, *, progress: Progress) -> Arrays:
    facts, info = facts_of(take), probe(take)
    loud = measure_file(take)
    progress(0.3)
    level_db = frame_loudness_db(mono)
    progress(0.5)
    f0_hz = estimate_pitch(
        mono, method=PITCH_METHOD, f0_min_hz=F0_MIN_HZ, f0_max_hz=F0_MAX_HZ, progress=part(progress, 0.5, 0.9)
    )
    spectrum = average(block[0] for block in blocks(mono))
    numbers = [
        info.sample_rate,
        info.channels,
        facts.frames,
        facts.peak,
        facts.clipped_runs,
        facts.clipped_samples,
        np.nan if facts.correlation is None else facts.correlation,
        np.nan if loud.integrated_lufs is None else loud.integrated_lufs,
        -np.inf if loud.true_peak_dbtp is None else loud.true_peak_dbtp,
        band_limit_hz(spectrum, info.sample_rate),
    ]
    return {"numbers": np.array(numbers, np.float64), "level_db": level_db, "f0_hz": f0_hz}


def _unpack(found: Arrays, key: str, sha256: str) -> Analysis:
    rate, channels, frames, peak, clip_runs, clip_samples, correlation, lufs, true_peak, band = map(
        float, found["numbers"]
    )
    facts = Facts(int(frames), peak, int(clip_runs), int(clip_samples), _or_none(correlation))
    return Analysis(
        key=key,
        sha256=sha256,
        sample_rate=int(rate),
        channels=int(channels),
        facts=facts,
        lufs=_or_none(lufs),
        true_peak_dbtp=true_peak,
        band_hz=band,
        level_db=found["level_db"],
        f0_hz=found["f0_hz"],
    )


def _or_none(value: float) -> Any:
    return None if np.isnan(value) else value
