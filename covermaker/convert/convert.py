"""The converted vocal, file to file: what a network is told, what it sings, and what is done to it afterwards.

Time. Frame i of every feature is centred at i/100 s, and a network's sample j after frame i sounds at
``i/100 + j/rate`` seconds. So the sung signal starts at the song's sample 0 and needs no shift: its controls move in
straight lines between frame centres, which is why envelopes lag by 0 and not by half a frame. soxr's delay is taken
off by soxr itself. Frame i begins at sample ``i * hop`` of the voice's rate, in integers, so nothing can drift.

Two passes: the first (`singing`) sings into a file beside the output, of which only levels are known when it ends; the
second (`cleaning`) cleans and writes. Memory holds one chunk and the feature curves. Who sings how: `manners`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from covermaker.audio.files import probe, wav_writer
from covermaker.convert.auto_pitch import invented_pitch
from covermaker.convert.cleaning import clean
from covermaker.convert.levels import Pair
from covermaker.convert.manners import (
    NO_MELODY,
    WHO_HAS_MELODIES,
    Manner,
    makes_up_pitch,
    manner_of,
    told_loudness,
    unheard,
)
from covermaker.convert.settings import ConversionReport as ConversionReport
from covermaker.convert.settings import ConvertSettings as ConvertSettings
from covermaker.convert.singing import Score, sing
from covermaker.convert.span import span_of
from covermaker.convert.told import Source
from covermaker.convert.transpose import Transposition, choose_transposition, shift_pitch
from covermaker.convert.tuning import correct_pitch
from covermaker.errors import CovermakerError, ProjectError, WeightsError, nearest
from covermaker.features.clock import frame_count
from covermaker.progress import Progress, part, silent
from covermaker.voices.card import range_assumed
from covermaker.voices.retrieval import open_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.convert.span import Span
    from covermaker.voices.networks.base import Synthesizer
    from covermaker.voices.retrieval import Retrieval
    from covermaker.voices.voice import Voice

VERSION = 4
_SUNG_SHARE = 0.9  # of the time that singing takes


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
    manner = manner_of(voice.card)
    info = probe(vocal)
    _check_features(content, f0_hz, loudness_db, frame_count(info.frames, info.sample_rate))
    span = span_of(
        info.frames, info.sample_rate, start_seconds, seconds, margin_seconds=manner.margin(settings)
    )
    tuned = correct_pitch(f0_hz, settings.pitch_correction)
    # By the pitch as it was read: who moves the instrumental knows no other.
    melody = f0_hz if lead_f0_hz is None else lead_f0_hz
    move = _transposition(transpose, melody, voice, settings, key_semitones)
    speaker = _speaker(voice, settings)
    index, ratio = _index(voice, settings)
    chunks = 0
    gains_db = np.zeros(0)
    voiced = np.asarray(f0_hz) > 0
    peak = 0.0
    if span.stop > span.start:
        singer = voice.synthesizer(device)
        _check_singer(singer, voice, content)
        mostly = speaker if isinstance(speaker, int) else int(np.argmax(speaker))
        source = Source(content, f0_hz, index, ratio, settings.protect, mostly)
        shifted_hz = shift_pitch(tuned.f0_hz, move.semitones)
        loudness = told_loudness(vocal, loudness_db, voice.card)
        score = _score(singer, manner, source, span, shifted_hz, loudness, speaker, seed, settings)
        with _beside(out) as sung:
            chunks = sing(
                singer, score, sung, span,
                name=voice.name,
                chunk_seconds=settings.chunk_seconds,
                grid=manner.grid,
                progress=part(progress, 0.0, _SUNG_SHARE),
            )  # fmt: skip
            pair = Pair(vocal, sung, span, f0_hz, loudness_db, settings)
            correction = manner.correct(pair)
            gains_db = correction.gains_db
            peak = clean(pair, out, correction, heard=heard, progress=part(progress, _SUNG_SHARE, 1.0))
    else:
        with wav_writer(out, sample_rate=info.sample_rate, channels=1):
            pass
    progress(1.0)
    low, middle, high = np.percentile(gains_db, (5, 50, 95)) if len(gains_db) else (0.0, 0.0, 0.0)
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
        notes=tuple(unheard(voice.card, voice.name, settings).values()),
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
        return voice.card.first_singer
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


def _transposition(
    wanted: int | Literal["auto", "fit", "off"],
    melody_hz: NDArray[np.floating[Any]],
    voice: Voice,
    settings: ConvertSettings,
    key_semitones: int | None,
) -> Transposition:
    card = voice.card
    if not settings.auto_pitch:
        return choose_transposition(
            wanted, melody_hz, card.f0, key_semitones=key_semitones, assumed=range_assumed(card)
        )
    if not makes_up_pitch(card):
        raise ProjectError(f"convert.auto_pitch {NO_MELODY}", hint=WHO_HAS_MELODIES)
    stays = choose_transposition("off", melody_hz, card.f0)
    return replace(stays, why="the voice makes up the melody itself")


def _index(voice: Voice, settings: ConvertSettings) -> tuple[Retrieval | None, float]:
    """Return the index where it is used, and the ratio."""
    wanted, part = settings.index_ratio, voice.card.index
    if part is None or wanted == 0.0:
        return None, 0.0
    index = open_index(voice.folder / part.file, sha256=part.sha256)
    ratio = index.DEFAULT_RATIO if wanted is None else wanted
    return (index if ratio else None), ratio


def _score(
    singer: Synthesizer,
    manner: Manner,
    source: Source,
    span: Span,
    f0_hz: NDArray[np.float64],
    loudness_db: NDArray[np.floating[Any]],
    speaker: int | list[float],
    seed: int,
    settings: ConvertSettings,
) -> Score:
    content = manner.content(source, span, singer)
    pitch = (
        invented_pitch(singer, content, f0_hz, loudness_db, speaker)
        if settings.auto_pitch
        else singer.pitch(f0_hz)
    )
    moved = 0.0 if "formant_semitones" in manner.without else settings.formant_semitones
    return Score(
        content, pitch, loudness_db, speaker, seed,
        formant_ratio=2.0 ** (moved / 12.0),
        noise_scale=settings.noise_scale,
    )  # fmt: skip


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """Give the path of the first pass's file and delete it afterwards, whatever happened."""
    path = out.with_name(out.name + ".sung.wav")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
