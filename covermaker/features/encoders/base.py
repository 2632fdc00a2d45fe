"""The seam: what a content encoder is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # what every encoder hears
WINDOW_SAMPLES = 30 * SAMPLE_RATE  # the most it is given at once

# float32 (n,) of at most `WINDOW_SAMPLES` samples at 16 kHz -> float32 (rows, WIDTH); the input is left alone.
Encode: TypeAlias = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]


class ContentEncoder(Protocol):
    """Reads what is sung, apart from who sings it. Knowing one loads nothing; `open` loads its network.

    `NAME`, `VERSION` and the fingerprints of `WEIGHTS` identify the rows.
    """

    @property
    def NAME(self) -> str:
        """What it is called on a card."""
        ...

    @property
    def VERSION(self) -> int:
        """Raised whenever the rows change."""
        ...

    @property
    def WEIGHTS(self) -> tuple[str, ...]:
        """Names of the weights catalog."""
        ...

    @property
    def WIDTH(self) -> int:
        """Numbers a row."""
        ...

    @property
    def RATE_HZ(self) -> float:
        """Rows a second: row i is centred at ``FIRST_ROW_SECONDS + i / RATE_HZ`` of the window."""
        ...

    @property
    def FIRST_ROW_SECONDS(self) -> float:
        """Centre of the first row."""
        ...

    @property
    def FIXED_WINDOW(self) -> bool:
        """True when reading 1 s costs as much as reading 30 s, so that short clips are packed together."""
        ...

    def open(self, *, device: str, threads: int) -> Encode:
        """Load the network.

        Parameters
        ----------
        device : str
            ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; one that cannot use a device runs on the CPU.
        threads : int
            On a CPU, where the encoder lets itself be told.

        Raises
        ------
        WeightsError
            When its weights are missing or damaged.
        """
        ...
