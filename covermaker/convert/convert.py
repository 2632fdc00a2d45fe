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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.audio.overlap import OverlapAdd, plan
from covermaker.audio.resample import Resampler
from covermaker.convert.cleanup import AUDIBLE_DB, MAX_BOOST_DB, level_gain, silence_curve, slow_part
from covermaker.convert.consonants import PROTECT_OFF, ConsonantBlend
from covermaker.convert.curves import FrameCurve
from covermaker.convert.settings import INDEX_RATIO as INDEX_RATIO
from covermaker.convert.settings import ConversionReport as ConversionReport
from covermaker.convert.settings import ConvertSettings as ConvertSettings
from covermaker.convert.transpose import choose_transposition, shift_pitch
from covermaker.convert.tuning import correct_pitch
from covermaker.errors import CovermakerError, ProjectError, UsageError, WeightsError, nearest
from covermaker.features.clock import FRAME_RATE, frame_count
from covermaker.features.content import CONTENT_RATE, content_at
from covermaker.features.loudness import frame_loudness_db
from covermaker.progress import Progress, part, silent
from covermaker.voices.index import ContentIndex
from covermaker.voices.networks.base import phase_curve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.voices.networks.base import Synthesizer
    from covermaker.voices.voice import Voice

VERSION = 4
JOIN_FRAMES = 4  # neighbouring chunks cross-fade over 40 ms; with enough context both sides agree there
MARGIN_SECONDS = 1  # sung beyond both ends of a region: longer than any context and any filter's ringing
_SUNG_SHARE = 0.9  # of the time that singing takes
_BLEND_ROWS = 3000  # a minute of content is drawn towards the voice at a time


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
    transpose: int | Literal["auto", "fit", "off"] = "auto",
    key_semitones: int | None = None,
    seed: int,
    settings: ConvertSettings | None = None,
    device: str = "cpu",
    start_seconds: float = 0.0,
    seconds: float | None = None,
    lead_f0_hz: NDArray[np.floating[Any]] | None = None,
    heard: NDArray[np.floating[Any]] | None = None,
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
    transpose : int, "auto", "fit" or "off"
        Semitones, see `choose_transposition`; `key_semitones` too.
    key_semitones : int, optional
    seed : int
        Of the network's noise.
    settings : ConvertSettings, optional
        Defaults otherwise.
    device : str
        Where the network runs.
    start_seconds, seconds : float
        A region, rounded to samples; by default everything. It is cut at the end of the vocal.
    lead_f0_hz : array, optional
        Of a second voice: the pitch of the first one. The transposition is chosen by it, so that the two stay
        together.
    heard : array, optional
        Of a second voice: 0 to 1 on the feature clock, where it rests.
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
    tuned = correct_pitch(f0_hz, settings.pitch_correction)
    # By the pitch as it was read: who moves the instrumental knows no other.
    melody = f0_hz if lead_f0_hz is None else lead_f0_hz
    move = choose_transposition(transpose, melody, voice.card.f0, key_semitones=key_semitones)
    ratio, notes = _index_ratio(voice, settings)
    speaker = _speaker(voice, settings)
    chunks = 0
    gains = np.zeros(0)
    voiced = np.asarray(f0_hz) > 0
    peak = 0.0
    if span.stop > span.start:
        singer = voice.synthesizer(device)
        _check_singer(singer, voice, content)
        with _beside(out) as sung:
            chunks = _sing(
                singer,
                voice,
                sung,
                span,
                _drawn(content, f0_hz, voice, span, ratio, settings.protect),
                shift_pitch(tuned.f0_hz, move.semitones),
                loudness_db,
                speaker=speaker,
                seed=seed,
                settings=settings,
                progress=part(progress, 0.0, _SUNG_SHARE),
            )
            gains, peak = _clean(
                vocal, sung, out, span, f0_hz, loudness_db,
                settings=settings, heard=heard, progress=part(progress, _SUNG_SHARE, 1.0),
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
        index_ratio=ratio,
        a4_hz=tuned.a4_hz,
        corrected_cents=tuned.median_cents,
        notes=notes,
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


def _speaker(voice: Voice, settings: ConvertSettings) -> int | list[float]:
    """Return who of a voice's singers is heard, as `Synthesizer.render` takes it."""
    known = voice.card.singers
    if not settings.singers:
        return 0
    for name in settings.singers:
        if name not in known:
            raise ProjectError(
                f"convert.singers: the voice '{voice.name}' has no singer '{name}'",
                hint=nearest(name, known) if known else "it was trained on one singer: leave singers out",
            )
    return [settings.singers.get(name, 0.0) for name in known]


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


def _index_ratio(voice: Voice, settings: ConvertSettings) -> tuple[float, tuple[str, ...]]:
    """Return the ratio to use, and what to tell about it."""
    wanted = settings.index_ratio
    if voice.card.index is not None:
        return (INDEX_RATIO if wanted is None else wanted), ()
    if wanted:
        return 0.0, (f"voice '{voice.name}' has no index: index_ratio {wanted:g} has no effect",)
    return 0.0, ()


def _drawn(
    content: NDArray[np.float16],
    f0_hz: NDArray[np.floating[Any]],
    voice: Voice,
    span: _Span,
    ratio: float,
    protect: float,
) -> NDArray[np.float16]:
    """Draw the content that the span needs towards the voice's own; consonants less, as `protect` says."""
    if ratio == 0.0 or voice.card.index is None or not len(content):
        return content
    index = ContentIndex.open(voice.folder / voice.card.index.file, sha256=voice.card.index.sha256)
    frames = FRAME_RATE // CONTENT_RATE  # to each row
    voiced = np.zeros(len(content) * frames, dtype=bool)
    voiced[: len(f0_hz)] = np.asarray(f0_hz[: len(voiced)]) > 0
    share = np.where(voiced.reshape(-1, frames).any(axis=1), 1.0, protect / PROTECT_OFF)
    drawn = content.copy()
    sung_seconds = -(-span.sung_samples // span.sample_rate)
    first = max(0, (span.sung_second - MARGIN_SECONDS) * CONTENT_RATE)
    last = min(len(content), (span.sung_second + sung_seconds + MARGIN_SECONDS) * CONTENT_RATE)
    for start in range(first, last, _BLEND_ROWS):
        rows = slice(start, min(start + _BLEND_ROWS, last))
        drawn[rows] = index.blend(content[rows], ratio * share[rows])
    return drawn


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
    speaker: int | list[float],
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
                speaker=speaker,
                formant_ratio=2.0 ** (settings.formant_semitones / 12.0),
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
    heard: NDArray[np.floating[Any]] | None,
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
    rests = None if heard is None else FrameCurve(heard[here], rate)
    sung_part = (source_db > AUDIBLE_DB) & (np.asarray(f0_hz[here]) > 0)
    louder = np.clip(sung_db + gains_db - source_db, -MAX_BOOST_DB, MAX_BOOST_DB)
    blend = ConsonantBlend(
        f0_hz[here], source_db, slow_part(louder, sung_part), protect=settings.protect, sample_rate=rate
    )

    def blended() -> Iterator[Samples]:
        position = 0
        for raw, original in zip(blocks(sung), blocks(vocal, **source), strict=True):
            level = raw[0] * gain.at(position, raw.shape[1])
            position += raw.shape[1]
            if settings.protect < PROTECT_OFF:
                level = blend.push(level, original.mean(axis=0))
            yield level
            progress(position / span.sung_samples)
        if settings.protect < PROTECT_OFF:
            yield blend.finish()

    position, peak = 0, 0.0  # in what was sung
    first, last = span.start - span.sung_start, span.stop - span.sung_start
    with wav_writer(out, sample_rate=rate, channels=1) as writer:
        for block in blended():
            sound = block * silence.at(position, len(block))
            if rests is not None:
                sound = sound * rests.at(position, len(block))
            kept = sound[max(0, first - position) : max(0, last - position)]
            if len(kept):
                peak = max(peak, float(np.abs(kept).max()))
                writer.write(kept[np.newaxis])
            position += len(block)
    return gains_db[source_db > AUDIBLE_DB], peak
