"""What a conversion may be told, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from covermaker.convert.consonants import PROTECT_OFF
from covermaker.convert.tuning import PitchCorrection
from covermaker.errors import ProjectError

MAX_FORMANT_SEMITONES = 12.0
MAX_NOISE_SCALE = 2.0


@dataclass(frozen=True, slots=True)
class ConvertSettings:
    """What a person may set; the names are those of ``[convert]``.

    Parameters
    ----------
    index_ratio : float, optional
        0..1: how far the content is drawn to the voice's own takes. By default 0.3 when the voice has an index.
    protect : float
        0..0.5: how far consonants and breaths are left to the voice. 0.5 leaves them all, 0 takes them from the
        source, and keeps the index out of them.
    formant_semitones : float
        -12..12: by what the voice's resonances move, apart from its pitch; above 0 is a smaller head.
    pitch_correction : PitchCorrection
        None by default: strength 0.
    loudness_mix : float
        0..1: 0 follows the source's loudness exactly; 1 keeps the network's level over a second and takes only
        quick changes from the source.
    singers : mapping of str to float
        Of a voice that was trained on several singers: how much of each is heard, by the names on its card. By
        default the first one.
    noise_scale : float, optional
        0..2: how much of the spread of an imported voice's latent is sung. By default that of its program.
    auto_pitch : bool
        The voice makes up the melody itself: for speech, and voices that were trained to.
    chunk_seconds : float
        Sung at a time; changes memory and speed, not the sound. Imported voices are cut at fixed places of the song.

    Raises
    ------
    ProjectError
        When a value is out of its range.
    """

    index_ratio: float | None = None
    protect: float = 0.33
    formant_semitones: float = 0.0
    pitch_correction: PitchCorrection = field(default_factory=PitchCorrection)
    loudness_mix: float = 1.0
    singers: Mapping[str, float] = field(default_factory=dict)
    noise_scale: float | None = None
    auto_pitch: bool = False
    chunk_seconds: float = 10.0

    def __post_init__(self) -> None:
        ranges = (
            ("index_ratio", 0.0, 1.0),
            ("protect", 0.0, PROTECT_OFF),
            ("formant_semitones", -MAX_FORMANT_SEMITONES, MAX_FORMANT_SEMITONES),
            ("loudness_mix", 0.0, 1.0),
            ("noise_scale", 0.0, MAX_NOISE_SCALE),
        )
        for name, low, high in ranges:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ProjectError(f"convert.{name} must lie in {low:g}..{high:g}, not {value:g}")
        if self.singers and not (min(self.singers.values()) >= 0.0 < max(self.singers.values())):
            raise ProjectError("convert.singers: weights of 0 and above are expected, not all 0")
        if not 1.0 <= self.chunk_seconds <= 120.0:
            raise ProjectError(f"chunk_seconds must lie in 1..120, not {self.chunk_seconds:g}")


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """What a conversion did.

    Parameters
    ----------
    semitones, why, range_share
        The transposition, see `Transposition`.
    index_ratio : float
        As it was used: 0 without an index.
    a4_hz, corrected_cents : float
        The tuning that pitch correction used, and how far it moved the pitch at the median.
    notes : tuple of str
        What a person should know: asked for and not to be had.
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
    index_ratio: float
    a4_hz: float
    corrected_cents: float
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for JSON."""
        return asdict(self)
