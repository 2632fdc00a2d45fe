"""What is rendered ahead of the ear, and the last stage before it: A or B, level, fades.

The device's thread takes frames here and never waits for a file. Both sides are rendered ahead, and the choice
between them is made on the way out, so a switch is heard with the next frames of the device, in time to the sample.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from covermaker.play.deck import Block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples
    from covermaker.play.messages import Side

# A hard cut between two sounds clicks; over 5 ms it does not. The fade begins at the sample of the command.
FADE_SECONDS = 0.005


class Ahead:
    """The render-ahead queue. `pull` is for the device's thread, everything else for one other thread.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    prime_seconds : float
        Nothing is given out after `clear` before so much is ready: a device asks for several periods at once.
    """

    def __init__(self, sample_rate: int, *, prime_seconds: float = 0.0) -> None:
        self.sample_rate = sample_rate
        self._prime_seconds = prime_seconds
        self.fade_frames = max(1, round(FADE_SECONDS * sample_rate))
        self.pulled_at = time.monotonic()
        self._lock = threading.Lock()
        self._blocks: deque[Block] = deque()
        self._offset = 0  # frames of the first block that were heard
        self._frames = 0
        self._position = 0
        self._closed = False
        self._primed = False  # whether enough has come since the last `clear`
        self._playing = False
        self._hearing: Side = "a"
        self._gains = (1.0, 1.0)
        self._weights = self._target = self._from = np.array([1.0, 0.0], np.float32)
        self._ramp_left = 0
        self._risen = self.fade_frames  # how much of the fade-in was heard
        self._leaving: Samples = np.zeros((2, 0), np.float32)
        self._peak: Samples = np.zeros(2, np.float32)
        self._gap_frames = 0

    # -- what the listener wishes --------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        """Whether frames are given out."""
        return self._playing

    @property
    def hearing(self) -> Side:
        """The side that is heard."""
        return self._hearing

    def play(self) -> None:
        """Give out frames from the next `pull` on."""
        with self._lock:
            if not self._playing:
                self._playing = True
                self._rise()

    def pause(self) -> None:
        """Fade out and stay at this frame."""
        with self._lock:
            if self._playing:
                self._leave()
                self._playing = False

    def switch(self, side: Side) -> None:
        """Hear the other side from the next frame on, over a short fade."""
        with self._lock:
            self._hearing = side
            self._aim()

    def set_gains(self, gain_a: float, gain_b: float) -> None:
        """Set the level of each side as a factor, over the same fade."""
        with self._lock:
            self._gains = (gain_a, gain_b)
            self._aim()

    # -- filling -------------------------------------------------------------------------------------------

    @property
    def frames(self) -> int:
        """Frames that are ready."""
        return self._frames

    @property
    def position(self) -> int:
        """The next frame of the time line that will be heard."""
        with self._lock:
            return self._next()

    @property
    def closed(self) -> bool:
        """Whether nothing follows what is ready."""
        return self._closed

    @property
    def ended(self) -> bool:
        """Whether everything up to the end was heard."""
        with self._lock:
            return self._closed and not self._frames

    def put(self, block: Block) -> None:
        """Append a block."""
        with self._lock:
            self._append(block)

    def close(self) -> None:
        """Say that nothing follows: when all is heard, playing ends."""
        with self._lock:
            self._closed = True

    def retune(self, sample_rate: int) -> None:
        """Drop everything and go on at another rate, with the same wishes."""
        with self._lock:
            self.sample_rate = sample_rate
            self.fade_frames = max(1, round(FADE_SECONDS * sample_rate))
            self._drop(0)
            self._weights, self._ramp_left = self._target, 0
            self._risen = self.fade_frames
            self._leaving = np.zeros((2, 0), np.float32)

    def clear(self, position: int) -> None:
        """Drop everything; the next block starts at `position`. What was about to be heard fades out."""
        with self._lock:
            if self._playing:
                self._leave()
            self._drop(position)
            self._rise()

    def seam(self, lead_frames: int) -> int:
        """Return the frame at which other sound could follow without a gap: at most `lead_frames` ahead."""
        with self._lock:
            at = self._next()
            end = min(at + lead_frames, at + self._frames)
            for start, samples in self._waiting():
                if start != at or at >= end:
                    break
                at = min(end, at + samples.shape[2])
            return at

    def splice(self, frame: int, blocks: Iterable[Block]) -> bool:
        """Put `blocks` in place of everything from `frame` on, which `seam` gave; blended over a short fade.

        Returns
        -------
        bool
            False when that frame was already heard: nothing is changed then.
        """
        with self._lock:
            found = self._cut(frame)
            if found is None:
                return False
            kept, old = found
            primed = self._primed
            self._drop(frame)
            self._primed = primed
            for block in kept:
                self._append(block)
            done = 0
            for block in blocks:
                self._append(_blended(old, block, done))
                done += block.frames
            return True

    # -- the way out ---------------------------------------------------------------------------------------

    def pull(self, frames: int) -> Samples:
        """Return the next (2, n) samples, n at most `frames`: fewer, or none, when nothing is to be heard."""
        with self._lock:
            self.pulled_at = time.monotonic()
            out = np.zeros((2, frames), np.float32)
            used = 0
            if self._playing and self._is_primed():
                while used < frames and self._frames:
                    used += self._take(out[:, used:])
                if used < frames and not self._closed:
                    self._gap_frames += frames - used
                    used = frames
                if self._closed and not self._frames and used:
                    self._playing = False
            faded = min(frames, self._leaving.shape[1])
            if faded:
                out[:, :faded] += self._leaving[:, :faded]
                self._leaving = self._leaving[:, faded:]
            out = out[:, : max(used, faded)]
            if out.shape[1]:
                self._peak = np.maximum(self._peak, np.abs(out).max(axis=1))
            return out

    def report(self) -> tuple[tuple[float, float], int]:
        """Return the peak of each channel and the frames of silence for want of sound, since the last call."""
        with self._lock:
            peak, gap = (float(self._peak[0]), float(self._peak[1])), self._gap_frames
            self._peak, self._gap_frames = np.zeros(2, np.float32), 0
            return peak, gap

    # -- inside, with the lock held ------------------------------------------------------------------------

    def _is_primed(self) -> bool:
        if not self._primed and self._frames:
            self._primed = self._closed or self._frames >= self._prime_seconds * self.sample_rate
        return self._primed

    def _next(self) -> int:
        return self._blocks[0].start + self._offset if self._blocks else self._position

    def _append(self, block: Block) -> None:
        if block.frames:
            self._blocks.append(block)
            self._frames += block.frames

    def _drop(self, position: int) -> None:
        self._blocks.clear()
        self._offset = self._frames = 0
        self._position, self._closed, self._primed = position, False, False

    def _waiting(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield (start, samples) of what is ready, the first block without its heard part."""
        offset = self._offset
        for block in self._blocks:
            yield block.start + offset, block.samples[:, :, offset:]
            offset = 0

    def _cut(self, frame: int) -> tuple[list[Block], NDArray[np.float32]] | None:
        """Return what is ready before `frame` and the first frames after it; None when it is not to be had."""
        at = self._next()
        kept: list[Block] = []
        after = [np.zeros((2, 2, 0), np.float32)]
        for start, samples in self._waiting():
            if at == frame:
                after.append(samples)
                continue
            left = frame - start
            if start != at or left < 0:
                return None
            kept.append(Block(start, samples[:, :, :left]))
            after.append(samples[:, :, left:])
            at += kept[-1].frames
        return (kept, np.concatenate(after, axis=2)[:, :, : self.fade_frames]) if at == frame else None

    def _aim(self) -> None:
        wanted = [0.0, 0.0]
        index = 1 if self._hearing == "b" else 0
        wanted[index] = self._gains[index]
        target = np.array(wanted, np.float32)
        if np.array_equal(target, self._target):
            return
        self._from, self._target = self._weights, target
        if self._playing and self._primed:
            self._ramp_left = self.fade_frames
        else:
            self._weights, self._ramp_left = target, 0

    def _rise(self) -> None:
        """Fade in, save at the very beginning of the time line: an attack there is the song's own."""
        self._risen = 0 if self._next() else self.fade_frames

    def _leave(self) -> None:
        """Keep the next few frames to be faded out over whatever follows."""
        left = self.fade_frames
        parts: list[Samples] = []
        for _, samples in self._waiting():
            parts.append(_weighted(samples[:, :, :left], self._weights))
            left -= parts[-1].shape[1]
            if left <= 0:
                break
        if parts:
            tail = np.concatenate(parts, axis=1)
            self._leaving = tail * np.linspace(1.0, 0.0, tail.shape[1], endpoint=False, dtype=np.float32)

    def _take(self, out: Samples) -> int:
        """Move frames of the first block to `out`; returns how many."""
        block = self._blocks[0]
        count = min(int(out.shape[1]), block.frames - self._offset)
        if self._ramp_left:
            count = min(count, self._ramp_left)
        samples = block.samples[:, :, self._offset : self._offset + count]
        if self._ramp_left:
            done = self.fade_frames - self._ramp_left
            share = np.arange(done + 1, done + count + 1, dtype=np.float32) / np.float32(self.fade_frames)
            weights = self._from[:, None] + (self._target - self._from)[:, None] * share[None, :]
            self._ramp_left -= count
            self._weights = weights[:, -1] if self._ramp_left else self._target
            out[:, :count] = _weighted(samples, weights)
        else:
            out[:, :count] = _weighted(samples, self._weights)
        if self._risen < self.fade_frames:
            rising = min(count, self.fade_frames - self._risen)
            share = np.arange(self._risen, self._risen + rising, dtype=np.float32)
            out[:, :rising] *= share / np.float32(self.fade_frames)
            self._risen += rising
        self._offset += count
        self._frames -= count
        self._position = block.start + self._offset
        if self._offset == block.frames:
            self._blocks.popleft()
            self._offset = 0
        return count


def _weighted(samples: NDArray[np.float32], weights: NDArray[np.float32]) -> Samples:
    """Mix (2, 2, n) to (2, n) by a weight a side, or a weight a side and frame."""
    mixed: Samples = samples[0] * weights[0] + samples[1] * weights[1]
    return mixed


def _blended(old: NDArray[np.float32], block: Block, done: int) -> Block:
    """Let the old sound, of which `done` frames are over, pass into the first frames of a block."""
    rest = old[:, :, done : done + block.frames]
    if not rest.shape[2]:
        return block
    share = np.arange(done, done + rest.shape[2], dtype=np.float32) / np.float32(old.shape[2])
    new = block.samples.copy()
    new[:, :, : rest.shape[2]] = rest + (new[:, :, : rest.shape[2]] - rest) * share
    return Block(block.start, new)
