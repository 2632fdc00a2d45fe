"""The figures by which a conversion is judged; `docs/metrics.md` defines each of them.

`score_conversion` measures one clip. What is known of the source does not change from one voice to the next, so
`hear` finds it once and every score can share it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.evaluate.mel_cepstrum import mel_cepstral_distortion
from covermaker.evaluate.pitch_match import match_pitch
from covermaker.evaluate.similarity import similarity
from covermaker.evaluate.speaker_encoder import NoVoiceError, embed
from covermaker.evaluate.words import character_error_rate, read_lyrics, split_words, word_recall
from covermaker.features.pitch import estimate_pitch
from covermaker.progress import part, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from covermaker.progress import Progress

PITCH_METHOD = "fcpe"


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of one recording.

    Parameters
    ----------
    path : Path
        The recording.
    f0_hz : float32 array (frames,)
        Its pitch on the feature clock, 0 = unvoiced.
    embedding : float32 array (256,) or None
        Who sings; None when nobody does.
    words : tuple of str or None
        What Whisper reads; None when it was not asked.
    language : str or None
        Language of the words.
    """

    path: Path
    f0_hz: NDArray[np.float32]
    embedding: NDArray[np.float32] | None
    words: tuple[str, ...] | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Scores:
    """How a converted clip compares with its source and with the wanted voice; None is what was not to be had.

    Parameters
    ----------
    f0_correlation : float or None
        F0CORR: Pearson's r of the pitch in cents, over frames voiced in both.
    f0_rmse_cents, f0_median_cents : float or None
        Root mean square and median of the pitch error, the wanted transposition taken off.
    vuv_f1 : float
        F1 score 0..1 of "voiced".
    similarity, source_similarity : float or None
        Cosine 0..1 of the converted clip, and of the source, with the wanted voice.
    cer : float or None
        Character errors per character of the transcript; without one, of what is read in the source.
    source_cer : float or None
        The same for the source; None without a transcript.
    cer_to_source : float or None
        Character errors per character of what is read in the source.
    words_read : float or None
        Share 0..1 of the words read in the source that are read again, in order.
    mcd_db, mcd_c0_db : float or None
        Mel-cepstral distortion to the target recording without and with c0.
    source_words, converted_words : tuple of str or None
        The two readings.
    """

    f0_correlation: float | None
    f0_rmse_cents: float | None
    f0_median_cents: float | None
    vuv_f1: float
    similarity: float | None
    source_similarity: float | None
    cer: float | None
    source_cer: float | None
    cer_to_source: float | None
    words_read: float | None
    mcd_db: float | None
    mcd_c0_db: float | None
    source_words: tuple[str, ...] | None
    converted_words: tuple[str, ...] | None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as values that JSON knows."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


def hear(
    path: Path,
    *,
    pitch_method: str = PITCH_METHOD,
    words: bool = True,
    language: str | None = None,
    f0_hz: NDArray[np.floating[Any]] | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> Heard:
    """Find out what a score needs to know of one recording.

    Parameters
    ----------
    path : Path
        A vocal without accompaniment.
    pitch_method : str
        A name of `features.pitch.METHODS`.
    words : bool
        Read the words too, which takes longer than all the rest.
    language : str, optional
        Two letters; by default it is heard.
    f0_hz : float array (frames,), optional
        Its pitch on the feature clock, where that is known already.
    device : str
        For the pitch and speaker networks.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    WeightsError
        When weights are missing or damaged.
    """
    if f0_hz is None:
        f0_hz = estimate_pitch(path, method=pitch_method, device=device, progress=part(progress, 0.0, 0.3))
    try:
        embedding = embed(path, device=device, progress=part(progress, 0.3, 0.4))
    except NoVoiceError:
        embedding = None
    read = read_lyrics(path, language=language, progress=part(progress, 0.4, 1.0)) if words else None
    progress(1.0)
    return Heard(
        path,
        np.asarray(f0_hz, np.float32),
        embedding,
        read.words if read else None,
        read.language if read else language,
    )


def score_conversion(
    source: Path | Heard,
    converted: Path | Heard,
    *,
    semitones: float = 0.0,
    reference_embedding: NDArray[np.floating[Any]] | None = None,
    target: Path | None = None,
    transcript: str | None = None,
    pitch_method: str = PITCH_METHOD,
    words: bool = True,
    language: str | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> Scores:
    """Score a converted vocal.

    Parameters
    ----------
    source, converted : Path or Heard
        Vocals without accompaniment; what `hear` found is not looked for again.
    semitones : float
        How much higher the converted vocal is meant to be.
    reference_embedding : float array (256,), optional
        Of the wanted voice: one of `speaker_encoder.embed`, or `mean_embedding` of several.
    target : Path, optional
        The wanted voice with the same words and melody, for mel-cepstral distortion.
    transcript : str, optional
        What is sung, when that is known.
    pitch_method : str
        A name of `features.pitch.METHODS`.
    words : bool
        Read the words, which takes longer than all the rest.
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
    one = _heard(source, pitch_method, words, language, device, part(progress, 0.0, 0.45))
    other = _heard(
        converted, pitch_method, words, language or one.language, device, part(progress, 0.45, 0.9)
    )
    pitch = match_pitch(one.f0_hz, other.f0_hz, transpose_semitones=semitones)
    told = split_words(transcript) if transcript is not None else None
    to_source = _errors(one.words, other.words)
    distortion = mel_cepstral_distortion(target, other.path) if target is not None else None
    progress(1.0)
    return Scores(
        f0_correlation=pitch.correlation,
        f0_rmse_cents=pitch.rms_cents,
        f0_median_cents=pitch.median_cents,
        vuv_f1=pitch.voicing_f1,
        similarity=_likeness(other, reference_embedding),
        source_similarity=_likeness(one, reference_embedding),
        cer=_errors(told, other.words) if told is not None else to_source,
        source_cer=_errors(told, one.words),
        cer_to_source=to_source,
        words_read=word_recall(one.words, other.words or ())
        if one.words and other.words is not None
        else None,
        mcd_db=distortion.shape_db if distortion else None,
        mcd_c0_db=distortion.level_and_shape_db if distortion else None,
        source_words=one.words,
        converted_words=other.words,
    )


def mean_embedding(embeddings: Iterable[NDArray[np.floating[Any]]]) -> NDArray[np.float32]:
    """Return the mean of embeddings, scaled to length one.

    Raises
    ------
    ValueError
        When there are none.
    """
    total = np.sum([np.asarray(one, np.float64) for one in embeddings], axis=0)
    length = float(np.linalg.norm(total))
    if length <= 0.0:
        raise ValueError("no embeddings")
    return np.asarray(total / length, dtype=np.float32)


def _heard(
    what: Path | Heard, pitch_method: str, words: bool, language: str | None, device: str, progress: Progress
) -> Heard:
    if not isinstance(what, Path):
        return what
    return hear(
        what, pitch_method=pitch_method, words=words, language=language, device=device, progress=progress
    )


def _likeness(heard: Heard, wanted: NDArray[np.floating[Any]] | None) -> float | None:
    if wanted is None or heard.embedding is None:
        return None
    return similarity(heard.embedding, wanted)


def _errors(told: Sequence[str] | None, read: Sequence[str] | None) -> float | None:
    return character_error_rate(told, read) if told and read is not None else None
