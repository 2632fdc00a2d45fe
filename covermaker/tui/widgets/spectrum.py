"""The spectrum of what is heard: level over frequency, A as an area, B as a line over it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from covermaker.tui.widgets.curve import Curve, Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FLOOR_DB, _TOP_DB = -96.0, 0.0
_TICKS_HZ = (100.0, 1000.0, 10_000.0, 200.0, 500.0, 2000.0, 5000.0)


class Spectrum(Curve):
    """See the module."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            log_x=True, y_range=(_FLOOR_DB, _TOP_DB), empty="nothing heard yet", id=id, classes=classes
        )

    def show_spectra(
        self,
        a: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
        b: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
        *,
        names: tuple[str, str] = ("A", "B"),
    ) -> None:
        """Show one side or both: the centres of the bands in Hz, and their levels in dB."""
        shown = [Series(names[0], *a, draw="area")] if a else []
        shown += [Series(names[1], *b)] if b else []
        self.show_series(shown)

    def _names(self) -> list[str]:
        return [series.name for series in self._series]

    def _x_label(self, value: float) -> str:
        return f"{value / 1000:g}k" if value >= 1000 else f"{value:.0f}"

    def _x_ticks(self, scale: tuple[float, float], width: int) -> list[float]:
        return [math.log10(hz) for hz in _TICKS_HZ if scale[0] <= math.log10(hz) <= scale[1]]
