"""The seam: what a pitch method is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.features.pitch.recording import Recording


class PitchMethod(Protocol):
    """Finds the fundamental of a vocal.

    `NAME` and `VERSION` enter the step's key; raise `VERSION` whenever results change. `WEIGHTS` are catalog
    names. ``track`` yields float32 runs of Hz, 0 = unvoiced, for the wanted frames of each piece in order.
    """

    NAME: ClassVar[str]
    VERSION: ClassVar[int]
    WEIGHTS: ClassVar[tuple[str, ...]]

    def track(
        self, vocal: Recording, *, f0_min_hz: float, f0_max_hz: float, device: str
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the pitch of `vocal`, looked for between the two limits."""
        ...
