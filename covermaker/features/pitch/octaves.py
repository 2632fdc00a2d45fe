"""Which octave the sound speaks for: what lies between the harmonics of a reading.

Who reads a low voice an octave too high has heard its even harmonics only. Half way between them, at the odd harmonics
of the true pitch, is sound as well, as loud as they are and above the valleys to both sides; where the reading is
right there is nothing. A third of the pitch shows in the same way at the thirds, and a reading that is too low at its
own odd harmonics: they are missing.

A bass or a chord an octave under the voice leaves partials between the harmonics, too, but faint ones. So they count
for a lower pitch only where they are about as loud as the harmonics beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.features.pitch.recording import HOP_SAMPLES, SAMPLE_RATE
from covermaker.features.pitch.repair import FACTORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.features.pitch.recording import Piece, Recording

_FFT = 2048
_WINDOW_PERIODS = {2: 8.0, 3: 12.0}  # the partials of half and third of the pitch, resolved
_WINDOWS = tuple(round(SAMPLE_RATE * 0.032 * 2.0 ** (step / 2)) for step in range(5))  # 32 to 128 ms, samples
_CONTEXT_FRAMES = max(_WINDOWS) // 2 // HOP_SAMPLES + 1
_BATCH_FRAMES = 512
_HARMONICS = 12  # higher ones are smeared by vibrato, and miss where the reading is a little out
_HIGHEST_HZ = 4000.0
_HEARD_DB = (
    40.0  # harmonics so far under the loudest of the frame have no vote, and a full one 10 dB above that
)
_FULL_VOTE_DB = 10.0
_CONTRAST_DB = (-6.0, 20.0)  # no single harmonic says more
_LEVEL_DB = 30.0
# Set on re-sung speech, plain, in noise, in a hall and separated again: nine frames of ten are told by the first alone.
_STANDS_OUT_DB = 3.0  # above the valleys
_AS_LOUD_DB = -10.0  # beside the harmonics
_FAINT_DB = -12.0
_SURE_DB = 6.0  # from not at all to certain


def hear_octaves(
    vocal: Recording, f0_hz: NDArray[np.float32], *, f0_min_hz: float, f0_max_hz: float
) -> NDArray[np.float32]:
    """Find out what the sound says of a reading and of its octaves and twelfths.

    Parameters
    ----------
    vocal : Recording
        What was read.
    f0_hz : float32 array (frames,)
        The reading on the feature clock; 0 = unvoiced.
    f0_min_hz, f0_max_hz : float
        Nothing outside is spoken for.

    Returns
    -------
    float32 array (frames, factors)
        For each of `repair.FACTORS`: 1 where the sound is sure that the pitch is the reading times that, -1 where it
        is sure that it is not, -inf outside the limits. 0 where nothing is known: of the reading itself, of unvoiced
        frames.
    """
    support = np.zeros((len(f0_hz), len(FACTORS)), dtype=np.float32)
    first = 0
    for piece in vocal.pieces(context_frames=_CONTEXT_FRAMES):
        read = f0_hz[first : first + piece.keep]
        voiced = np.flatnonzero(read)
        for batch in np.split(voiced, range(_BATCH_FRAMES, len(voiced), _BATCH_FRAMES)):
            support[first + batch] = _support(piece, piece.skip + batch, read[batch])
        first += piece.keep
    moved_hz = f0_hz[:, None] * FACTORS
    support[(f0_hz[:, None] > 0) & ((moved_hz < f0_min_hz) | (moved_hz > f0_max_hz))] = -np.inf
    return support


def _support(piece: Piece, frames: NDArray[np.int64], f0_hz: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the support (frames, factors) of some frames of a piece, -1..1."""
    by_factor = {1.0: np.zeros(len(frames), dtype=np.float32)}
    for parts in _WINDOW_PERIODS:
        lower, higher = np.zeros((2, len(frames)), dtype=np.float32)
        windows = _window_numbers(f0_hz, parts)
        for number in np.unique(windows):
            chosen = windows == number
            power = _power(piece.samples, frames[chosen], _WINDOWS[number])
            contrast_db, level_db = _between(power, f0_hz[chosen], parts)
            lower[chosen] = _sureness(contrast_db - _STANDS_OUT_DB, level_db - _AS_LOUD_DB)
            contrast_db, level_db = _between(power, parts * f0_hz[chosen], parts)
            higher[chosen] = _sureness(_STANDS_OUT_DB - contrast_db, _FAINT_DB - level_db)
        by_factor[float(parts)], by_factor[1 / parts] = higher, lower
    # Two octaves are not listened for; they are as wrong as the octave on the way to them.
    by_factor[4.0], by_factor[0.25] = np.minimum(by_factor[2.0], 0), np.minimum(by_factor[0.5], 0)
    return np.stack([by_factor[factor] for factor in FACTORS.tolist()], axis=1)


