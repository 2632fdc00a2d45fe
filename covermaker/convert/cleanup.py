"""What the source still decides after the network has sung: silences, levels, consonants.

A network sings a little of everything everywhere: hiss in gaps, breaths as buzz. Three corrections, all computed
on the source's own clock, so none of them can shift the vocal in time:

- `level_gain`: the output rises and falls when the source does, its level is held near the source's where the
  source is quiet, and everywhere when `loudness_mix` asks for it. Levels are those of `features.loudness`
  (46 ms Hann, centred on the frame).
- `SilenceGate`: where the source is digitally silent, so is the output, exactly.
- `ConsonantBlend` (`protect`): unvoiced frames take the source's own high band. What lies above 2 kHz in a
  consonant or a breath says little of who sings, and much of what is sung.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.features.clock import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

# Below this source level the output may be at most QUIET_HEADROOM_DB louder; above it the allowance grows twice as
# fast as the level, so that at -40 dB nothing is held back any more.
QUIET_DB = -60.0
QUIET_HEADROOM_DB = 3.0
QUIET_SLOPE = 2.0
MAX_BOOST_DB = 12.0  # following the source never lifts more: a network that is silent stays so
MAX_CUT_DB = 24.0  # differences beyond this are a gap, not a level; the quiet limit deals with them
AUDIBLE_DB = -50.0  # frames that count as singing when levels are compared
SLOW_SECONDS = 1.0

SILENT_PEAK = 1e-5  # -100 dBFS, below half a step of 16 bits
CELLS_PER_SECOND = 200
FADE_CELLS = 3  # 15 ms
SHORTEST_SILENCE_CELLS = 8  # 40 ms; anything shorter is no gap

PROTECT_OFF = 0.5
CONSONANT_HZ = 2_000.0
CONSONANT_FLOOR_DB = -60.0


def level_gain(
    source_db: NDArray[np.floating[Any]], output_db: NDArray[np.floating[Any]], *, loudness_mix: float
) -> NDArray[np.float64]:
    """Return the gain in dB of each frame that brings the output's level where the source wants it.

    The difference between the two has a slow part, its mean over a second of audible singing, and a quick one.
    The quick one is always taken from the source: it is what puts attacks and releases where the singer put them.
    `loudness_mix` decides about the slow one.

    Parameters
    ----------
    source_db, output_db : arrays (n,)
        Levels of the source and of the network's output on the feature clock, dBFS.
    loudness_mix : float
        0 = follow the source's contour exactly, 1 = keep the network's level, between: that share of it, in dB.

    Returns
    -------
    float64 array (n,)
        Never above `MAX_BOOST_DB`.
    """
    source = np.asarray(source_db, dtype=np.float64)
    output = np.asarray(output_db, dtype=np.float64)
    difference = np.clip(source - output, -MAX_CUT_DB, MAX_BOOST_DB)
    follow = difference - loudness_mix * _slow_part(difference, source > AUDIBLE_DB)
    follow = np.minimum(follow, MAX_BOOST_DB)
    allowed = source + QUIET_HEADROOM_DB + QUIET_SLOPE * np.maximum(0.0, source - QUIET_DB)
    return follow + np.minimum(0.0, allowed - (output + follow))


def _slow_part(difference_db: NDArray[np.float64], audible: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean over `SLOW_SECONDS` (Hann) of the audible frames; it falls to 0 where there are none."""
    half = round(SLOW_SECONDS * FRAME_RATE / 2)
    window = np.hanning(2 * half + 1)

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.convolve(values, window)[half : half + len(values)]

    weight = smooth(audible.astype(np.float64))
    total = smooth(np.where(audible, difference_db, 0.0))
    # A tenth of a frame of 0 dB: too little to count among notes, enough for a soft end half a second after one.
    slow: NDArray[np.float64] = total / (weight + 0.1)
    return slow


class FrameCurve:
    """A curve on the feature clock, read at any sample: straight lines between frame centres, ends held.

    Parameters
    ----------
    values : array (n,)
        One value a frame; frame 0 sits on sample 0.
    sample_rate : int
        In Hz.
    points_per_second : int
        100 for the feature clock.
    """

    def __init__(
        self, values: NDArray[np.floating[Any]], sample_rate: int, *, points_per_second: int = FRAME_RATE
    ) -> None:
        self._values = np.asarray(values, dtype=np.float64)
        self._scale = points_per_second / sample_rate

    def at(self, start: int, count: int) -> Samples:
        """Return the values at samples ``start .. start + count`` as (count,) float32."""
        first = int(start * self._scale)
        last = int((start + count) * self._scale) + 2
        near = self._values[first : last + 1]
        if not len(near):
            near, first = self._values[-1:], len(self._values) - 1
        positions = np.arange(start, start + count) * self._scale - first
        values: Samples = np.interp(positions, np.arange(len(near)), near).astype(np.float32)
        return values


