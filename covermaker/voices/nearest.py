"""Exact nearest rows of a table, the same for a row whoever is asked beside it.

A matrix product finds candidates quickly, but its rounding depends on how many rows are asked at a time. So a few more
than wanted are taken, and their distances computed again, one by one in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPARE = 8  # candidates beyond those wanted: rounding never swaps as many neighbours
_ASKED = 256  # at a time
_LOOKED_AT = 8192  # rows of the table at a time


def nearest_rows(
    asked: NDArray[np.float32], table: NDArray[np.floating[Any]], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the numbers of the nearest rows of a table and their squared distances, nearest first.

    Parameters
    ----------
    asked : float32 array (n, width)
    table : float array (rows, width)
        May be mapped.
    count : int
        How many, at least 1; as many as there are in a shorter table. Of equally near rows the first is taken.

    Returns
    -------
    numbers : int64 array (n, found)
    squares : float64 array (n, found)
    """
    found = min(count, len(table))
    numbers = np.empty((len(asked), found), dtype=np.int64)
    squares = np.empty((len(asked), found))
    for start in range(0, len(asked), _ASKED):
        here = slice(start, start + _ASKED)
        numbers[here], squares[here] = _few(asked[here], table, found)
    return numbers, squares


def _few(
    asked: NDArray[np.float32], table: NDArray[np.floating[Any]], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    numbers = np.sort(_candidates(asked, table, count + _SPARE), axis=1)
    squares = np.empty(numbers.shape)
    for row, (one, others) in enumerate(zip(asked.astype(np.float64), numbers, strict=True)):
        squares[row] = np.square(table[others] - one).sum(axis=1)
    order = np.argsort(squares, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(numbers, order, axis=1), np.take_along_axis(squares, order, axis=1)


def _candidates(
    asked: NDArray[np.float32], table: NDArray[np.floating[Any]], count: int
) -> NDArray[np.int64]:
    """Return at least the nearest `count` but for rounding, in any order."""
    numbers = np.empty((len(asked), 0), dtype=np.int64)
    scores = np.empty((len(asked), 0), dtype=np.float32)
    for start in range(0, len(table), _LOOKED_AT):
        part = np.asarray(table[start : start + _LOOKED_AT], dtype=np.float32)
        # Squared distance less the square of what is asked, which is the same for all.
        near = np.square(part).sum(axis=1) - 2.0 * (asked @ part.T)
        scores = np.concatenate([scores, near], axis=1)
        here = np.broadcast_to(np.arange(start, start + len(part)), near.shape)
        numbers = np.concatenate([numbers, here], axis=1)
        if scores.shape[1] > count:
            kept = np.argpartition(scores, count - 1, axis=1)[:, :count]
            scores = np.take_along_axis(scores, kept, axis=1)
            numbers = np.take_along_axis(numbers, kept, axis=1)
    return numbers
