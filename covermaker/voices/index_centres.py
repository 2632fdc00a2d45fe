"""The cluster model of so-vits-svc: each content row is drawn towards the nearest of a singer's k-means centres.

The file, beside ``kind = "centres"``::

    rows       float32 or float16 (n, width)   centres, singer by singer
    ends       int64 (singers,)                where each singer's end in `rows`; one entry: all singers share them
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from covermaker.errors import CovermakerError
from covermaker.voices.index_tables import (
    check_rows,
    check_width,
    finite,
    map_table,
    no_index,
    read_tables,
    write_tables,
)
from covermaker.voices.nearest import nearest_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

KIND = "centres"


def write_centres(
    path: Path, centres: NDArray[np.floating[Any]] | Sequence[NDArray[np.floating[Any]]]
) -> str:
    """Write the centres of a cluster model and return the file's sha256.

    Parameters
    ----------
    path : Path
        Written whole or not at all.
    centres : float array (n, width), or one for each singer
        One array is for whoever sings. Several are in the order of the card's `singers`; one of shape (0, width) is
        a singer without centres, whose content stays as it is.

    Raises
    ------
    CovermakerError
        When the arrays do not fit together or hold what is not finite.
    ResourceError
        When the file cannot be written.
    """
    parts = [centres] if isinstance(centres, np.ndarray) else list(centres)
    if len({part.shape[1:] for part in parts}) != 1:
        raise CovermakerError("the centres of the singers differ in width")
    rows = np.concatenate(parts)
    check_rows(rows, "centres")
    kept = rows if rows.dtype == np.float16 else np.asarray(rows, dtype=np.float32)
    ends = np.cumsum([len(part) for part in parts]).astype(np.int64)
    return write_tables(path, {"kind": np.array(KIND), "rows": kept, "ends": ends})


class CentreIndex:
    """Opened centres; `rows` may be mapped. See `voices.retrieval.Retrieval`."""

    DEFAULT_RATIO: ClassVar[float] = 0.0

    def __init__(self, rows: NDArray[np.floating[Any]], ends: NDArray[np.int64]) -> None:
        self.rows = rows
        self._singers = [slice(start, end) for start, end in pairwise([0, *ends.tolist()])]

    @classmethod
    def read(cls, path: Path) -> CentreIndex:
        """Open what `write_centres` wrote.

        Raises
        ------
        WeightsError
            When the file is damaged or its arrays do not fit together.
        """
        (ends,) = read_tables(path, "ends")
        rows = map_table(path, "rows")
        fits = (
            rows.dtype in (np.float16, np.float32)
            and ends.dtype == np.int64
            and rows.ndim == 2
            and 0 not in rows.shape
            and ends.ndim == 1
            and len(ends) >= 1
            and bool((np.diff(ends, prepend=0) >= 0).all())
            and ends[-1] == len(rows)
            and finite(rows)
        )
        if not fits:
            raise no_index(path, "its arrays do not fit together")
        return cls(rows, ends)

    @property
    def width(self) -> int:
        """Floats a row."""
        return int(self.rows.shape[1])

    def __len__(self) -> int:
        """Return the number of centres, of all singers."""
        return len(self.rows)

    def blend(
        self,
        content: NDArray[np.floating[Any]],
        ratio: float | NDArray[np.floating[Any]],
        *,
        singer: int = 0,
    ) -> NDArray[np.float32]:
        """Draw content towards a singer's centres; see `voices.retrieval.Retrieval.blend`."""
        check_width(content, self.width)
        blended = np.array(content, dtype=np.float32)
        centres = self.rows[self._singers[singer] if len(self._singers) > 1 else self._singers[0]]
        share = np.broadcast_to(np.asarray(ratio, dtype=np.float32), (len(content),))
        drawn = np.flatnonzero(share > 0.0)
        if len(centres) and len(drawn):
            numbers, _ = nearest_rows(blended[drawn], centres, 1)
            answer = centres[numbers[:, 0]].astype(np.float32)
            part = share[drawn, None]
            blended[drawn] = part * answer + (np.float32(1.0) - part) * blended[drawn]
        return blended
