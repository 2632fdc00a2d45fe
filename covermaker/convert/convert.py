"""The converted vocal: chunks of frames are sung, joined, resampled and cleaned, file to file.

Time. Frame i of every feature is centred at i/100 s, and a network's sample j after frame i sounds at
``i/100 + j/rate`` seconds. So the sung signal starts at the song's sample 0 and needs no shift: its controls move in
straight lines between frame centres, which is why envelopes lag by 0 and not by half a frame. soxr's delay is taken
off by soxr itself. Frame i begins at sample ``i * hop`` of the voice's rate, in integers, so nothing can drift.

A region starts to be sung at a whole second at least one second early: there the clocks of every pair of rates
meet, so the region's samples lie on the whole song's grid and equal the same samples of a whole conversion.

Two passes: the first sings into a file beside the output, of which only levels are known when it ends; the second
cleans (`convert.cleanup`) and writes. Memory holds one chunk and the feature curves.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.audio.overlap import OverlapAdd, plan
from covermaker.audio.resample import Resampler
from covermaker.convert.cleanup import (
    AUDIBLE_DB,
    PROTECT_OFF,
    ConsonantBlend,
    FrameCurve,
    level_gain,
    silence_curve,
)
from covermaker.convert.transpose import choose_transposition, shift_pitch
from covermaker.errors import CovermakerError, ProjectError, UsageError, WeightsError
from covermaker.features.clock import FRAME_RATE, frame_count
from covermaker.features.content import content_at
from covermaker.features.loudness import frame_loudness_db
from covermaker.progress import Progress, part, silent
from covermaker.voices.networks.base import phase_curve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.voices.networks.base import Synthesizer
    from covermaker.voices.voice import Voice

VERSION = 1
JOIN_FRAMES = 4  # neighbouring chunks cross-fade over 40 ms; with enough context both sides agree there
MARGIN_SECONDS = 1  # sung beyond both ends of a region: longer than any context and any filter's ringing
_SUNG_SHARE = 0.9  # of the time that singing takes


@dataclass(frozen=True, slots=True)
class ConvertSettings:
    """What a person may set; the names are those of ``[convert]``.

    Parameters
    ----------
    protect : float
        0..0.5: how far consonants and breaths are left to the voice. 0.5 leaves them all, 0 takes their high
        band from the source.
    loudness_mix : float
        0..1: 0 follows the source's loudness exactly; 1 keeps the network's level over a second and takes only
        quick changes from the source.
    chunk_seconds : float
        Sung at a time; changes memory and speed, not the sound.

    Raises
    ------
    ProjectError
        When a value is out of its range.
    """

    protect: float = 0.33
    loudness_mix: float = 1.0
    chunk_seconds: float = 10.0

    def __post_init__(self) -> None:
        for name, low, high in (("protect", 0.0, PROTECT_OFF), ("loudness_mix", 0.0, 1.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ProjectError(f"convert.{name} must lie in {low:g}..{high:g}, not {value:g}")
        if not 1.0 <= self.chunk_seconds <= 120.0:
            raise ProjectError(f"chunk_seconds must lie in 1..120, not {self.chunk_seconds:g}")


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """What a conversion did.

    Parameters
    ----------
    semitones, why, range_share
        The transposition, see `Transposition`.
    chunks : int
        How many were sung.
    voiced_share : float
        Share of the frames with a pitch, 0..1.
    seconds : float
        Length of the output.
    voice_sample_rate, sample_rate : int
        Of the network and of the files, in Hz.
    peak : float
        Highest absolute sample of the output.
    gain_db_low, gain_db_median, gain_db_high : float
        5th percentile, median and 95th percentile of the level correction over audible frames, in dB.
    """

    semitones: int
    why: str
    range_share: float
    chunks: int
    voiced_share: float
    seconds: float
    voice_sample_rate: int
    sample_rate: int
    peak: float
    gain_db_low: float
    gain_db_median: float
    gain_db_high: float

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Span:
    """Which samples of the song come out, and which seconds are sung for them (both at the file's rate)."""

    start: int
    stop: int
    sung_second: int
    sung_samples: int
    sample_rate: int

    @property
    def first_frame(self) -> int:
        return self.sung_second * FRAME_RATE

    @property
    def sung_start(self) -> int:
        return self.sung_second * self.sample_rate


def convert_vocal(
    vocal: Path,
    out: Path,
    *,
    content: NDArray[np.float16],
    f0_hz: NDArray[np.floating[Any]],
    loudness_db: NDArray[np.floating[Any]],
    voice: Voice,
    transpose: int | Literal["auto", "off"] = "auto",
    seed: int,
    settings: ConvertSettings | None = None,
    device: str = "cpu",
    start_seconds: float = 0.0,
    seconds: float | None = None,
    progress: Progress = silent,
) -> ConversionReport:
    """Sing a vocal with another voice.

    Parameters
    ----------
    vocal : Path
        The separated vocal, any number of channels.
    out : Path
        Written: mono float32 WAV at the vocal's rate, of exactly its length (or the region's).
    content, f0_hz, loudness_db : arrays
        Features of the *whole* vocal on the feature clock (content at 50 rows a second, see `content_at`).
    voice : Voice
        Who sings.
    transpose : int, "auto" or "off"
        Semitones, see `choose_transposition`.
    seed : int
        Of the network's noise.
    settings : ConvertSettings, optional
        Defaults otherwise.
    device : str
        Where the network runs.
    start_seconds, seconds : float
        A region, rounded to samples; by default everything. It is cut at the end of the vocal.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    ProjectError
        When the transposition is out of range.
    UsageError
        When the vocal has no such region.
    WeightsError
        When the voice's weights are missing, damaged or sing no finite sound.
    AudioInputError
        When the vocal cannot be read.
    """
    settings = settings or ConvertSettings()
    info = probe(vocal)
    _check_features(content, f0_hz, loudness_db, frame_count(info.frames, info.sample_rate))
    span = _span(info.frames, info.sample_rate, start_seconds, seconds)
    move = choose_transposition(transpose, f0_hz, voice.card.f0)
    chunks = 0
    gains = np.zeros(0)
    voiced = np.asarray(f0_hz) > 0
    peak = 0.0
    if span.stop > span.start:
        singer = voice.synthesizer(device)
        _check_singer(singer, voice, content)
        with _beside(out) as sung:
            chunks = _sing(
                singer, voice, sung, span, content, shift_pitch(f0_hz, move.semitones), loudness_db,
                seed=seed, settings=settings, progress=part(progress, 0.0, _SUNG_SHARE),
            )  # fmt: skip
            gains, peak = _clean(
                vocal, sung, out, span, f0_hz, loudness_db,
                settings=settings, progress=part(progress, _SUNG_SHARE, 1.0),
            )  # fmt: skip
    else:
        with wav_writer(out, sample_rate=info.sample_rate, channels=1):
            pass
    progress(1.0)
    low, middle, high = np.percentile(gains, (5, 50, 95)) if len(gains) else (0.0, 0.0, 0.0)
    return ConversionReport(
        semitones=move.semitones,
        why=move.why,
        range_share=move.range_share,
        chunks=chunks,
        voiced_share=float(voiced.mean()),
        seconds=(span.stop - span.start) / info.sample_rate,
        voice_sample_rate=voice.card.sample_rate,
        sample_rate=info.sample_rate,
        peak=peak,
        gain_db_low=float(low),
        gain_db_median=float(middle),
        gain_db_high=float(high),
    )


def _check_features(
    content: NDArray[np.float16],
    f0_hz: NDArray[np.floating[Any]],
    loudness_db: NDArray[np.floating[Any]],
    frames: int,
) -> None:
    if len(f0_hz) != frames or len(loudness_db) != frames or content.ndim != 2:
        raise CovermakerError(
            f"the vocal has {frames} frames, its pitch {len(f0_hz)}, its loudness {len(loudness_db)}, "
            f"its content has shape {content.shape}"
        )


def _check_singer(singer: Synthesizer, voice: Voice, content: NDArray[np.float16]) -> None:
    if singer.sample_rate != voice.card.sample_rate:
        raise WeightsError(
            f"the network of voice '{voice.name}' sings at {singer.sample_rate} Hz, "
            f"its card says {voice.card.sample_rate} Hz"
        )
    if singer.content_dim != content.shape[1]:
        raise WeightsError(
            f"voice '{voice.name}' was trained on content of width {singer.content_dim} "
            f"({voice.card.content.encoder}), this content has width {content.shape[1]}"
        )


def _span(frames: int, sample_rate: int, start_seconds: float, seconds: float | None) -> _Span:
    start = round(start_seconds * sample_rate)
    stop = frames if seconds is None else min(frames, start + round(seconds * sample_rate))
    if start < 0 or (start >= frames and frames) or (seconds is not None and seconds <= 0):
        raise UsageError(
            f"no such region: {start_seconds:g} s, {'to the end' if seconds is None else f'{seconds:g} s long'}",
            hint=f"the vocal is {frames / sample_rate:.2f} s long",
        )
    sung_second = max(0, start // sample_rate - MARGIN_SECONDS)
    sung_stop = min(frames, stop + MARGIN_SECONDS * sample_rate)
    return _Span(start, stop, sung_second, sung_stop - sung_second * sample_rate, sample_rate)


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """Give the path of the first pass's file and delete it afterwards, whatever happened."""
    path = out.with_name(out.name + ".sung.wav")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _sing(
    singer: Synthesizer,
    voice: Voice,
    sung: Path,
    span: _Span,
    content: NDArray[np.float16],
    f0_hz: NDArray[np.float64],
    loudness_db: NDArray[np.floating[Any]],
    *,
    seed: int,
    settings: ConvertSettings,
    progress: Progress,
) -> int:
    """Sing the span into a file at the song's rate; return the number of chunks."""
    hop = singer.hop_samples
    phase = phase_curve(f0_hz)
    first = span.first_frame
    last = min(len(f0_hz), first + frame_count(span.sung_samples, span.sample_rate))
    join, chunks = OverlapAdd(), 0

    def parts() -> Iterator[Samples]:
        nonlocal chunks
        total = (last - first) * hop
        frames = round(settings.chunk_seconds * FRAME_RATE)
        for chunk in plan(total, chunk=frames * hop, overlap=JOIN_FRAMES * hop):
            start, stop = first + chunk.start // hop, first + chunk.stop // hop
            begin, end = max(0, start - singer.context_frames), min(len(f0_hz), stop + singer.context_frames)
            block = singer.render(
                content_at(content, begin, end - begin),
                f0_hz[begin:end],
                np.asarray(loudness_db[begin:end]),
                phase_cycles=phase[begin:end],
                first_frame=begin,
                seed=seed,
            )[(start - begin) * hop : (stop - begin) * hop]
            if not np.isfinite(block).all():
                raise WeightsError(
                    f"voice '{voice.name}' sings no finite sound at {start / FRAME_RATE:.2f} s",
                    hint="its weights are damaged or badly trained",
                )
            chunks += 1
            yield join.push(chunk, block, next_overlap=JOIN_FRAMES * hop)
            progress(chunk.stop / total)

    def resampled() -> Iterator[Samples]:
        resampler = Resampler(singer.sample_rate, span.sample_rate, 1)
        for sound in parts():
            yield resampler.push(sound[np.newaxis])
        yield resampler.finish()

    left = span.sung_samples
    with wav_writer(sung, sample_rate=span.sample_rate, channels=1) as writer:
        # The last frame reaches past the last sample, so there is always enough to take.
        for block in resampled():
            writer.write(block[:, :left])
            left -= min(left, block.shape[1])
    return chunks


def _clean(
    vocal: Path,
    sung: Path,
    out: Path,
    span: _Span,
    f0_hz: NDArray[np.floating[Any]],
    loudness_db: NDArray[np.floating[Any]],
    *,
    settings: ConvertSettings,
    progress: Progress,
) -> tuple[NDArray[np.float64], float]:
    """Clean what was sung and write the region; return the audible frames' gains in dB and the peak."""
    rate = span.sample_rate
    sung_db = frame_loudness_db(sung)
    here = slice(span.first_frame, span.first_frame + len(sung_db))
    source_db = np.asarray(loudness_db[here])
    gains_db = level_gain(source_db, sung_db, loudness_mix=settings.loudness_mix)
    gain = FrameCurve(10.0 ** (gains_db / 20.0), rate)
    source = {"start": span.sung_start, "frames": span.sung_samples}
    silence = silence_curve(blocks(vocal, block_frames=rate, **source), rate)
    blend = ConsonantBlend(f0_hz[here], source_db, protect=settings.protect, sample_rate=rate)

    position, peak = span.sung_start, 0.0
    pairs = zip(blocks(sung), blocks(vocal, **source), strict=True)
    with wav_writer(out, sample_rate=rate, channels=1) as writer:
        for raw, original in pairs:
            at, count = position - span.sung_start, raw.shape[1]
            block = raw[0] * gain.at(at, count)
            if settings.protect < PROTECT_OFF:
                block = blend.apply(block, original.mean(axis=0), at)
            block *= silence.at(at, count)
            kept = block[max(0, span.start - position) : max(0, span.stop - position)]
            if len(kept):
                peak = max(peak, float(np.abs(kept).max()))
                writer.write(kept[np.newaxis])
            position += count
            progress(at / span.sung_samples)
    return gains_db[source_db > AUDIBLE_DB], peak
