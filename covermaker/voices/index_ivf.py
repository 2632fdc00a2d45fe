"""The retrieval of RVC: inverted lists of content rows, as an imported voice brings them.

Each content row of the source is drawn towards the eight nearest rows that were trained, found in the few lists whose
centres are nearest (as many as the voice's own file says). Weights are ``(1 / d)²`` with d the squared distance, on the
rows as they are. Every answer is that of the original program, but for a list with fewer than eight rows: there the
empty places have no weight.

The file, beside ``kind = "ivf"``::

    rows       float32 or float16 (n, width)   list by list
    ids        int64 (n,)                      where each row stood in the original index
    centres    float32 (lists, width)
    ends       int64 (lists,)                  where each list ends in `rows`
    nprobe     int64 ()                        lists that a search looks into

References
----------
H. Jégou et al., "Product Quantization for Nearest Neighbor Search", IEEE TPAMI 33, 2011, section IV (without the
quantization).
"""

from __future__ import annotations

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
    from pathlib import Path

    from numpy.typing import NDArray

KIND = "ivf"
NEAREST = 8
SMALLEST_SQUARE = 1e-8  # a row that is in the index itself has distance 0
_ASKED = 512  # at a time


def write_ivf(
    path: Path,
    rows: NDArray[np.floating[Any]],
    centres: NDArray[np.floating[Any]],
    lists: NDArray[np.integer[Any]],
    nprobe: int,
) -> str:
    """Write an index of inverted lists and return the file's sha256.

    Parameters
    ----------
    path : Path
        Written whole or not at all.
    rows : float array (n, width)
        In the original order; float16 stays float16, all else becomes float32.
    centres : float array (lists, width)
        Of the lists.
    lists : int array (n,)
        The list of each row, counted from 0.
    nprobe : int
        How many lists a search looks into, at least 1.

    Raises
    ------
    CovermakerError
        When the arrays do not fit together or hold what is not finite.
    ResourceError
        When the file cannot be written.
    """
    check_rows(rows, "rows of content")
    check_rows(centres, "centres of its lists")
    fits = (
        centres.shape[1] == rows.shape[1]
        and lists.shape == rows.shape[:1]
        and 0 <= lists.min() <= lists.max() < len(centres)
        and nprobe >= 1
    )
    if not fits:
        raise CovermakerError(
            f"an index of {rows.shape} rows, {centres.shape} centres and {lists.shape} lists, "
            f"searched in {nprobe}, does not fit together"
        )
    order = np.argsort(lists, kind="stable").astype(np.int64)
    kept = rows if rows.dtype == np.float16 else np.asarray(rows, dtype=np.float32)
    tables = {
        "kind": np.array(KIND),
        "rows": kept[order],
        "ids": order,
        "centres": np.asarray(centres, dtype=np.float32),
        "ends": np.cumsum(np.bincount(lists, minlength=len(centres))).astype(np.int64),
        "nprobe": np.array(min(nprobe, len(centres)), dtype=np.int64),
    }
    return write_tables(path, tables)


class IvfIndex:
    """An opened index; `rows` may be mapped. See `voices.retrieval.Retrieval`."""

    DEFAULT_RATIO: ClassVar[float] = 0.75

    def __init__(
        self,
        rows: NDArray[np.floating[Any]],
        ids: NDArray[np.int64],
        centres: NDArray[np.float32],
        ends: NDArray[np.int64],
        nprobe: int,
    ) -> None:
        self.rows, self.ids, self.centres, self.nprobe = rows, ids, centres, nprobe
        self._starts, self._ends = ends - np.diff(ends, prepend=0), ends

    @classmethod
    def read(cls, path: Path) -> IvfIndex:
        """Open what `write_ivf` wrote.

        Raises
        ------
        WeightsError
            When the file is damaged or its arrays do not fit together.
        """
        ids, centres, ends, nprobe = read_tables(path, "ids", "centres", "ends", "nprobe")
        rows = map_table(path, "rows")
        fits = (
            rows.dtype in (np.float16, np.float32)
            and [table.dtype.name for table in (ids, centres, ends)] == ["int64", "float32", "int64"]
            and rows.ndim == centres.ndim == 2
            and rows.shape[1] == centres.shape[1]
            and 0 not in rows.shape + centres.shape
            and ids.shape == rows.shape[:1]
            and ends.shape == centres.shape[:1]
            and bool((np.diff(ends, prepend=0) >= 0).all())
            and ends[-1] == len(rows)
            and nprobe.shape == ()
            and np.issubdtype(nprobe.dtype, np.integer)
            and 1 <= nprobe <= len(centres)
            and finite(rows)
            and finite(centres)
        )
        if not fits:
            raise no_index(path, "its arrays do not fit together")
        return cls(rows, ids, centres, ends, int(nprobe))

    @property
    def width(self) -> int:
        """Floats a row."""
        return int(self.rows.shape[1])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def nearest(
        self, content: NDArray[np.floating[Any]], k: int = NEAREST
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the places of the k nearest rows in `rows` and their squared distances, both (n, k).

        A search that finds too few in the lists it looks into gives the place -1 and an infinite distance.
        """
        asked = np.ascontiguousarray(content, dtype=np.float32)
        probed, _ = nearest_rows(asked, self.centres, self.nprobe)
        places = np.full((len(asked), self.nprobe * k), -1, dtype=np.int64)
        squares = np.full(places.shape, np.inf)
        for probe in range(self.nprobe):
            column = probe * k
            for one in np.unique(probed[:, probe]):
                start, end = self._starts[one], self._ends[one]
                if start == end:
                    continue
                who = np.flatnonzero(probed[:, probe] == one)
                near, square = nearest_rows(asked[who], self.rows[start:end], k)
                there = slice(column, column + near.shape[1])
                places[who, there], squares[who, there] = start + near, square
        order = np.argsort(squares, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(places, order, axis=1), np.take_along_axis(squares, order, axis=1)

    def blend(
        self,
        content: NDArray[np.floating[Any]],
        ratio: float | NDArray[np.floating[Any]],
        *,
        singer: int = 0,
    ) -> NDArray[np.float32]:
        """Draw content towards the voice's own; see `voices.retrieval.Retrieval.blend`. All singers share it."""
        check_width(content, self.width)
        share = np.broadcast_to(np.asarray(ratio, dtype=np.float32), (len(content),))
        blended = np.array(content, dtype=np.float32)
        drawn = np.flatnonzero(share > 0.0)
        for start in range(0, len(drawn), _ASKED):
            here = drawn[start : start + _ASKED]
            places, squares = self.nearest(blended[here])
            found = np.isfinite(squares[:, 0])  # elsewhere the lists that are looked into are empty
            here, places, squares = here[found], places[found], squares[found]
            weights = np.square(1.0 / np.maximum(squares, SMALLEST_SQUARE))
            weights /= weights.sum(axis=1, keepdims=True)
            rows = self.rows[np.maximum(places, 0)].astype(np.float64)
            answer = np.einsum("nk,nkw->nw", weights, rows)
            part = share[here, None]
            blended[here] = part * answer + (np.float32(1.0) - part) * blended[here]
        return blended
