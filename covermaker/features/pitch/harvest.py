"""Harvest: WORLD's careful search, without a network; steady from 40 Hz to 1400 Hz, above with gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from covermaker.features.pitch import world
from covermaker.features.pitch.recording import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.features.pitch.recording import Recording


class Harvest:
    """Pitch by Harvest, refined by StoneMask.

    References
    ----------
    M. Morise, "Harvest: A high-performance fundamental frequency estimator from speech signals", Interspeech 2017.
    """

    NAME: ClassVar[str] = "harvest"
    VERSION: ClassVar[int] = 2
    WEIGHTS: ClassVar[tuple[str, ...]] = ()

    def track(
        self, vocal: Recording, *, f0_min_hz: float, f0_max_hz: float, device: str
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the pitch; see `PitchMethod`."""
        import pyworld

        for piece in vocal.pieces(context_frames=world.CONTEXT_FRAMES):
            sound = world.world_sound(piece)
            f0_hz, times = pyworld.harvest(
                sound,
                SAMPLE_RATE,
                f0_floor=f0_min_hz,
                f0_ceil=f0_max_hz,
                frame_period=world.FRAME_PERIOD_MS,
            )
            f0_hz = world.frame_grid(piece, world.refined(sound, f0_hz, times))
            yield piece.wanted(world.sung_only(piece, f0_hz, f0_min_hz=f0_min_hz, f0_max_hz=f0_max_hz))
