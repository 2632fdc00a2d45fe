"""A file as stereo at the device's rate, readable from any frame."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from covermaker.audio.downmix import stereo_matrix
from covermaker.audio.files import blocks, probe
from covermaker.audio.resample import Resampler, resampled_frames
from covermaker.errors import AudioInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from covermaker.audio.buffer import Samples

# Frames of the file at a time: small, so that the first sound after a seek comes at once.
_BLOCK_FRAMES = 8192

# The resampler's filter looks back: from this many frames earlier on, its output is that of the whole file, bit for
# bit (256 are enough for every pair of usual rates; the rest is distance).
_RUN_UP_FRAMES = 1024


class Tape:
    """One file on the time line.

    Parameters
    ----------
    path : Path
        Any readable file; mono goes to both sides, more than two channels are mixed down.
    sample_rate : int
        The device's rate in Hz; every frame number here counts at this rate.
    at_seconds : float
        Where on the time line the file begins; silence before it.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    """

    def __init__(self, path: Path, sample_rate: int, *, at_seconds: float = 0.0) -> None:
        self.path, self.sample_rate = path, sample_rate
        self._info = probe(path)
        self._begins = round(at_seconds * sample_rate)
        self.frames = self._begins + resampled_frames(self._info.frames, self._info.sample_rate, sample_rate)
        self._matrix = stereo_matrix(self._info.channels) if self._info.channels > 2 else None
        self._at = 0
        self._parts: Iterator[Samples] | None = None
        self._held: Samples = np.zeros((2, 0), np.float32)

    def seek(self, frame: int) -> None:
        """Go to a frame of the time line; the file is opened again at the next `read`."""
        if frame != self._at:
            self._at, self._parts = frame, None

    def read(self, frames: int) -> Samples:
        """Return the next (2, frames) samples; silence before the file begins and after it ends."""
        out = np.zeros((2, frames), np.float32)
        done = min(frames, max(0, self._begins - self._at))
        wanted = min(frames, self.frames - self._at)
        if wanted > done and self._parts is None:
            self._parts = self._from(self._at + done - self._begins)
            self._held = np.zeros((2, 0), np.float32)
        while wanted > done and self._parts is not None:
            if not self._held.shape[1]:
                part = next(self._parts, None)
                if part is None:
                    break  # A file cut short under our hands: the rest is silence.
                self._held = part
                continue
            take = min(wanted - done, self._held.shape[1])
            out[:, done : done + take] = self._held[:, :take]
            self._held = self._held[:, take:]
            done += take
        self._at += frames
        return out

    def _from(self, frame: int) -> Iterator[Samples]:
        """Yield the file from `frame` (of its own, at the device's rate) on, as if it had been read whole."""
        source_rate, rate = self._info.sample_rate, self.sample_rate
        divisor = gcd(source_rate, rate)
        # One step: the shortest stretch with a whole number of frames at both rates. The resampler must start on one.
        step_in, step_out = source_rate // divisor, rate // divisor
        run_up = -(-_RUN_UP_FRAMES // step_in) if source_rate != rate else 0
        steps = max(0, frame // step_out - run_up)
        skip = frame - steps * step_out
        stream = Resampler(source_rate, rate, 2)
        for block in blocks(self.path, block_frames=_BLOCK_FRAMES, start=steps * step_in):
            part = stream.push(self._stereo(block))
            yield part[:, skip:]
            skip = max(0, skip - part.shape[1])
        yield stream.finish()[:, skip:]

    def _stereo(self, block: Samples) -> Samples:
        if not np.isfinite(block).all():
            raise AudioInputError(
                f"'{self.path}' holds NaN or infinite samples", hint="render or export the file again"
            )
        if self._matrix is not None:
            return np.ascontiguousarray(self._matrix @ block, dtype=np.float32)
        return np.repeat(block, 2, axis=0) if block.shape[0] == 1 else block
