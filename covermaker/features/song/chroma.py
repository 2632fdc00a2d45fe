"""Which notes sound when: the level of the 12 pitch classes, eleven times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from covermaker.units import A4_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_RATE = 22_050
HOP = 2048
_FRAME = 4096  # 0.19 s: notes a semitone apart are told apart from G3 up, well enough below
_LOW_HZ, _HIGH_HZ = 100.0, 2093.0
_PARTS = 3  # of a semitone: the song's tuning is known at its end only


class ChromaFrames:
    """Listens to blocks of one channel at `SAMPLE_RATE`; any cut into blocks finds the same.

    Frame i is centred at ``(i * HOP + 2048) / SAMPLE_RATE`` seconds.
    """

    def __init__(self) -> None:
        self._held = np.zeros(0, np.float32)
        self._window = np.hanning(_FRAME).astype(np.float32)
        bins = np.arange(round(_LOW_HZ * _FRAME / SAMPLE_RATE), round(_HIGH_HZ * _FRAME / SAMPLE_RATE))
        self._bins = slice(int(bins[0]), int(bins[-1]) + 1)
        pitch = 69.0 + 12.0 * np.log2(bins * SAMPLE_RATE / _FRAME / A4_HZ)
        part = np.round(pitch * _PARTS).astype(int) % (12 * _PARTS)
        self._fold = np.zeros((len(bins), 12 * _PARTS), np.float32)
        self._fold[np.arange(len(bins)), part] = 1.0
        self._rows: list[NDArray[np.float32]] = []

    def push(self, block: NDArray[np.float32]) -> None:
        """Take the next (n,) samples in."""
        self._held = np.concatenate([self._held, block])
        count = (len(self._held) - _FRAME) // HOP + 1 if len(self._held) >= _FRAME else 0
        if not count:
            return
        frames = np.lib.stride_tricks.sliding_window_view(self._held, _FRAME)[::HOP][:count]
        level = np.abs(np.fft.rfft(frames * self._window, axis=1))[:, self._bins].astype(np.float32)
        # Peaks alone: what drums spread over all bins is no note. The root keeps one loud voice from being all.
        peak = np.zeros_like(level)
        inner = level[:, 1:-1]
        peak[:, 1:-1] = np.where((inner > level[:, :-2]) & (inner >= level[:, 2:]), inner, 0.0)
        self._rows.append(np.sqrt(peak) @ self._fold)
        self._held = self._held[count * HOP :]

    def finish(self, tuning_cents: float = 0.0) -> NDArray[np.float64]:
        """Return (m, 12) levels of the pitch classes, C first, in the song's own tuning."""
        rows = np.concatenate(self._rows) if self._rows else np.zeros((0, 12 * _PARTS), np.float32)
        shift = round(tuning_cents / 100.0 * _PARTS)
        # A class takes the third of a semitone around its middle and the two beside it.
        turned = np.roll(rows, 1 - shift, axis=1).reshape(len(rows), 12, _PARTS)
        return np.asarray(turned.sum(axis=2), np.float64)
