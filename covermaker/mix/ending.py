"""How a mix ends: cut to the song's length, or with everything that still rings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.audio.files import Writer

Tail: TypeAlias = Literal["song", "full"]

TAIL_CAP_SECONDS = 10.0
_TAIL_FLOOR = 10.0 ** (-90.0 / 20.0)
_RINGING = 10.0 ** (-60.0 / 20.0)
_FADE_SECONDS = 0.010


def fade_frames(sample_rate: int) -> int:
    """Return how long the fade at the end of a mix is that does not end in silence."""
    return round(_FADE_SECONDS * sample_rate)


def rings(end: Samples) -> bool:
    """Tell whether the last `fade_frames` of a mix are no silence."""
    return bool(end.size) and float(np.abs(end).max()) > _RINGING


def fade_out(end: NDArray[Any]) -> None:
    """Fade (channels, n) samples to zero, in place."""
    ramp = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, end.shape[-1] + 1) / end.shape[-1])
    end *= ramp.astype(np.float32)


class Ending:
    """Passes a mix on to its file, and decides at its end what the last frames are.

    Parameters
    ----------
    writer : Writer
        Of the stereo file.
    frames : int
        Length of the song.
    tail : {"song", "full"}
        ``"song"`` expects exactly `frames` and keeps them all; ``"full"`` drops what comes after both the song's end
        and the last sample above -90 dBFS. Either way, a last 10 ms with a peak above -60 dBFS fades to zero.
    sample_rate : int
        In Hz.
    """

    def __init__(self, writer: Writer, *, frames: int, tail: Tail, sample_rate: int) -> None:
        self.peak = 0.0
        self.faded = False
        self._writer = writer
        self._tail = tail
        self._keep = frames
        self._seen = 0
        self._fade_frames = fade_frames(sample_rate)
        # What may still be faded or dropped; at most a block and the capped tail.
        self._held: Samples = np.zeros((2, 0), np.float32)

    def push(self, block: Samples) -> None:
        """Add the next (2, n) samples."""
        if self._tail == "full":
            loud = np.flatnonzero(np.abs(block).max(axis=0) > _TAIL_FLOOR)
            if len(loud):
                self._keep = max(self._keep, self._seen + int(loud[-1]) + 1)
        self._seen += block.shape[-1]
        self._held = np.concatenate([self._held, block], axis=1)
        self._write(min(self._seen, self._keep) - self._fade_frames)

    def close(self) -> None:
        """Write the end."""
        last = self._held[:, : self._keep - self._writer.frames]
        fading = last[:, -self._fade_frames :] if self._fade_frames else last[:, :0]
        if rings(fading):
            fade_out(fading)
            self.faded = True
        self._write(self._keep)

    def _write(self, until: int) -> None:
        count = until - self._writer.frames
        if count <= 0:
            return
        done = np.ascontiguousarray(self._held[:, :count])
        self._held = self._held[:, count:]
        self.peak = max(self.peak, float(np.abs(done).max()))
        self._writer.write(done)
