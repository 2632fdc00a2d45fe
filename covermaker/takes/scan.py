"""What a person should know of the takes before training: figures, and words where something is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.errors import WeightsError
from covermaker.features.clock import FRAME_RATE
from covermaker.progress import part, silent
from covermaker.takes.analysis import Analysis, analyse, cuts_of
from covermaker.takes.bleed import bleed_db
from covermaker.takes.cache import cache_folder
from covermaker.takes.create import too_little
from covermaker.takes.document import TakeRow, Takes, read_takes, recorded_bytes, take_path
from covermaker.takes.pool import each
from covermaker.takes.report import keep_report
from covermaker.takes.singers import likeness, singer_pieces
from covermaker.takes.slicer import active_frames, levels
from covermaker.takes.verdicts import Finding, judge
from covermaker.takes.working import forget_copies, working_copy
from covermaker.units import hz_to_midi

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.progress import Progress


_WORTH_HEARING_SECONDS = 300.0


@dataclass(frozen=True)
class TakeReport:
    """Figures of one take; None where a figure cannot be had.

    Parameters
    ----------
    take : str
        File name in ``takes/``.
    used : bool
        Whether it goes into training.
    seconds, sample_rate, channels
        Of the recording.
    lufs, true_peak_dbtp : float or None
        Of the recording; None when silent or too short.
    clipped_runs, clipped_samples : int
        Flat tops at full scale.
    noise_floor_dbfs, snr_db : float or None
        Of the pauses, and the voice over it; None when the voice never pauses.
    silence_share : float
        0..1 of the take's time without sound of the singer.
    f0_low_hz, f0_median_hz, f0_high_hz : float or None
        5th, 50th and 95th percentile of the pitch.
    f0_histogram : list of (int, float)
        MIDI note and seconds on it.
    band_limit_hz : float
        Above this there is nothing.
    bleed_db : float or None
        Music under (negative) or over the voice; None when it was not looked for.
    channel_correlation : float or None
        Of left and right, -1..1.
    likeness : float or None
        To the singer of most takes, 0..1.
    other_share : float
        0..1 of the sung time that somebody else seems to sing.
    cuts : list of (float, float)
        Clips, in seconds.
    labelled : bool
        Whether a label track gave the cuts.
    changed : bool
        Whether the recording is another one than was taken in.
    findings : list of Finding
        What is wrong, the worst first.
    """

    take: str
    used: bool
    seconds: float
    sample_rate: int
    channels: int
    lufs: float | None
    true_peak_dbtp: float | None
    clipped_runs: int
    clipped_samples: int
    noise_floor_dbfs: float | None
    snr_db: float | None
    silence_share: float
    f0_low_hz: float | None
    f0_median_hz: float | None
    f0_high_hz: float | None
    f0_histogram: list[tuple[int, float]]
    band_limit_hz: float
    bleed_db: float | None
    channel_correlation: float | None
    likeness: float | None
    other_share: float
    cuts: list[tuple[float, float]]
    labelled: bool
    changed: bool
    findings: list[Finding] = field(default_factory=list)

    @property
    def voice_seconds(self) -> float:
        """Seconds of clips."""
        return sum(end - start for start, end in self.cuts)

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if not self.findings:
            return "ok"
        more = f" +{len(self.findings) - 1}" if len(self.findings) > 1 else ""
        return self.findings[0].word + more


@dataclass(frozen=True)
class ScanReport:
    """Of all takes of a voice; `notes` are sentences about the whole."""

    name: str
    takes: list[TakeReport]
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        rows = []
        for take in self.takes:
            row = asdict(take)
            row.update(verdict=take.verdict, voice_seconds=take.voice_seconds)
            rows.append(row)
        return {"name": self.name, "notes": self.notes, "takes": rows}


@dataclass(frozen=True)
class _Measured:
    known: Analysis
    cuts: list[tuple[int, int]]
    labelled: bool
    singer_rows: NDArray[np.float32]
    singer_seconds: NDArray[np.float64]
    bleed_db: float | None
    problems: tuple[str, ...]


def scan(folder: Path, *, bleed: bool = True, progress: Progress = silent) -> ScanReport:
    """Measure and judge the takes of a voice folder, several at once where there are cores.

    What was measured is kept by content: a second scan costs next to nothing.

    Parameters
    ----------
    folder : Path
        With a ``takes.toml``.
    bleed : bool
        Also look for music beside the voice, which separates up to 12 s of each take.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    ProjectError
        When ``takes.toml`` or a label track is missing or refused.
    AudioInputError
        When a take is missing or cannot be read.
    """
    takes = read_takes(folder)
    measured = _measure_all(folder, takes, bleed, progress)
    forget_copies(cache_folder(folder), {found.known.key for found in measured})
    like, other = _compare([row.singer for row in takes.takes], measured)
    reports = [
        _report(row, found, like[index], other[index])
        for index, (row, found) in enumerate(zip(takes.takes, measured, strict=True))
    ]
    problems = dict.fromkeys(problem for found in measured for problem in found.problems)
    report = ScanReport(takes.name, reports, [*problems, *_notes(reports)])
    keep_report(folder, takes, report)
    progress(1.0)
    return report


def _measure_all(folder: Path, takes: Takes, bleed: bool, progress: Progress) -> list[_Measured]:
    arguments = [(folder, takes, row, bleed) for row in takes.takes]
    return each(_measure, arguments, size_bytes=recorded_bytes(folder, takes), progress=progress)


def _measure(folder: Path, takes: Takes, row: TakeRow, bleed: bool, progress: Progress = silent) -> _Measured:
    known = analyse(folder, takes, row, progress=part(progress, 0.0, 0.6))
    cuts, labelled = cuts_of(folder, takes, row, known)
    cache = cache_folder(folder)
    rows, seconds, music = np.zeros((0, 256), np.float32), np.zeros(0), None
    problems: list[str] = []
    if cuts:
        with working_copy(take_path(folder, row), takes.cleaning, cache) as mono:
            try:
                rows, seconds = singer_pieces(mono, cuts, known.sample_rate, cache, known.key)
            except WeightsError as error:
                problems.append(f"who sings was not compared: {error}")
            progress(0.8)
            try:
                music = bleed_db(mono, cuts, known.sample_rate, cache, known.key) if bleed else None
            except WeightsError as error:
                problems.append(f"music was not looked for: {error}")
    progress(1.0)
    return _Measured(known, cuts, labelled, rows, seconds, music, tuple(problems))


def _compare(singers: list[str], measured: list[_Measured]) -> tuple[list[float | None], list[float]]:
    """Return each take's likeness to the singer of most, and the share of it that is somebody else's.

    Takes that name different singers are not held against each other.
    """
    likes: list[float | None] = [None] * len(measured)
    others = [0.0] * len(measured)
    for singer in set(singers):
        own = [index for index, name in enumerate(singers) if name == singer]
        for index, like, other in zip(own, *_compare_all([measured[i] for i in own]), strict=True):
            likes[index], others[index] = like, other
    return likes, others


def _compare_all(measured: list[_Measured]) -> tuple[list[float | None], list[float]]:
    from covermaker.takes.singers import SAME_SINGER

    rows = np.concatenate([found.singer_rows for found in measured])
    seconds = np.concatenate([found.singer_seconds for found in measured])
    if len(rows) < 2:
        return [None] * len(measured), [0.0] * len(measured)
    every = likeness(rows, seconds)
    likes: list[float | None] = []
    others: list[float] = []
    at = 0
    for found in measured:
        count = len(found.singer_rows)
        own, weight = every[at : at + count], seconds[at : at + count]
        at += count
        likes.append(float(own @ weight / weight.sum()) if count else None)
        others.append(float(weight[own < SAME_SINGER].sum() / weight.sum()) if count else 0.0)
    return likes, others


def _report(row: TakeRow, found: _Measured, like: float | None, other: float) -> TakeReport:
    known = found.known
    heard = levels(known.level_db, known.f0_hz)
    active = active_frames(known.level_db, known.f0_hz)
    voiced = known.f0_hz[(known.f0_hz > 0) & active]
    low, median, high = np.percentile(voiced, [5, 50, 95]) if len(voiced) else (None, None, None)
    report = TakeReport(
        take=row.file,
        used=row.use,
        seconds=known.seconds,
        sample_rate=known.sample_rate,
        channels=known.channels,
        lufs=_finite(known.lufs),
        true_peak_dbtp=_finite(known.true_peak_dbtp),
        clipped_runs=known.facts.clipped_runs,
        clipped_samples=known.facts.clipped_samples,
        noise_floor_dbfs=heard.noise_floor_db,
        snr_db=heard.snr_db,
        silence_share=float(1.0 - active.mean()),
        f0_low_hz=_finite(low),
        f0_median_hz=_finite(median),
        f0_high_hz=_finite(high),
        f0_histogram=_histogram(voiced),
        band_limit_hz=known.band_hz,
        bleed_db=found.bleed_db,
        channel_correlation=known.facts.correlation,
        likeness=like,
        other_share=other,
        cuts=[(start / known.sample_rate, end / known.sample_rate) for start, end in found.cuts],
        labelled=found.labelled,
        changed=known.sha256 != row.sha256,
    )
    report.findings.extend(judge(report))
    return report


def _histogram(voiced_hz: NDArray[np.float32]) -> list[tuple[int, float]]:
    notes = np.array([round(hz_to_midi(float(hz))) for hz in voiced_hz], np.int64)
    found, counts = np.unique(notes, return_counts=True)
    return [(int(note), float(count) / FRAME_RATE) for note, count in zip(found, counts, strict=True)]


def _notes(reports: list[TakeReport]) -> list[str]:
    used = [report for report in reports if report.used]
    voice = sum(report.voice_seconds for report in used)
    notes = []
    if (short := too_little(voice)) is not None:
        notes.append("{}; {}".format(*short))
    elif voice < _WORTH_HEARING_SECONDS:
        notes.append(f"{voice / 60:.1f} minutes of voice: it will train, but 5 to 20 minutes sound better")
    bands = {round(report.band_limit_hz / 1000) for report in used if report.cuts}
    if len(bands) > 1 and max(bands) > 1.3 * min(bands):
        notes.append(
            f"the takes' bands end between {min(bands)} and {max(bands)} kHz: the dull ones make the voice dull"
        )
    return notes


def _finite(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
