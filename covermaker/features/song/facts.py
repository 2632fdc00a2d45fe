"""What there is to know of a song file before anything is made of it; found out once, kept by the file's content."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.beside import Beside
from covermaker.audio.files import blocks, probe
from covermaker.audio.loudness import LoudnessMeter
from covermaker.audio.resample import Resampler
from covermaker.audio.truepeak import TruePeakMeter
from covermaker.disk import file_sha256
from covermaker.errors import AudioInputError
from covermaker.features.song.key import SAMPLE_RATE, KeyFinder
from covermaker.features.song.tempo import TempoFinder
from covermaker.graph.memory import recall, remember
from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.audio.buffer import Samples

VERSION = 2
_KIND = "songs"


@dataclass(frozen=True, slots=True)
class SongFacts:
    """Length, level, key and tempo of a song.

    Attributes
    ----------
    seconds : float
        Length.
    sample_rate, channels : int
        Of the file.
    integrated_lufs, true_peak_dbtp : float or None
        ITU-R BS.1770; None for silence and for what is too short.
    key : str or None
        ``"F# minor"``; None where there is none.
    key_confidence : float
        0 to 1, see `key.Key`.
    tempo_bpm : float or None
        None where there is no beat.
    tempo_confidence : float
        0 to 1, see `tempo.Tempo`.
    """

    seconds: float
    sample_rate: int
    channels: int
    integrated_lufs: float | None
    true_peak_dbtp: float | None
    key: str | None
    key_confidence: float
    tempo_bpm: float | None
    tempo_confidence: float

    @property
    def short_key(self) -> str:
        """The key as lists show it: ``"F#m"``; empty where there is none."""
        tonic, _, mode = (self.key or "").partition(" ")
        return tonic + ("m" if mode == "minor" else "")


def song_facts(song: Path, *, progress: Progress = silent) -> SongFacts:
    """Return the facts of a song, measured now unless they are known.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    """
    sha256 = _known_hash(song) or file_sha256(song)
    known = facts_of(sha256)
    if known is None:
        known = measure(song, progress=progress)
        remember(_KIND, sha256, {"version": VERSION, **asdict(known)})
    _remember_hash(song, sha256)
    progress(1.0)
    return known


def known_facts(song: Path) -> SongFacts | None:
    """Return the facts of a song if they are known; reads nothing of the song itself."""
    sha256 = _known_hash(song)
    return facts_of(sha256) if sha256 else None


def facts_of(sha256: str) -> SongFacts | None:
    """Return the facts of the song with this content, if they are known."""
    found = recall(_KIND, sha256)
    if found is None or found.pop("version", None) != VERSION:
        return None
    try:
        return SongFacts(**found)
    except TypeError:
        return None


def measure(song: Path, *, progress: Progress = silent) -> SongFacts:
    """Listen once to the whole song; memory does not grow with its length.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    """
    info = probe(song)
    loudness = LoudnessMeter(info.channels, info.sample_rate)
    peak = TruePeakMeter(info.channels, info.sample_rate)
    resampler = Resampler(info.sample_rate, SAMPLE_RATE, 1)
    key, tempo = KeyFinder(), TempoFinder()

    def listen(mono: Samples) -> None:
        if mono.shape[1]:
            key.push(mono[0])
            tempo.push(mono[0])

    with Beside(peak.push) as beside:
        for block in blocks(song):
            if not np.isfinite(block).all():
                raise AudioInputError(f"'{song}' holds NaN or infinite samples", hint="export the file again")
            beside.push(block)
            loudness.push(block)
            listen(resampler.push(_mean(block)))
            progress(min(1.0, loudness.frames / max(1, info.frames)))
    listen(resampler.finish())
    level = loudness.finish(true_peak=peak.finish())
    found_key, found_tempo = key.finish(), tempo.finish()
    return SongFacts(
        seconds=info.seconds,
        sample_rate=info.sample_rate,
        channels=info.channels,
        integrated_lufs=_finite(level.integrated_lufs),
        true_peak_dbtp=_finite(level.true_peak_dbtp),
        key=found_key.name if found_key else None,
        key_confidence=round(found_key.confidence, 3) if found_key else 0.0,
        tempo_bpm=found_tempo.bpm if found_tempo else None,
        tempo_confidence=round(found_tempo.confidence, 3) if found_tempo else 0.0,
    )


def _mean(block: Samples) -> Samples:
    mean: Samples = block.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
    return mean


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 3)


def _mark(song: Path) -> dict[str, Any] | None:
    try:
        found = os.stat(song)
    except OSError:
        return None
    return {"bytes": found.st_size, "changed_ns": found.st_mtime_ns}


def _known_hash(song: Path) -> str | None:
    """Return the sha256 that the file had when it was last looked at, if it has not changed since."""
    found = recall(_KIND, str(song.absolute()))
    if found is None:
        return None
    sha256 = found.pop("sha256", None)
    return str(sha256) if found == _mark(song) else None


def _remember_hash(song: Path, sha256: str) -> None:
    mark = _mark(song)
    if mark is not None:
        remember(_KIND, str(song.absolute()), {**mark, "sha256": sha256})
