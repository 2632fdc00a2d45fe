"""What comes before the first step: takes to clips, clips to examples, and what is known of both."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.disk import file_sha256
from covermaker.errors import AudioInputError
from covermaker.features.clock import FRAME_RATE
from covermaker.features.workers import unheard
from covermaker.progress import Progress, part, silent
from covermaker.training import material
from covermaker.training.gather import Making, forget, make_all
from covermaker.training.pitch_range import Sung, taken_range, trained_range

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.takes.document import Takes
    from covermaker.training.dataset import Dataset, Example
    from covermaker.training.material import Piece, Source
    from covermaker.training.pitch_range import PitchRange
    from covermaker.training.profiles import Profile

_HEARD_SECONDS = 120.0  # of takes, for their usual pitch …
_HEARD_SECONDS_EACH = 15.0  # … and of one clip at most
_FEATURES_SHARE = 0.33  # of a wall-clock budget
_LEAST_MADE_MINUTES = 3.0
_TOLD = ("silent", "no voice", "other singer", "two singers", "clipped", "inverted", "noisy")


@dataclass(frozen=True)
class Prepared:
    """Everything that training needs to know of the takes."""

    takes: Takes
    sources: list[Source]
    sample_rate: int
    pitch_hz: list[NDArray[np.float64]]  # of every singer: a sample of the takes' voiced pitch
    singers: list[str]

    @property
    def medians_hz(self) -> tuple[float, ...]:
        """Every singer's usual pitch, to the semitone: a take more or less should not make every example anew."""
        semitones = [round(12.0 * float(np.log2(np.median(pitch_hz) / 440.0))) for pitch_hz in self.pitch_hz]
        return tuple(round(float(440.0 * 2.0 ** (semitone / 12.0)), 2) for semitone in semitones)


def prepare(
    folder: Path,
    takes: Takes,
    work: Path,
    *,
    progress: Progress = silent,
    note: Callable[[str], None] = unheard,
) -> Prepared:
    """Cut the takes into clips and find out what they are: rate, usual pitch, whose they are.

    Raises
    ------
    AudioInputError
        When a singer's takes hold no clip, or no pitch.
    """
    from covermaker.takes.clips import prepare_clips

    place = work / "clips"
    clips = prepare_clips(folder, place, progress=part(progress, 0.0, 0.9), note=note)
    current = {clip.path.name for clip in clips}
    for file in place.glob("*.wav"):
        if file.name not in current:
            file.unlink()
    singer_of = {row.file: row.singer or takes.name for row in takes.used}
    singers = sorted(set(singer_of.values()))
    _refuse_absent(singers, {singer_of[clip.take] for clip in clips}, "no clip: nobody sings in them")
    sources = [
        material.Source(clip.path, file_sha256(clip.path), clip.seconds, singers.index(singer_of[clip.take]))
        for clip in clips
    ]
    rate = material.voice_rate([clip.band_limit_hz for clip in clips], [clip.seconds for clip in clips])
    pitch_hz = [
        _pitch_hz([source for source in sources if source.speaker == speaker], singer)
        for speaker, singer in enumerate(singers)
    ]
    progress(1.0)
    return Prepared(takes, sources, rate, pitch_hz, singers)


def check_singers(dataset: Dataset, singers: Sequence[str]) -> None:
    """Refuse to train a singer on nothing.

    Raises
    ------
    AudioInputError
        When none of a singer's examples is long enough.
    """
    present = {singers[example.speaker] for example in dataset.examples}
    seconds = dataset.clip_frames / FRAME_RATE
    _refuse_absent(singers, present, f"nothing as long as the {seconds:g} s that a step reads")


def _refuse_absent(singers: Sequence[str], present: Collection[str], what: str) -> None:
    absent = [singer for singer in singers if singer not in present]
    if absent:
        raise AudioInputError(
            f"the takes of '{absent[0]}' hold {what}",
            hint="record more of them, or leave their takes out: covermaker voices skip",
        )


