"""How loud what was sung shall be, and what of the source is heard beside it: our own way, and the community's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from covermaker.audio.files import blocks
from covermaker.convert.cleanup import AUDIBLE_DB, MAX_BOOST_DB, level_gain, slow_part
from covermaker.convert.consonants import PROTECT_OFF, ConsonantBlend
from covermaker.convert.curves import FrameCurve
from covermaker.convert.rms_mix import RmsMix, rms_frames
from covermaker.features.clock import FRAME_RATE, frame_count
from covermaker.features.loudness import frame_loudness_db

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.convert.settings import ConvertSettings
    from covermaker.convert.span import Span


class Gain(Protocol):
    """A gain over what was sung."""

    def at(self, start: int, count: int) -> Samples:
        """Return it at samples ``start .. start + count`` as (count,) float32."""
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """A vocal and how it was sung.

    Attributes
    ----------
    vocal, sung : Path
        The song's vocal, and what was sung of it, over the span.
    span : Span
    f0_hz, loudness_db : arrays (n,)
        Of the vocal, on the feature clock, of the whole song.
    settings : ConvertSettings
    """

    vocal: Path
    sung: Path
    span: Span
    f0_hz: NDArray[np.floating[Any]]
    loudness_db: NDArray[np.floating[Any]]
    settings: ConvertSettings

    @property
    def frames(self) -> slice:
        """The feature frames of what was sung."""
        first = self.span.first_frame
        return slice(first, first + frame_count(self.span.sung_samples, self.span.sample_rate))


@dataclass(frozen=True, slots=True)
class Correction:
    """What is done to the level of what was sung.

    Attributes
    ----------
    gain : Gain
    gains_db : float64 array
        The same at the audible frames.
    consonants : ConsonantBlend or None
        What puts the source's own noise in.
    """

    gain: Gain
    gains_db: NDArray[np.float64]
    consonants: ConsonantBlend | None = None


def follow_source(pair: Pair) -> Correction:
    """Follow the source where it changes quickly or is quiet, and take its consonants; see `cleanup.level_gain`."""
    rate, settings = pair.span.sample_rate, pair.settings
    sung_db = frame_loudness_db(pair.sung)
    source_db, f0_hz = np.asarray(pair.loudness_db[pair.frames]), pair.f0_hz[pair.frames]
    gains_db = level_gain(source_db, sung_db, loudness_mix=settings.loudness_mix)
    gain = FrameCurve(10.0 ** (gains_db / 20.0), rate)
    audible = gains_db[source_db > AUDIBLE_DB]
    if settings.protect >= PROTECT_OFF:
        return Correction(gain, audible)
    sung_part = (source_db > AUDIBLE_DB) & (np.asarray(f0_hz) > 0)
    louder = np.clip(sung_db + gains_db - source_db, -MAX_BOOST_DB, MAX_BOOST_DB)
    consonants = ConsonantBlend(
        f0_hz, source_db, slow_part(louder, sung_part), protect=settings.protect, sample_rate=rate
    )
    return Correction(gain, audible, consonants)


def mix_rms(pair: Pair) -> Correction:
    """Keep the level of what was sung, or bring it towards the source's over seconds, as the original programs do."""
    span, mix = pair.span, pair.settings.loudness_mix
    samples, rate = span.song_samples, span.sample_rate
    if mix < 1.0:
        source = rms_frames(blocks(pair.vocal), rate)
        output = rms_frames(blocks(pair.sung), rate, start=span.sung_start, samples=samples)
    else:
        source = output = np.ones(1)
    gain = RmsMix(source, output, samples, loudness_mix=mix, first=span.sung_start)
    audible = np.flatnonzero(np.asarray(pair.loudness_db[pair.frames]) > AUDIBLE_DB)
    heard = np.maximum(gain.gain(audible * rate // FRAME_RATE), 1e-9)
    return Correction(gain, 20.0 * np.log10(heard))
