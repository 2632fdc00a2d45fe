"""A voice's own content rows, to be looked up while it sings: what the source says, said as the voice has said it.

The idea is the retrieval of RVC: each content row of the source is drawn towards the rows of the training takes that
lie nearest. Distances are taken after each column was brought to its own mean and deviation (a Whisper row has a few
columns that dwarf all others), the mix itself is of the raw rows. faiss searches (inverted lists, Jégou et al. 2011,
"Product Quantization for Nearest Neighbor Search", section IV, without the quantization).

The file is a plain `.npz`: arrays only, no pickle and no foreign parser. Rows lie list by list, so opening
one trains nothing::

    rows       float16 (n, width)       the takes' content
    columns    float32 (2, width)       mean and deviation of each column
    centres    float32 (lists, width)   of the inverted lists, standardised
    ends       int64 (lists,)           where each list ends in `rows`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from covermaker.errors import CovermakerError
from covermaker.voices.index_tables import check_width, no_index, read_tables, write_tables

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

INDEX_FILE = "index.npz"
MAX_ROWS = 100_000  # 33 minutes at 50 rows a second; of more, that many are drawn
NEAREST = 8
BLOCK_ROWS = 1024  # searched at a time, at fixed places: neither memory nor results know the length
_FLAT_ROWS = 4096  # up to here every row is looked at
_PROBED_SHARE = 1 / 32  # of the lists that a search looks into, at least 8
_TRAINED_ROWS = 64  # for each list's centre
_ROUNDS = 8
_LIMIT = 8.0  # deviations; as the networks clip content
_NAMES = ("rows", "columns", "centres", "ends")


def build_index(rows: NDArray[np.floating[Any]], path: Path, *, seed: int) -> str:
    """Write the index of a voice and return the file's sha256.

    Parameters
    ----------
    rows : float array (n, width)
        Content of all takes, n >= 1. Of more than `MAX_ROWS` an even random choice is kept. May be a memory map.
    path : Path
        Written whole or not at all.
    seed : int
        Of that choice and of the lists' centres: the same rows and seed give the same file.

    Raises
    ------
    CovermakerError
        When there is no row, or one that is not finite in half precision.
    ResourceError
        When the file cannot be written.
    """
    if rows.ndim != 2 or 0 in rows.shape:
        raise CovermakerError(f"an index needs rows of content, not an array of shape {rows.shape}")
    generator = np.random.default_rng(seed)
    if len(rows) > MAX_ROWS:
        rows = rows[np.sort(generator.choice(len(rows), MAX_ROWS, replace=False))]
    with np.errstate(over="ignore"):
        kept = np.asarray(rows, dtype=np.float16)
    if not np.isfinite(kept).all():
        raise CovermakerError("content rows hold values that are not finite")
    columns = _columns(kept)
    standard = _standardised(kept, columns)
    lists = 1 if len(kept) <= _FLAT_ROWS else round(2 * np.sqrt(len(kept)))
    if lists == 1:
        centres, belongs = standard.mean(axis=0, keepdims=True), np.zeros(len(kept), dtype=np.int64)
    else:
        centres, belongs = _clusters(standard, lists, generator)
    order = np.argsort(belongs, kind="stable")
    ends = np.cumsum(np.bincount(belongs, minlength=lists))
    return write_tables(path, {"rows": kept[order], "columns": columns, "centres": centres, "ends": ends})


class ContentIndex:
    """An opened index; see `voices.retrieval.Retrieval`."""

    DEFAULT_RATIO: ClassVar[float] = 0.3

    def __init__(
        self,
        rows: NDArray[np.float16],
        columns: NDArray[np.float32],
        centres: NDArray[np.float32],
        ends: NDArray[np.int64],
    ) -> None:
        import faiss

        self._rows, self._columns = rows, columns
        standard = _standardised(rows, columns)
        coarse = faiss.IndexFlatL2(rows.shape[1])
        coarse.add(centres)
        self._search = faiss.IndexIVFFlat(coarse, rows.shape[1], len(centres))
        self._search.is_trained = True
        self._search.nprobe = min(len(centres), max(8, round(len(centres) * _PROBED_SHARE)))
        belongs = np.repeat(np.arange(len(centres)), np.diff(ends, prepend=0)).astype(np.int64)
        for start in range(0, len(rows), MAX_ROWS // 4):
            part = slice(start, start + MAX_ROWS // 4)
            ids = np.arange(len(rows), dtype=np.int64)[part]
            self._search.add_core(
                len(ids), faiss.swig_ptr(standard[part]), faiss.swig_ptr(ids), faiss.swig_ptr(belongs[part])
            )

    @classmethod
    def read(cls, path: Path) -> ContentIndex:
        """Open what `build_index` wrote.

        Raises
        ------
        WeightsError
            When the file is damaged or its arrays do not fit together.
        """
        parts = dict(zip(_NAMES, read_tables(path, *_NAMES), strict=True))
        _check(parts, path)
        return cls(**parts)

    @property
    def width(self) -> int:
        """Floats a row."""
        return int(self._rows.shape[1])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def nearest(
        self, content: NDArray[np.floating[Any]], k: int = NEAREST
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return numbers of the k nearest rows and their squared distances, both (n, k); fewer in a tiny index.

        Distances are in squared deviations. A search that finds too few in the lists it looks into gives the number
        -1 and an infinite distance.
        """
        wanted = _standardised(content, self._columns)
        _, numbers = self._search.search(wanted, min(k, len(self)))
        numbers = np.asarray(numbers, dtype=np.int64)
        # Again and exactly: faiss's sums depend on how many queries it was given at a time.
        found = _standardised(self._rows[np.maximum(numbers, 0)], self._columns)  # (n, k, width)
        squares = np.square(found - wanted[:, None, :], dtype=np.float64).sum(axis=2)
        return numbers, np.where(numbers >= 0, squares, np.inf)

    def blend(
        self,
        content: NDArray[np.floating[Any]],
        ratio: float | NDArray[np.floating[Any]],
        k: int = NEAREST,
        *,
        singer: int = 0,
    ) -> NDArray[np.float32]:
        """Draw content towards the voice's own; see `voices.retrieval.Retrieval.blend`. All singers share it.

        The mean of the `k` nearest rows, weighted by 1 / squared distance, is mixed with the content by `ratio`.
        """
        check_width(content, self.width)
        share = np.broadcast_to(np.asarray(ratio, dtype=np.float32), (len(content),))
        blended = np.array(content, dtype=np.float32)
        for start in range(0, len(content), BLOCK_ROWS):
            here = start + np.flatnonzero(share[start : start + BLOCK_ROWS] > 0.0)
            if not len(here):
                continue
            numbers, squares = self.nearest(content[here], k)
            # A row that is in the index itself has distance 0.
            weights = 1.0 / np.maximum(squares, 1e-6 * self.width)
            weights /= weights.sum(axis=1, keepdims=True)
            rows = self._rows[np.maximum(numbers, 0)].astype(np.float32)
            answer = np.einsum("nk,nkw->nw", weights.astype(np.float32), rows)
            blended[here] += share[here, None] * (answer - blended[here])
        return blended


