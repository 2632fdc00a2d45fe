"""One time grid for encoders of any frame rate: 50 rows a second, row i centred at i / 50 s."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID_HZ = 50


def at_grid(
    rows: NDArray[np.float32], count: int, *, rate_hz: float, first_seconds: float
) -> NDArray[np.float32]:
    """Read rows at the centres of the grid, linearly between the two nearest; past the ends the end row holds.

    Rows that lie on the grid already come back bit for bit.

    Parameters
    ----------
    rows : float32 array (n, width)
        Row i is centred at ``first_seconds + i / rate_hz``; at least one.
    count : int
        Grid rows wanted.

    Returns
    -------
    float32 array (count, width)
    """
    place = np.clip((np.arange(count) / GRID_HZ - first_seconds) * rate_hz, 0, len(rows) - 1)
    place = np.where(np.abs(place - np.rint(place)) < 1e-6, np.rint(place), place)
    before = place.astype(np.int64)
    between = (place - before).astype(np.float32)[:, None]
    if not between.any():
        return rows[before]
    after = np.minimum(before + 1, len(rows) - 1)
    return rows[before] * (1 - between) + rows[after] * between
