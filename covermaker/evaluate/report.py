"""The score of a finished cover: what became of the vocal on its way through the voice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.files import probe
from covermaker.evaluate.clicks import find_clicks
from covermaker.evaluate.lag import envelope_lag_ms
from covermaker.evaluate.pitch_match import PitchMatch, match_pitch
from covermaker.evaluate.similarity import similarity
from covermaker.evaluate.speaker_encoder import NoVoiceError, embed
from covermaker.evaluate.words import character_error_rate, read_lyrics, word_recall
from covermaker.features.pitch import estimate_pitch
from covermaker.progress import part, silent

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.progress import Progress

SAME_CLICK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class CoverScore:
    """How a converted vocal compares with the vocal it was made from. None: there was nothing to compare.

    Parameters
    ----------
    seconds : float
        Length of the converted vocal.
    lag_ms, lag_correlation : float
        How late it comes, and how sure that is (see `evaluate.lag`).
    pitch : PitchMatch
        Its pitch against the source's, the transposition taken off.
    voice_similarity : float or None
        Cosine 0..1 with the wanted voice's embedding.
    source_similarity : float or None
        The same for the source vocal: what no conversion at all would score.
    language : str or None
        Language of the words.
    words_in_source : int
        Words that Whisper reads in the source vocal.
    words_read : float or None
        Share 0..1 of them that it reads again in the converted one.
    character_error_rate : float or None
        Of the second reading, the first being the truth.
    new_clicks_seconds : tuple of float
        Times of clicks that the source has not.
    """

    seconds: float
    lag_ms: float
    lag_correlation: float
    pitch: PitchMatch
    voice_similarity: float | None
    source_similarity: float | None
    language: str | None
    words_in_source: int
    words_read: float | None
    character_error_rate: float | None
    new_clicks_seconds: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as values that JSON knows."""
        values = asdict(self)
        values["new_clicks_seconds"] = list(self.new_clicks_seconds)
        return values


def score_cover(
    source_vocal: Path,
    converted_vocal: Path,
    *,
    voice_embedding: NDArray[np.floating[Any]] | None = None,
    transpose_semitones: float = 0.0,
    source_f0_hz: NDArray[np.floating[Any]] | None = None,
    converted_f0_hz: NDArray[np.floating[Any]] | None = None,
    pitch_method: str = "fcpe",
    language: str | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> CoverScore:
    """Compare a converted vocal with its source.

    Parameters
    ----------
    source_vocal, converted_vocal : Path
        Vocals without accompaniment.
    voice_embedding : float array (256,), optional
        Of the voice that should be heard, by `speaker_encoder.embed`.
    transpose_semitones : float
        How much higher the converted vocal is meant to be.
    source_f0_hz, converted_f0_hz : float array (frames,), optional
        Pitch on the feature clock where it is known already; otherwise `pitch_method` finds it.
    pitch_method : str
        A name of `features.pitch.METHODS`.
    language : str, optional
        Two letters; by default it is heard in the source.
    device : str
        For the pitch and speaker networks.
    progress : Progress
        Told the finished fraction.

    Raises
    ------
    AudioInputError
        When a file cannot be read.
    WeightsError
        When weights are missing or damaged.
    """
    lag = envelope_lag_ms(source_vocal, converted_vocal)
    progress(0.05)
    if source_f0_hz is None:
        inner = part(progress, 0.05, 0.2)
        source_f0_hz = estimate_pitch(source_vocal, method=pitch_method, device=device, progress=inner)
    if converted_f0_hz is None:
        inner = part(progress, 0.2, 0.35)
        converted_f0_hz = estimate_pitch(converted_vocal, method=pitch_method, device=device, progress=inner)
    pitch = match_pitch(source_f0_hz, converted_f0_hz, transpose_semitones=transpose_semitones)
    progress(0.35)
    source_similarity = _likeness(source_vocal, voice_embedding, device)
    voice_similarity = _likeness(converted_vocal, voice_embedding, device)
    progress(0.45)
    heard = read_lyrics(source_vocal, language=language, progress=part(progress, 0.45, 0.7))
    again = read_lyrics(converted_vocal, language=heard.language, progress=part(progress, 0.7, 0.95))
    known = [click.seconds for click in find_clicks(source_vocal)]
    new_clicks = [
        click.seconds
        for click in find_clicks(converted_vocal)
        if all(abs(click.seconds - seconds) > SAME_CLICK_SECONDS for seconds in known)
    ]
    progress(1.0)
    return CoverScore(
        seconds=probe(converted_vocal).seconds,
        lag_ms=lag.lag_ms,
        lag_correlation=lag.correlation,
        pitch=pitch,
        voice_similarity=voice_similarity,
        source_similarity=source_similarity,
        language=heard.language,
        words_in_source=len(heard.words),
        words_read=word_recall(heard.words, again.words) if heard.words else None,
        character_error_rate=character_error_rate(heard.words, again.words) if heard.words else None,
        new_clicks_seconds=tuple(new_clicks),
    )


def _likeness(vocal: Path, voice_embedding: NDArray[np.floating[Any]] | None, device: str) -> float | None:
    """Return the similarity with the wanted voice, None where there is no voice to compare."""
    if voice_embedding is None:
        return None
    try:
        return similarity(embed(vocal, device=device), np.asarray(voice_embedding))
    except NoVoiceError:
        return None
