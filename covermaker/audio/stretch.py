"""Reading a file as the part of a song that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.files import blocks, probe

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from covermaker.audio.buffer import Samples

_BLOCK_FRAMES = 1 << 16


class StretchReader:
    """Gives a song's samples from a frame on, silence where the file has nothing; to be closed.

    Parameters
    ----------
    path : Path
        Any number of channels.
    offset : int
        Frame of the song at which the file's first frame stands.
    start : int
        Frame of the song to begin with.
    block_frames : int
        Read at once.
    """

    def __init__(
        self, path: Path, *, offset: int = 0, start: int = 0, block_frames: int = _BLOCK_FRAMES
    ) -> None:
        self.info = probe(path)
        self._lead = max(0, offset - start)
        self._blocks: Generator[Samples, None, None] = _generated(path, block_frames, max(0, start - offset))
        self._held: Samples = np.zeros((self.info.channels, 0), np.float32)

    def take(self, frames: int) -> Samples:
        """Return the next `frames`, (channels, frames)."""
        lead = min(frames, self._lead)
        self._lead -= lead
        wanted = frames - lead
        parts: list[Samples] = [np.zeros((self.info.channels, lead), np.float32)] if lead else []
        while wanted:
            if not self._held.shape[1]:
                self._held = next(self._blocks, self._held)
            if not self._held.shape[1]:
                parts.append(np.zeros((self.info.channels, wanted), np.float32))
                break
            part = self._held[:, :wanted]
            self._held = self._held[:, part.shape[1] :]
            wanted -= part.shape[1]
            parts.append(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [self._held[:, :0]], axis=1)

    def close(self) -> None:
        """Close the file."""
        self._blocks.close()


def _generated(path: Path, block_frames: int, start: int) -> Generator[Samples, None, None]:
    yield from blocks(path, block_frames=block_frames, start=start)