def silence_curve(seconds: Iterable[Samples], sample_rate: int) -> FrameCurve:
    """Find where the source is digitally silent and return the gain that silences the output there.

    The gain is exactly 0 inside a silence; it falls over the first 15 ms of it and rises over the last 15 ms, so
    no sample of the sound around it is touched. A silence that reaches the start or the end has no fade there.

    Parameters
    ----------
    seconds : iterable of float32 arrays (channels, n)
        The source in blocks of exactly one second, the last one shorter.
    sample_rate : int
        In Hz.
    """
    edges = np.arange(CELLS_PER_SECOND) * sample_rate // CELLS_PER_SECOND
    peaks = [
        np.maximum.reduceat(np.abs(block).max(axis=0), edges[edges < block.shape[-1]])
        for block in seconds
        if block.shape[-1]
    ]
    silent = np.concatenate(peaks) <= SILENT_PEAK if peaks else np.zeros(0, dtype=bool)
    gain = np.ones(len(silent) + 1)  # at the cells' borders
    change = np.flatnonzero(np.diff(np.concatenate(([False], silent, [False])).astype(np.int8)))
    for first, last in zip(change[::2], change[1::2], strict=True):
        if last - first < SHORTEST_SILENCE_CELLS:
            continue
        border = np.arange(first, last + 1)
        fall = border - first if first else np.full(len(border), FADE_CELLS)
        rise = last - border if last < len(silent) else np.full(len(border), FADE_CELLS)
        gain[first : last + 1] = 1.0 - np.minimum(np.minimum(fall, rise), FADE_CELLS) / FADE_CELLS
    return FrameCurve(gain, sample_rate, points_per_second=CELLS_PER_SECOND)


class ConsonantBlend:
    """Blends the source's high band into the unvoiced frames, block after block.

    With a high-pass H, weight w and both signals unrelated noise, ``y + (sqrt(1-w) - 1) H y + sqrt(w) H x`` keeps
    the power and leaves what lies below `CONSONANT_HZ` alone.

    Parameters
    ----------
    f0_hz : array (n,)
        Pitch in Hz, 0 = unvoiced.
    source_db : array (n,)
        The source's level in dBFS; frames below `CONSONANT_FLOOR_DB` take nothing.
    protect : float
        0..0.5, the field's usual scale: 0.5 blends nothing, 0 takes the whole high band from the source.
    sample_rate : int
        In Hz.
    """

    def __init__(
        self,
        f0_hz: NDArray[np.floating[Any]],
        source_db: NDArray[np.floating[Any]],
        *,
        protect: float,
        sample_rate: int,
    ) -> None:
        from scipy.signal import butter

        open_frames = (np.asarray(f0_hz) <= 0) & (np.asarray(source_db) > CONSONANT_FLOOR_DB)
        padded = np.pad(open_frames.astype(np.float64), 1, mode="edge")
        eased = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4  # 20 ms into and out of a consonant
        self._weight = FrameCurve(eased * (1.0 - protect / PROTECT_OFF), sample_rate)
        self._sections = butter(
            4, min(CONSONANT_HZ, 0.45 * sample_rate), "highpass", fs=sample_rate, output="sos"
        )
        self._states = [np.zeros((len(self._sections), 2)) for _ in range(2)]

    def apply(self, output: Samples, source: Samples, start: int) -> Samples:
        """Return `output` (n,) with the consonants of `source` (n,); blocks must follow each other."""
        from scipy.signal import sosfilt

        high = []
        for index, signal in enumerate((output, source)):
            filtered, self._states[index] = sosfilt(self._sections, signal, zi=self._states[index])
            high.append(filtered)
        weight = self._weight.at(start, len(output)).astype(np.float64)
        blended = output + (np.sqrt(1.0 - weight) - 1.0) * high[0] + np.sqrt(weight) * high[1]
        return np.asarray(blended, dtype=np.float32)
