"""Praat's autocorrelation method, the reference of phonetics."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from covermaker.errors import ResourceError
from covermaker.features.pitch.recording import HOP_SAMPLES, SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from covermaker.features.pitch.recording import Recording

CONTEXT_FRAMES = 100  # paths that begin apart have met again after a second
PERIODS = 3  # of the lowest pitch that one window holds, fixed in the method
VOICING = 0.6


class Pm:
    """Pitch by Praat (the package praat-parselmouth).

    References
    ----------
    P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
    sampled sound", IFA Proceedings 17, 1993.
    """

    NAME: ClassVar[str] = "pm"
    VERSION: ClassVar[int] = 1
    WEIGHTS: ClassVar[tuple[str, ...]] = ()

    def track(
        self, vocal: Recording, *, f0_min_hz: float, f0_max_hz: float, device: str
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the pitch; see `PitchMethod`."""
        try:
            import parselmouth
        except ImportError as error:
            raise ResourceError(
                "pitch method 'pm' needs a package that is not installed",
                hint="pip install praat-parselmouth",
            ) from error

        step_seconds = HOP_SAMPLES / SAMPLE_RATE
        for piece in vocal.pieces(context_frames=CONTEXT_FRAMES):
            # Praat centres as many frames as fit on the sound. So much silence on both sides that exactly the
            # clock's frames fit, and half a step to spare so that rounding takes none away.
            spare_seconds = PERIODS / f0_min_hz + step_seconds / 2
            left = round(spare_seconds / 2 * SAMPLE_RATE)
            total = round((spare_seconds + (piece.frames - 1) * step_seconds) * SAMPLE_RATE)
            sound = np.zeros(total)
            sound[left : left + len(piece.samples)] = piece.samples[: total - left]
            pitch = parselmouth.Sound(sound, sampling_frequency=SAMPLE_RATE).to_pitch_ac(
                time_step=step_seconds,
                pitch_floor=f0_min_hz,
                pitch_ceiling=f0_max_hz,
                voicing_threshold=VOICING,
                silence_threshold=0.0,  # relative to the loudest of the piece: the gate knows the whole vocal
            )
            yield piece.wanted(pitch.selected_array["frequency"][: piece.frames].astype(np.float32))
