"""Pieces of work that wait for a place."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from covermaker.batch.engines.ray_song import Piece

    Heap = list[tuple[tuple[int, int], int, Piece]]


class Waiting:
    """Hands out what waits: first what the asking node has the files of, then the oldest of all.

    A song so stays on a node as long as that is busy with its songs, and reads from the node's own memory what it wrote
    there; but no node is idle while another has more than it can do.
    """

    def __init__(self) -> None:
        self._heaps: dict[tuple[bool, str], Heap] = {}
        self._pieces: set[Piece] = set()
        self.singing = 0  # of them need networks
        self._counter = itertools.count()

    def put(self, piece: Piece) -> None:
        """Let a piece wait."""
        self._pieces.add(piece)
        self.singing += piece.sings
        entry = (piece.order, next(self._counter), piece)
        for home in {"", piece.song.last}:
            heapq.heappush(self._heaps.setdefault((piece.sings, home), []), entry)

    def take(self, home: str, *, sings: bool) -> Piece | None:
        """Return the next piece for a node, which waits no more; None when there is none."""
        for place in (home, ""):
            heap = self._heaps.get((sings, place), [])
            while heap:
                piece = heapq.heappop(heap)[2]
                if piece in self._pieces:
                    self._pieces.discard(piece)
                    self.singing -= piece.sings
                    if piece in piece.song.flying:
                        return piece
        return None
