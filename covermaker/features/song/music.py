"""What there is to know of a song as music: tempo, beats and bars, key, parts; and what a person knows better."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import blocks, probe
from covermaker.audio.resample import Resampler
from covermaker.features.song.beats import Beats, find_beats
from covermaker.features.song.chroma import ChromaFrames
from covermaker.features.song.key import SAMPLE_RATE, KeyFinder
from covermaker.features.song.sections import PHRASE_SECONDS, ROW_SECONDS, Section, find_sections
from covermaker.features.song.tempo import TempoFinder
from covermaker.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from covermaker.audio.buffer import Samples

VERSION = 1
_LISTENED = 0.9  # of the time that finding out takes


@dataclass(frozen=True, slots=True)
class Music:
    """The music of a song.

    Attributes
    ----------
    seconds : float
        Length of the song.
    tempo_bpm : float or None
        Beats a minute; None where there is no beat.
    tempo_confidence : float
        0 to 1, see `tempo.Tempo`; 1 for what a person said.
    beats : tuple of float
        When they fall, in seconds.
    beats_per_bar : int or None
        3 or 4; None where that is not clear.
    first_downbeat : int
        Which of `beats` is the first one of a bar.
    bar_confidence : float
        0 to 1.
    key, relative_key : str or None
        ``"A minor"`` and ``"C major"``: the likeliest, and the one with the same notes.
    key_confidence, relative_confidence : float
        0 to 1: their shares of all 24 keys; 1 for what a person said.
    tuning_cents : float
        How far the song is off A4 = 440 Hz.
    sections : tuple of Section
        Parts of the song.
    """

    seconds: float
    tempo_bpm: float | None = None
    tempo_confidence: float = 0.0
    beats: tuple[float, ...] = ()
    beats_per_bar: int | None = None
    first_downbeat: int = 0
    bar_confidence: float = 0.0
    key: str | None = None
    key_confidence: float = 0.0
    relative_key: str | None = None
    relative_confidence: float = 0.0
    tuning_cents: float = 0.0
    sections: tuple[Section, ...] = ()

    @property
    def downbeats(self) -> tuple[float, ...]:
        """The first beats of the bars, in seconds; none where bars are not clear."""
        return self.beats[self.first_downbeat :: self.beats_per_bar] if self.beats_per_bar else ()

    @property
    def key_words(self) -> str:
        """The key for people: ``"A minor 0.62 / C major 0.31"``; empty where there is none."""
        if self.key is None:
            return ""
        if self.relative_key is None:
            return self.key
        return f"{self.key} {self.key_confidence:.2f} / {self.relative_key} {self.relative_confidence:.2f}"

    def told(self, *, key: str | None = None, sections: Sequence[tuple[str, float]] = ()) -> Music:
        """Return the same with what a person said: a key, and names of parts with where they begin."""
        changed = self
        if key is not None:
            changed = replace(
                changed, key=key, key_confidence=1.0, relative_key=None, relative_confidence=0.0
            )
        if sections:
            rows = sorted(sections, key=lambda row: row[1])
            ends = [*(start for _, start in rows[1:]), max(self.seconds, rows[-1][1])]
            parts = tuple(Section(name, start, end) for (name, start), end in zip(rows, ends, strict=True))
            changed = replace(changed, sections=parts)
        return changed

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def listen(song: Path, *, tempo_bpm: float | None = None, progress: Progress = silent) -> Music:
    """Listen once to the whole song.

    Parameters
    ----------
    song : Path
        Any file that `audio.files` reads.
    tempo_bpm : float, optional
        What a person said; the beats follow it.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    """
    info = probe(song)
    resampler = Resampler(info.sample_rate, SAMPLE_RATE, 1)
    key, tempo, chroma = KeyFinder(), TempoFinder(), ChromaFrames()

    def hear(mono: Samples) -> None:
        for finder in (key, tempo, chroma) if mono.shape[1] else ():
            finder.push(mono[0])

    done = 0
    for block in blocks(song):
        mean = block.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
        hear(resampler.push(mean))
        done += block.shape[1]
        progress(_LISTENED * done / max(1, info.frames))
    hear(resampler.finish())
    found_key, found_tempo, heard = key.finish(), tempo.finish(), tempo.heard
    bpm = tempo_bpm or (found_tempo.bpm if found_tempo else None)
    notes = chroma.finish(found_key.tuning_cents if found_key else 0.0)
    beats = find_beats(heard, notes, bpm, told=bool(tempo_bpm)) if bpm else Beats(np.zeros(0))
    times = tuple(round(float(time), 4) for time in beats.times if time < info.seconds)
    music = Music(
        info.seconds,
        tempo_bpm=bpm,
        tempo_confidence=1.0 if tempo_bpm else round(found_tempo.confidence, 3) if found_tempo else 0.0,
        beats=times,
        beats_per_bar=beats.per_bar,
        first_downbeat=beats.first,
        bar_confidence=round(beats.bar_confidence, 3),
        key=found_key.name if found_key else None,
        key_confidence=round(found_key.confidence, 3) if found_key else 0.0,
        relative_key=found_key.relative if found_key else None,
        relative_confidence=round(found_key.relative_confidence, 3) if found_key else 0.0,
        tuning_cents=round(found_key.tuning_cents, 1) if found_key else 0.0,
    )
    beat_seconds = 60.0 / bpm if bpm else 0.0
    marks, reach = (music.downbeats, 2.0 * beat_seconds) if music.downbeats else (times, beat_seconds / 2)
    sections = find_sections(
        heard.timbre,
        notes,
        info.seconds,
        phrase_seconds=4 * (music.beats_per_bar or 4) * beat_seconds or PHRASE_SECONDS,
        marks=marks,
        reach_seconds=max(reach, ROW_SECONDS),
    )
    progress(1.0)
    return replace(music, sections=sections)


def write_music(music: Music, file: Path) -> None:
    """Write it as JSON."""
    file.write_text(json.dumps(music.as_dict()), encoding="utf-8")


def read_music(file: Path) -> Music:
    """Read what `write_music` wrote."""
    values = json.loads(file.read_text(encoding="utf-8"))
    sections = tuple(Section(**row) for row in values.pop("sections"))
    return Music(**{**values, "beats": tuple(values["beats"]), "sections": sections})
