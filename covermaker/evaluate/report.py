"""The score of a finished cover: what became of the vocal on its way through the voice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.audio.files import probe
from covermaker.evaluate.clicks import find_clicks
from covermaker.evaluate.lag import envelope_lag_ms
from covermaker.evaluate.metrics import PITCH_METHOD, Heard, Scores, hear, score_conversion
from covermaker.evaluate.pitch_match import match_pitch
from covermaker.features.pitch import estimate_pitch
from covermaker.progress import part, silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from covermaker.progress import Progress

SAME_CLICK_SECONDS = 0.01
_JUDGES = ("pm", "fcpe")  # of the octave: the first one that the conversion was not made with


@dataclass(frozen=True, slots=True)
class CoverScore:
    """How a converted vocal compares with the vocal it was made from.

    Parameters
    ----------
    seconds : float
        Length of the converted vocal.
    lag_ms, lag_correlation : float
        How late it comes, and how sure that is (see `evaluate.lag`).
    scores : Scores
        Pitch, likeness and words.
    octave_errors : float or None
        Share 0..1 of the frames in which the pitch is 600 cents or more from the wanted one, by a method that the
        conversion was not made with; None where nothing is sung.
    octave_judge : str
        That method.
    language : str or None
        Language of the words.
    new_clicks_seconds : tuple of float
        Times of clicks that the source has not.
    """

    seconds: float
    lag_ms: float
    lag_correlation: float
    scores: Scores
    octave_errors: float | None
    octave_judge: str
    language: str | None
    new_clicks_seconds: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as values that JSON knows, those of `Scores` among them."""
        return {
            "seconds": self.seconds,
            "lag_ms": self.lag_ms,
            "lag_correlation": self.lag_correlation,
            **self.scores.as_dict(),
            "octave_errors": self.octave_errors,
            "octave_judge": self.octave_judge,
            "language": self.language,
            "new_clicks_seconds": list(self.new_clicks_seconds),
        }


def judge_of(pitch_method: str) -> str:
    """Return the pitch method that judges the octaves of what another one was used for: its own errors would hide."""
    return next(name for name in _JUDGES if name != pitch_method)


def score_cover(
    source_vocal: Path,
    converted_vocal: Path | Heard,
    *,
    voice_embedding: NDArray[np.floating[Any]] | None = None,
    transpose_semitones: float = 0.0,
    source_f0_hz: NDArray[np.floating[Any]] | None = None,
    pitch_method: str = PITCH_METHOD,
    language: str | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> CoverScore:
    """Compare a converted vocal with its source.

    Parameters
    ----------
    source_vocal : Path
        A vocal without accompaniment.
    converted_vocal : Path or Heard
        What a voice made of it.
    voice_embedding : float array (256,), optional
        Of the voice that should be heard, by `speaker_encoder.embed`.
    transpose_semitones : float
        How much higher the converted vocal is meant to be.
    source_f0_hz : float array (frames,), optional
        Pitch on the feature clock where it is known already; otherwise `pitch_method` finds it.
    pitch_method : str
        A name of `features.pitch.METHODS`: the one that the conversion was made with.
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
    converted = converted_vocal if isinstance(converted_vocal, Path) else converted_vocal.path
    lag = envelope_lag_ms(source_vocal, converted)
    progress(0.05)
    source = hear(
        source_vocal,
        pitch_method=pitch_method,
        language=language,
        f0_hz=source_f0_hz,
        device=device,
        progress=part(progress, 0.05, 0.45),
    )
    scores = score_conversion(
        source,
        converted_vocal,
        semitones=transpose_semitones,
        reference_embedding=voice_embedding,
        pitch_method=pitch_method,
        device=device,
        progress=part(progress, 0.45, 0.9),
    )
    judge = judge_of(pitch_method)
    sung, heard = (estimate_pitch(path, method=judge, device=device) for path in (source_vocal, converted))
    octaves = match_pitch(sung, heard, transpose_semitones=transpose_semitones)
    progress(0.95)
    known = [click.seconds for click in find_clicks(source_vocal)]
    new_clicks = [
        click.seconds
        for click in find_clicks(converted)
        if all(abs(click.seconds - seconds) > SAME_CLICK_SECONDS for seconds in known)
    ]
    progress(1.0)
    return CoverScore(
        seconds=probe(converted).seconds,
        lag_ms=lag.lag_ms,
        lag_correlation=lag.correlation,
        scores=scores,
        octave_errors=octaves.octave_errors,
        octave_judge=judge,
        language=source.language,
        new_clicks_seconds=tuple(new_clicks),
    )
