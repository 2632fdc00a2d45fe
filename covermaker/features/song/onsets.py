"""Where sounds begin in a song, and what it sounds like there: how much the level of bands of the spectrum rises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_RATE = 22_050
HOP = 256
RATE = SAMPLE_RATE / HOP  # onset values a second
TIMBRE_FRAMES = 32  # onset values that make one row of timbre: 0.37 s
BANDS = 36

_FRAME = 1024
_LOW_HZ, _HIGH_HZ = 40.0, 10_000.0
_BASS_HZ = 150.0
_SOFTER = 4.0  # nepers of power, 17 dB below the loudest third of a second
# An attack shows once the window's end reaches it: the logarithm sees it long before the window's middle does.
# Measured with clicks and drums, see tests/features/test_beats.py.
_SEEN_SAMPLES = 720


class OnsetStrength:
    """Listens to blocks of one channel at `SAMPLE_RATE`; any cut into blocks finds the same.

    The strength of onset value i is the mean over bands of the rise of their logarithmic power since value i - 1.
    """

    def __init__(self) -> None:
        self._held = np.zeros(0, np.float32)
        self._window = np.hanning(_FRAME).astype(np.float32)
        edges = np.geomspace(_LOW_HZ, _HIGH_HZ, BANDS + 1) * _FRAME / SAMPLE_RATE
        # The lowest bands share bins: each takes one at least.
        self._starts = np.maximum.accumulate(np.maximum(edges[:-1].astype(int), np.arange(1, BANDS + 1)))
        self._end = int(edges[-1])
        self._bass = max(1, int(np.searchsorted(self._starts, _BASS_HZ * _FRAME / SAMPLE_RATE)))
        self._first: float | None = None
        self._last: NDArray[np.float64] | None = None
        self._rises: list[NDArray[np.float64]] = []
        self._bass_rises: list[NDArray[np.float64]] = []
        self._levels = np.zeros((0, BANDS))
        self._timbre: list[NDArray[np.float64]] = []

    def push(self, block: NDArray[np.float32]) -> None:
        """Take the next (n,) samples in."""
        self._held = np.concatenate([self._held, block])
        count = (len(self._held) - _FRAME) // HOP + 1 if len(self._held) >= _FRAME else 0
        if not count:
            return
        frames = np.lib.stride_tricks.sliding_window_view(self._held, _FRAME)[::HOP][:count]
        power = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2
        bands = np.log(np.add.reduceat(power[:, : self._end], self._starts, axis=1) + 1e-3)
        if self._first is None:
            self._first = float(bands[0].mean())
        before = bands[:1] if self._last is None else self._last[None]
        rises = np.maximum(np.diff(bands, axis=0, prepend=before), 0.0)
        self._rises.append(rises.mean(axis=1))
        self._bass_rises.append(rises[:, : self._bass].mean(axis=1))
        self._last = bands[-1]
        self._held = self._held[count * HOP :]
        self._keep_timbre(bands)

    def _keep_timbre(self, bands: NDArray[np.float64]) -> None:
        self._levels = np.concatenate([self._levels, bands])
        whole = len(self._levels) // TIMBRE_FRAMES
        if whole:
            rows = self._levels[: whole * TIMBRE_FRAMES].reshape(whole, TIMBRE_FRAMES, BANDS)
            self._timbre.append(rows.mean(axis=1))
            self._levels = self._levels[whole * TIMBRE_FRAMES :]

    @property
    def strength(self) -> NDArray[np.float64]:
        """Onset strength (n,) so far, `RATE` values a second; see `time_of`."""
        return np.concatenate(self._rises) if self._rises else np.zeros(0)

    @property
    def begins_at_once(self) -> bool:
        """Whether it sounds from the first sample on: nothing rises there that could be seen."""
        if self._first is None or not self._timbre:
            return False
        return self._first > float(self.timbre.mean(axis=1).max()) - _SOFTER

    @property
    def bass(self) -> NDArray[np.float64]:
        """The same below 150 Hz: kick drums, the bass."""
        return np.concatenate(self._bass_rises) if self._bass_rises else np.zeros(0)

    @property
    def timbre(self) -> NDArray[np.float64]:
        """Mean logarithmic power of the bands, a row every `TIMBRE_FRAMES` onset values, (m, `BANDS`)."""
        return np.concatenate(self._timbre) if self._timbre else np.zeros((0, BANDS))


def time_of(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return when the sounds began that show at places (fractions allowed) of the onset strength, in seconds."""
    seconds: NDArray[np.float64] = np.maximum(0.0, (place * HOP + _SEEN_SAMPLES) / SAMPLE_RATE)
    return seconds


def place_of(seconds: float) -> float:
    """Return the place in the onset strength where a sound shows that begins then."""
    return (seconds * SAMPLE_RATE - _SEEN_SAMPLES) / HOP