def _columns(rows: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return mean and deviation of each column as (2, width)."""
    total = np.zeros((2, rows.shape[1]))
    for start in range(0, len(rows), BLOCK_ROWS):
        part = rows[start : start + BLOCK_ROWS].astype(np.float64)
        total += (part.sum(axis=0), np.square(part).sum(axis=0))
    mean, square = total / len(rows)
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    return np.stack([mean, np.where(spread > 1e-4, spread, 1.0)]).astype(np.float32)


def _standardised(rows: NDArray[np.floating[Any]], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    standard = (np.asarray(rows, dtype=np.float32) - columns[0]) / columns[1]
    return np.ascontiguousarray(np.clip(standard, -_LIMIT, _LIMIT))


def _clusters(
    standard: NDArray[np.float32], lists: int, generator: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return `lists` centres (k-means) and the list of each row."""
    import faiss

    chosen = np.sort(
        generator.choice(len(standard), min(len(standard), _TRAINED_ROWS * lists), replace=False)
    )
    seed = int(generator.integers(1, 2**31 - 1))
    means = faiss.Kmeans(standard.shape[1], lists, niter=_ROUNDS, seed=seed, max_points_per_centroid=10**9)
    means.train(standard[chosen])
    _, belongs = means.index.search(standard, 1)
    return np.asarray(means.centroids, dtype=np.float32), np.asarray(belongs[:, 0], dtype=np.int64)


def _check(parts: dict[str, NDArray[Any]], path: Path) -> None:
    rows, columns, centres, ends = (parts[name] for name in _NAMES)
    kinds = (np.float16, np.float32, np.float32, np.int64)
    fits = (
        all(part.dtype == kind for part, kind in zip(parts.values(), kinds, strict=True))
        and rows.ndim == centres.ndim == columns.ndim == 2
        and ends.shape == centres.shape[:1]
        and len(rows) >= 1
        and len(centres) >= 1
        and columns.shape == (2, rows.shape[1])
        and centres.shape[1] == rows.shape[1]
        and bool((np.diff(ends, prepend=0) >= 0).all())
        and ends[-1] == len(rows)
        and bool((columns[1] > 0).all())
        and all(np.isfinite(part).all() for part in (rows, columns, centres))
    )
    if not fits:
        raise no_index(path, "its arrays do not fit together")
