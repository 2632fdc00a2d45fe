"""Chunks that overlap and cross-fade: the one place where long signals are cut and put together again.

A signal of `total` positions (samples or feature frames) is covered by chunks of at most `chunk` positions,
neighbours sharing `overlap` of them. Over a shared stretch the older chunk fades out linearly and the newer fades
in; the two weights sum to one, so chunks that agree there are joined without a trace, and a signal that is passed
through unchanged comes back unchanged (to float rounding). Only the shared stretch is held back, so memory does
not grow with length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Chunk:
    """Positions ``start <= i < stop`` of a signal; `fade_in` of them are shared with the chunk before."""

    index: int
    start: int
    stop: int
    fade_in: int
    last: bool

    @property
    def length(self) -> int:
        """Number of positions."""
        return self.stop - self.start


def plan(total: int, *, chunk: int, overlap: int) -> Iterator[Chunk]:
    """Cover `total` positions with chunks of `chunk`, neighbours sharing `overlap`.

    The last chunk is as long as what is left. A last chunk that would hold nothing but shared positions is never
    made.

    Raises
    ------
    ValueError
        When `overlap` is negative or not below `chunk`.
    """
    if not 0 <= overlap < chunk:
        raise ValueError(f"overlap {overlap} must be 0 or more and below the chunk length {chunk}")
    if total <= 0:
        return
    step = chunk - overlap
    index, start = 0, 0
    while True:
        stop = min(start + chunk, total)
        yield Chunk(index, start, stop, overlap if index else 0, stop == total)
        if stop == total:
            return
        index, start = index + 1, start + step


class OverlapAdd:
    """Joins the processed chunks of `plan`, pushed in order.

    ``push`` returns the positions that no later chunk can change, as (…, n); over a whole signal the returned
    parts add up to exactly `total` positions. Works on any float array whose last axis is the position.
    """

    def __init__(self) -> None:
        self._held: NDArray[np.floating[Any]] | None = None

    def push(self, chunk: Chunk, block: NDArray[np.floating[Any]], *, next_overlap: int) -> NDArray[Any]:
        """Add one processed chunk.

        Parameters
        ----------
        chunk : Chunk
            As planned.
        block : float array (…, chunk.length)
            Its processed content.
        next_overlap : int
            How many positions at its end the next chunk shares; ignored for the last chunk.
        """
        if block.shape[-1] != chunk.length:
            raise ValueError(f"chunk {chunk.index} has {chunk.length} positions, its block {block.shape[-1]}")
        block = np.array(block)
        if chunk.fade_in:
            if self._held is None or self._held.shape[-1] != chunk.fade_in:
                raise ValueError("chunks must be pushed in order")
            ramp = fade_in_ramp(chunk.fade_in).astype(block.dtype)
            block[..., : chunk.fade_in] = block[..., : chunk.fade_in] * ramp + self._held * (1 - ramp)
        keep = 0 if chunk.last else next_overlap
        done = block[..., : chunk.length - keep]
        self._held = block[..., chunk.length - keep :] if keep else None
        return done


def fade_in_ramp(length: int) -> NDArray[np.float64]:
    """Return linear weights strictly inside 0..1; ``1 - ramp`` is the matching fade-out."""
    return (np.arange(length) + 0.5) / length
