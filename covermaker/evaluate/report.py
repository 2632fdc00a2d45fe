"""The score of a finished cover: what became of the vocal on its way through the voice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.audio.files import probe
from covermaker.evaluate.clicks import find_clicks
from covermaker.evaluate.lag import envelope_lag_ms
from covermaker.evaluate.metrics import PITCH_METHOD, Heard, Scores, hear, score_conversion
from covermaker.progress import part, silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from covermaker.progress import Progress

SAME_CLICK_SECONDS = 0.01


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
    language : str or None
        Language of the words.
    new_clicks_seconds : tuple of float
        Times of clicks that the source has not.
    """

    seconds: float
    lag_ms: float
    lag_correlation: float
    scores: Scores
    language: str | None
    new_clicks_seconds: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as values that JSON knows, those of `Scores` among them."""
        return {
            "seconds": self.seconds,
            "lag_ms": self.lag_ms,
            "lag_correlation": self.lag_correlation,
            **self.scores.as_dict(),
            "language": self.language,
            "new_clicks_seconds": list(self.new_clicks_seconds),
        }


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
    source_vocal, converted_vocal : Path or Heard
        Vocals without accompaniment.
    voice_embedding : float array (256,), optional
        Of the voice that should be heard, by `speaker_encoder.embed`.
    transpose_semitones : float
        How much higher the converted vocal is meant to be.
    source_f0_hz : float array (frames,), optional
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
        progress=part(progress, 0.45, 0.95),
    )
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
        language=source.language,
        new_clicks_seconds=tuple(new_clicks),
    )
