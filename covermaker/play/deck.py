"""Two tapes on one time line, with a loop: what the render-ahead is filled from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.play.tape import Tape

# A loop up to this long is kept in memory after its first pass: a compressed file, which can only be decoded from its
# start, is then not decoded again for every pass. 60 s of two stereo files at 48 kHz are 46 MB.
LOOP_MEMORY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Block:
    """Frames `start` and following of the time line: float32 (A and B, left and right, frames)."""

    start: int
    samples: NDArray[np.float32]

    @property
    def frames(self) -> int:
        """How many frames."""
        return int(self.samples.shape[2])


class Deck:
    """Reads A and B in step; knows nothing of which one is heard.

    Parameters
    ----------
    tapes : tuple of one or two tapes
        Same rate; the shorter one is silent after its end.
    loop : tuple of two frames, optional
        First frame and the one after the last.
    """

    def __init__(self, tapes: tuple[Tape, ...], loop: tuple[int, int] | None = None) -> None:
        self._tapes = tapes
        self.frames = max(tape.frames for tape in tapes)
        self.sample_rate = tapes[0].sample_rate
        self._at = 0
        self._loop: tuple[int, int] | None = None
        self._kept: NDArray[np.float32] | None = None
        self._pass: list[NDArray[np.float32]] | None = None
        self.set_loop(loop)

    @property
    def loop(self) -> tuple[int, int] | None:
        """The loop, cut to the length of the time line; None when nothing of it is left."""
        return self._loop

    @property
    def position(self) -> int:
        """The frame that `read` gives next."""
        return self._at

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Change the loop; what is read next goes on from where it was."""
        if loop is not None:
            loop = (max(0, loop[0]), min(loop[1], self.frames))
            loop = loop if loop[0] < loop[1] else None
        if loop != self._loop:
            self._loop, self._kept, self._pass = loop, None, None

    def seek(self, frame: int) -> None:
        """Go to a frame; the end of the loop is its start."""
        frame = min(max(0, frame), self.frames)
        if self._loop is not None and frame == self._loop[1]:
            frame = self._loop[0]
        self._go(frame)

    def read(self, frames: int) -> Block | None:
        """Return the next block of at most `frames`, ending at the loop's end; None at the end of the time line."""
        start, loop = self._at, self._loop
        inside = loop is not None and start < loop[1]
        end = loop[1] if loop is not None and inside else self.frames
        frames = min(frames, end - start)
        if frames <= 0:
            return None
        if self._kept is not None and loop is not None and loop[0] <= start < loop[1]:
            samples = self._kept[:, :, start - loop[0] : start - loop[0] + frames]
        else:
            for tape in self._tapes:
                tape.seek(start)
            parts = [tape.read(frames) for tape in self._tapes]
            # Alone, A is heard on both sides.
            samples = np.stack(parts) if len(parts) == 2 else np.broadcast_to(parts[0], (2, *parts[0].shape))
            if self._pass is not None:
                self._pass.append(samples)
        self._at += frames
        if inside and loop is not None and self._at == loop[1]:
            if self._pass is not None:
                self._kept = np.concatenate(self._pass, axis=2)
            self._go(loop[0])
        return Block(start, samples)

    def _go(self, frame: int) -> None:
        self._at = frame
        loop = self._loop
        whole = loop is not None and frame == loop[0] and self._kept is None
        short = loop is not None and loop[1] - loop[0] <= LOOP_MEMORY_SECONDS * self.sample_rate
        self._pass = [] if whole and short else None