def _sureness(by_contrast_db: NDArray[np.float32], by_level_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return -1..1: for a pitch both have to speak, against it the contrast is enough."""
    pro = np.clip(np.minimum(by_contrast_db, by_level_db) / _SURE_DB, 0.0, 1.0)
    return np.asarray(np.where(by_contrast_db > 0, pro, np.maximum(by_contrast_db / _SURE_DB, -1.0)))


def _window_numbers(f0_hz: NDArray[np.float32], parts: int) -> NDArray[np.int64]:
    """Return which of `_WINDOWS` (frames,) is nearest to the wanted number of periods."""
    wanted = _WINDOW_PERIODS[parts] * SAMPLE_RATE / f0_hz
    steps = np.rint(2.0 * np.log2(wanted / _WINDOWS[0]))
    return np.asarray(np.clip(steps, 0, len(_WINDOWS) - 1), dtype=np.int64)


def _power(samples: NDArray[np.float32], frames: NDArray[np.int64], window: int) -> NDArray[np.float32]:
    """Return power spectra (frames, bins) of windows centred on frames; beyond the ends is silence."""
    padded = np.pad(samples, (window // 2, window))
    shape = np.hanning(window + 2)[1:-1].astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)[frames * HOP_SAMPLES] * (
        shape / shape.sum()
    )
    spectrum = np.fft.rfft(windows, _FFT)
    return np.asarray(spectrum.real**2 + spectrum.imag**2, dtype=np.float32)


def _between(
    power: NDArray[np.float32], pitch_hz: NDArray[np.float32], parts: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Measure what lies between the harmonics of a pitch, at the other multiples of its `parts`-th part.

    Returns
    -------
    contrast_db, level_db : float32 array (frames,)
        How far that stands above the valleys beside it, and above the harmonics: means over the first harmonics,
        each with a vote where it is heard.
    """
    pitch = pitch_hz[:, None, None]
    order = np.arange(_HARMONICS)[:, None]
    between = _level_db(power, (order + np.arange(1, parts) / parts) * pitch).mean(axis=2)
    valleys = _level_db(power, (order + (np.arange(parts) + 0.5) / parts) * pitch).mean(axis=2)
    above = _level_db(power, (order + 1) * pitch)[:, :, 0]
    below = np.concatenate((above[:, :1], above[:, :-1]), axis=1)  # under the first there is no other
    loudest = np.maximum(between, np.maximum(above, below))
    loudest[:, 1:][(order[1:, 0] + 1) * pitch[:, :, 0] > _HIGHEST_HZ] = -np.inf
    vote = (loudest - loudest.max(axis=1, keepdims=True) + _HEARD_DB) / _FULL_VOTE_DB
    vote = np.clip(vote, 0.0, 1.0)
    vote /= vote.sum(axis=1, keepdims=True)
    contrast = np.clip(between - valleys, *_CONTRAST_DB)
    level = np.clip(between - (above + below) / 2, -_LEVEL_DB, _LEVEL_DB)
    return (contrast * vote).sum(axis=1), (level * vote).sum(axis=1)


def _level_db(power: NDArray[np.float32], hz: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return the level of spectra (frames, bins) at frequencies (frames, …)."""
    place = np.clip(hz * (_FFT / SAMPLE_RATE), 0, power.shape[1] - 2).reshape(len(power), -1)
    bins = place.astype(np.int64)
    share = (place - bins).astype(np.float32)
    low, high = (np.take_along_axis(power, at, axis=1) for at in (bins, bins + 1))
    level_db: NDArray[np.float32] = 10.0 * np.log10(low + share * (high - low) + np.float32(1e-12))
    return level_db.reshape(hz.shape)
