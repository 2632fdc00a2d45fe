"""Filters whose coefficients may move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from covermaker.audio.buffer import Samples
from covermaker.effects.filters import Sections, SectionStream
from covermaker.effects.spec import MOVE_SAMPLES

IDENTITY: Sections = np.array([[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]])

# States below this are zero, looked at on a fixed grid: see `covermaker.effects.filters`.
_TINY = 1e-20
_CALM_SAMPLES = 4096

_FADE = np.arange(1, MOVE_SAMPLES + 1) / MOVE_SAMPLES


class MovingSections:
    """A `SectionStream` whose sections can be replaced while it runs, one by one or all at once.

    Until something moves it is that stream, of the sections that do anything, to the bit. From the first move on the
    same structure (transposed direct form II) runs sample by sample, from the very state the stream had. A move fades
    within `MOVE_SAMPLES` from the old coefficients to the new ones, both started from that state.

    Parameters
    ----------
    sections : array
        As many as there may ever be: one that is off now is `IDENTITY`.
    channels : int
        1 or 2.
    """

    def __init__(self, sections: Sections, channels: int) -> None:
        self.sections = sections
        self._active = (sections != IDENTITY).any(axis=1)
        used = sections[self._active]
        self._stream = SectionStream(used, channels) if len(used) else None
        self._channels = channels
        self._state: NDArray[np.float64] | None = None  # (sections, channels, 2) from the first move on
        self._old = sections
        self._old_state = np.zeros(0)
        self._faded = MOVE_SAMPLES
        self._until_calm = _CALM_SAMPLES

    @property
    def idle(self) -> bool:
        """Whether `process` gives every block back as it is."""
        return self._state is None and self._stream is None

    def move(self, sections: Sections) -> None:
        """Take other sections, as many as before; on the grid of `MOVE_SAMPLES`."""
        if np.array_equal(sections, self.sections):
            return
        if self._state is None:
            self._state = np.zeros((len(sections), self._channels, 2))
            if self._stream is not None:
                state = self._stream.state().reshape(self._channels, -1, 2)
                self._state[self._active] = state.transpose(1, 0, 2)
            self._stream = None
        self._old, self._old_state = self.sections, self._state.copy()
        self.sections = sections
        self._active |= (sections != IDENTITY).any(axis=1)
        self._faded = 0

    def process(self, block: Samples | NDArray[np.float64]) -> Samples | NDArray[np.float64]:
        """Return the filtered block; the block itself while no section does anything."""
        if self._state is None:
            return block if self._stream is None else self._stream.process(block)
        frames = block.shape[-1]
        filtered = np.empty(block.shape)
        done = 0
        while done < frames:
            left = MOVE_SAMPLES - self._faded
            stop = done + min(frames - done, self._until_calm, left or frames)
            filtered[:, done:stop] = self._run(block[:, done:stop].astype(np.float64), self._state)
            self._until_calm -= stop - done
            if not self._until_calm:
                self._until_calm = _CALM_SAMPLES
                self._state[np.abs(self._state) < _TINY] = 0.0
            done = stop
        return filtered

    def _run(self, samples: NDArray[np.float64], state: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the filtered samples; the state moves on."""
        from scipy.signal import sosfilt

        used = self._active
        made = samples
        if used.any():
            made, state[used] = sosfilt(self.sections[used], samples, zi=state[used])
        if self._faded < MOVE_SAMPLES:
            old, self._old_state[used] = sosfilt(self._old[used], samples, zi=self._old_state[used])
            fade = _FADE[self._faded : self._faded + samples.shape[1]]
            self._faded += samples.shape[1]
            made = old + (made - old) * fade
            if self._faded == MOVE_SAMPLES:  # what was switched off has forgotten everything by now
                self._active = (self.sections != IDENTITY).any(axis=1)
        return made
