"""The key of a song: which pitch classes sound how much, compared with how they sound in each key.

Spectral peaks between C2 and C7 are collected by pitch class, after the song's own tuning is taken out. The 24 keys
are compared by correlation as in Krumhansl (1990), chapter 4. What each key sounds like is between the probe-tone
profiles of Krumhansl and Kessler (1982), which tell a key from its relative better, and those that Temperley counted in
pieces (Music and Probability, 2007), which tell it better from the key a fifth above, where its overtones lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from covermaker.units import A4_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_RATE = 22_050
_FRAME = 16_384  # 0.74 s: notes a semitone apart are told apart from C2 up
_HOP = 8192
_LOW_HZ, _HIGH_HZ = 65.4, 2093.0
_BINS = 120  # of 10 cents
_FLOOR = 0.02  # of a frame's loudest peak; below lie the noise of drums and the sidelobes of the window
_SILENCE = 1e-4

# Below this correlation no key explains the song.
_LEAST = 0.35
# How much correlation makes one key e times as likely as another.
_SCALE = 0.05

_HEARD = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
_COUNTED = {
    "major": (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
    "minor": (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
}
_COUNTED_SHARE = 0.6  # the made songs of the tests and the demo song are all told right from 0.5 to 0.7
_NAMES = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True, slots=True)
class Key:
    """A key, written as ``[convert.pitch_correction] scale`` reads it.

    Attributes
    ----------
    name : str
        ``"F# minor"``.
    confidence : float
        0 to 1: the share that this key has of all 24, each weighed by how well it explains the song.
    tuning_cents : float
        How far the song is off A4 = 440 Hz, -50 to 50.
    relative : str
        The key of the other mode with the same notes: what is taken for the key most easily.
    relative_confidence : float
        Its share of all 24.
    """

    name: str
    confidence: float
    tuning_cents: float
    relative: str
    relative_confidence: float


class KeyFinder:
    """Listens to blocks of one channel at `SAMPLE_RATE`; any cut into blocks finds the same."""

    def __init__(self) -> None:
        self._held = np.zeros(0, np.float32)
        self._window = np.hanning(_FRAME).astype(np.float32)
        self._histogram = np.zeros(_BINS)

    def push(self, block: NDArray[np.float32]) -> None:
        """Take the next (n,) samples in."""
        self._held = np.concatenate([self._held, block])
        while len(self._held) >= _FRAME:
            self._frame(self._held[:_FRAME])
            self._held = self._held[_HOP:]

    def finish(self) -> Key | None:
        """Return the key; None for silence, or for what is in no key."""
        if not self._histogram.any() and len(self._held) > _FRAME // 8:
            self._frame(np.pad(self._held, (0, _FRAME - len(self._held))))  # shorter than one frame
        if not self._histogram.any():
            return None
        offset, chroma = _tuned(self._histogram)
        correlations = {
            f"{_NAMES[mode][tonic]} {mode}": float(np.corrcoef(np.roll(_profile(mode), tonic), chroma)[0, 1])
            for mode in _NAMES
            for tonic in range(12)
        }
        best = max(correlations, key=correlations.__getitem__)
        if not correlations[best] >= _LEAST:
            return None
        weights = {
            name: np.exp((value - correlations[best]) / _SCALE) for name, value in correlations.items()
        }
        total = sum(weights.values())
        relative = relative_of(best)
        return Key(best, float(weights[best] / total), offset, relative, float(weights[relative] / total))

    def _frame(self, samples: NDArray[np.float32]) -> None:
        spectrum = np.abs(np.fft.rfft(samples * self._window))
        low, high = (round(hz * _FRAME / SAMPLE_RATE) for hz in (_LOW_HZ, _HIGH_HZ))
        level = spectrum[low - 1 : high + 2]
        inner = level[1:-1]
        loudest = inner.max()
        if loudest < _SILENCE * _FRAME:
            return
        peaks = np.flatnonzero((inner > level[:-2]) & (inner >= level[2:]) & (inner > _FLOOR * loudest))
        # Between the bins, by the parabola through the logarithms of a peak and its neighbours.
        left, mid, right = (np.log(level[peaks + shift] + 1e-12) for shift in (0, 1, 2))
        bins = low + peaks + 0.5 * (left - right) / np.minimum(left - 2.0 * mid + right, -1e-9)
        pitch = 69.0 + 12.0 * np.log2(bins * SAMPLE_RATE / _FRAME / A4_HZ)
        # The square root keeps a loud bass from being the whole song.
        weights = np.sqrt(inner[peaks])
        places = np.round((pitch % 12.0) * (_BINS / 12)).astype(int) % _BINS
        self._histogram += np.bincount(places, weights / weights.sum(), minlength=_BINS)


def _profile(mode: str) -> NDArray[np.float64]:
    """Return how much each of the 12 pitch classes is heard in a key on C."""
    heard, counted = (np.array(table[mode]) for table in (_HEARD, _COUNTED))
    heard, counted = ((row - row.mean()) / row.std() for row in (heard, counted))
    profile: NDArray[np.float64] = (1.0 - _COUNTED_SHARE) * heard + _COUNTED_SHARE * counted
    return profile


def relative_of(key: str) -> str:
    """Return the relative of a major or minor key of `Key.name`: ``"A minor"`` of ``"C major"``."""
    tonic, _, mode = key.partition(" ")
    number = _NAMES[mode].index(tonic)
    return (
        f"{_NAMES['minor'][(number + 9) % 12]} minor"
        if mode == "major"
        else f"{_NAMES['major'][(number + 3) % 12]} major"
    )


def moved_key(key: str | None, semitones: int) -> str | None:
    """Return a key so many semitones higher; one that is neither major nor minor is not told."""
    tonic, _, mode = (key or "").partition(" ")
    if mode not in _NAMES:
        return None
    if semitones % 12 == 0:
        return key
    number = _PITCH_CLASSES[tonic[0].upper()] + {"#": 1, "b": -1}.get(tonic[1:], 0)
    return f"{_NAMES[mode][(number + semitones) % 12]} {mode}"


def _tuned(histogram: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return how many cents off the tuning is, and the weight of the 12 pitch classes in it."""
    width = _BINS // 12
    turns = np.exp(2j * np.pi * np.arange(_BINS) / width)
    offset = float(np.angle((histogram * turns).sum()) / (2.0 * np.pi))
    distance = (np.arange(_BINS) / width - offset) % 12.0
    nearest = np.round(distance).astype(int) % 12
    chroma = np.zeros(12)
    np.add.at(chroma, nearest, histogram)
    return 100.0 * offset, chroma