def doubts(folder: Path, *, progress: Progress = silent) -> list[str]:
    """Return what speaks against the takes that are used, a sentence each; none of it stops a training."""
    from covermaker.takes.scan import scan

    found = scan(folder, bleed=False, progress=progress)
    return [
        f"{take.take}: {finding.text}; {finding.advice}"
        for take in found.takes
        if take.used
        for finding in take.findings
        if finding.word in _TOLD
    ]


def _pitch_hz(sources: Sequence[Source], singer: str) -> NDArray[np.float64]:
    """Return the voiced pitch of about two minutes of a singer's clips, drawn by their content."""
    from covermaker.training.augment import Voice

    voiced: list[NDArray[np.float64]] = []
    left = _HEARD_SECONDS
    for source in sorted(sources, key=lambda one: (one.sha256, one.path.name)):
        if left <= 0:
            break
        seconds = min(source.seconds, _HEARD_SECONDS_EACH)
        f0_hz = Voice.pitch_of(
            material.read_cut(source.path, material.HEARD_RATE, 0.0, seconds), material.HEARD_RATE
        )
        voiced.append(f0_hz[f0_hz > 0])
        left -= seconds
    found = np.concatenate(voiced)
    if not len(found):
        raise AudioInputError(
            f"the takes of '{singer}' hold no pitch: nobody sings in them", hint="covermaker voices scan"
        )
    return found


def make_examples(
    sources: Sequence[Source],
    profile: Profile,
    making: Making,
    place: Path,
    *,
    decided_minutes: float | None,
    spent_seconds: float,
    workers: int,
    progress: Progress = silent,
    note: Callable[[str], None] = unheard,
) -> tuple[list[Piece], float]:
    """Make the examples that a profile wants; `gather.read_all` reads them.

    Parameters
    ----------
    sources : sequence of Source
        The clips to train on.
    profile : Profile
    making : Making
    place : Path
        Where examples are kept; those that are no longer wanted go.
    decided_minutes : float, optional
        How much was made when this run began. Without it, and with a wall-clock budget, the time that the plain
        examples take says how much more there is time for.
    spent_seconds : float
        Of the budget, so far.
    workers : int
        Processes.
    note : callable
        See `in_processes`.

    Returns
    -------
    list of Piece, float
        What was made, and how many minutes of it beside the plain ones.
    """

    def planned(made_minutes: float) -> list[Piece]:
        return material.plan(sources, profile.augmentation, seed=making.seed, made_minutes=made_minutes)

    made_minutes = profile.augmentation.made_minutes if decided_minutes is None else decided_minutes
    if profile.minutes is not None and decided_minutes is None:
        began = time.monotonic()
        plain = planned(0.0)
        make_all(plain, making, place, workers=workers, progress=part(progress, 0.0, 0.5), note=note)
        seconds = time.monotonic() - began
        left = _FEATURES_SHARE * 60.0 * profile.minutes - spent_seconds - seconds
        a_minute = seconds / max(0.1, sum(piece.seconds for piece in plain) / 60.0)
        possible = float(np.floor(left / max(a_minute, 1e-3)))
        made_minutes = min(made_minutes, max(_LEAST_MADE_MINUTES, possible))
    pieces = planned(made_minutes)
    make_all(pieces, making, place, workers=workers, progress=part(progress, 0.5, 1.0), note=note)
    forget(place, making.keys(pieces))
    return pieces, made_minutes


def pitch_ranges(
    pieces: Sequence[Piece], examples: Sequence[Example], profile: Profile, ready: Prepared
) -> tuple[PitchRange, PitchRange]:
    """Return the range of the takes as they are, and that which the profile makes of it."""
    singers = []
    for speaker, (sample_hz, median_hz) in enumerate(zip(ready.pitch_hz, ready.medians_hz, strict=True)):
        plain = [
            index
            for index, piece in enumerate(pieces)
            if piece.kind == "plain" and piece.source.speaker == speaker
        ]
        # A profile may leave plain takes out altogether.
        curves = [examples[index].f0_hz for index in plain if examples[index].f0_hz.any()]
        curves = curves or [sample_hz.astype(np.float32)]
        singers.append(Sung(curves, sum(pieces[index].seconds for index in plain), median_hz))
    return taken_range(singers), trained_range(singers, profile.augmentation)
