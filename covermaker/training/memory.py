"""What a voice remembers of its content: the means of clusters of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 6
_ROWS_PER_CLUSTER = 10  # more change the means little and cost time


def cluster_means(rows: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cluster rows by their direction (spherical k-means, Dhillon & Modha 2001).

    Parameters
    ----------
    rows : float32 array (n, d)
    count : int
        Clusters wanted. With fewer rows than that, rows repeat.
    rng : numpy.random.Generator
        Draws the first centres, and the rows that are used when there are more than 10 a cluster.

    Returns
    -------
    float32 array (count, d)
        The mean row of each cluster, lengths kept.
    """
    if len(rows) <= count:
        return rows[np.arange(count) % len(rows)].astype(np.float32)
    rows = rows[rng.permutation(len(rows))[: count * _ROWS_PER_CLUSTER]]
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    centres = unit[:count].copy()
    nearest = np.zeros(len(unit), dtype=np.int64)
    for _ in range(_ROUNDS):
        for start in range(0, len(unit), 8192):  # the table of likenesses stays small
            nearest[start : start + 8192] = (unit[start : start + 8192] @ centres.T).argmax(axis=1)
        sums = _sums(unit, nearest, count)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-9), centres).astype(np.float32)
    members = np.bincount(nearest, minlength=count)[:, None]
    # A centre that lost all its rows stays where it was, at a row's usual length.
    usual = float(np.median(np.linalg.norm(rows, axis=1)))
    means = _sums(rows, nearest, count) / np.maximum(members, 1)
    return np.where(members > 0, means, centres * usual).astype(np.float32)


def _sums(rows: NDArray[np.float32], nearest: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the sum of the rows of each cluster."""
    order = np.argsort(nearest, kind="stable")
    present, first = np.unique(nearest[order], return_index=True)
    sums = np.zeros((count, rows.shape[1]))
    sums[present] = np.add.reduceat(rows[order].astype(np.float64), first, axis=0)
    return sums
