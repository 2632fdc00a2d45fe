"""A vocal as pitch methods see it: mono at 16 kHz, in pieces that know their surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.features.clock import FRAME_RATE, frame_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SAMPLE_RATE = 16000
HOP_SAMPLES = SAMPLE_RATE // FRAME_RATE
PIECE_FRAMES = 3000  # 30 s: long enough that the context costs little, short enough for any machine


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the vocal.

    Parameters
    ----------
    samples : float32 array (n,)
        Sound at 16 kHz: the wanted frames and the context on both sides. Frame j of the piece is centred at
        sample ``160 * j``.
    skip, keep : int
        Frames `skip` to ``skip + keep - 1`` are wanted, those before and after are context.
    audible : bool array (frames of the piece,)
        False where the vocal is silent: whatever a method says of such a frame is ignored.
    """

    samples: NDArray[np.float32]
    skip: int
    keep: int
    audible: NDArray[np.bool_]

    @property
    def frames(self) -> int:
        """Number of frames with the context."""
        return len(self.audible)

    def wanted(self, values: Any) -> Any:
        """Take the wanted frames out of an array or tensor with one row for each frame of the piece."""
        return values[self.skip : self.skip + self.keep]


class Recording:
    """A vocal that can be read any number of times.

    Parameters
    ----------
    read : callable
        Starts a reading: yields mono float32 blocks at 16 kHz.
    audible : bool array (frames,)
        The silence gate on the feature clock.
    piece_frames : int
        How many frames a piece holds beside its context.
    """

    def __init__(
        self,
        read: Callable[[], Iterator[NDArray[np.float32]]],
        audible: NDArray[np.bool_],
        *,
        piece_frames: int = PIECE_FRAMES,
    ) -> None:
        self._read = read
        self._audible = audible
        self._piece_frames = piece_frames

    def pieces(self, *, context_frames: int, align_frames: int = 1) -> Iterator[Piece]:
        """Yield the vocal in order; every frame is wanted exactly once.

        Parameters
        ----------
        context_frames : int
            How far, in frames, a method looks to either side. At the ends of the vocal there is less.
        align_frames : int
            Every piece begins at a multiple of this: for methods that pool frames or keep a clock of their own,
            whose grid must not move with the cuts.
        """
        held = np.zeros(0, dtype=np.float32)
        first = 0  # frame at which `held` begins
        wanted = 0  # first frame not yet handed out
        full = self._piece_frames + context_frames
        for block in self._read():
            held = np.concatenate((held, block))
            while len(held) > (wanted + full - first) * HOP_SAMPLES:
                end = wanted + full - first
                yield self._piece(held[: end * HOP_SAMPLES], first, end, wanted, self._piece_frames)
                wanted += self._piece_frames
                following = max(0, wanted - context_frames) // align_frames * align_frames
                held, first = held[(following - first) * HOP_SAMPLES :], following
        end = frame_count(len(held), SAMPLE_RATE)
        yield self._piece(held, first, end, wanted, first + end - wanted)

    def _piece(self, samples: NDArray[np.float32], first: int, frames: int, wanted: int, keep: int) -> Piece:
        audible = np.zeros(frames, dtype=np.bool_)
        known = self._audible[first : first + frames]
        audible[: len(known)] = known
        return Piece(samples, wanted - first, keep, audible)
