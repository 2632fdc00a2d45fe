"""`protect`: where nobody sings a pitch, the source's own noise is heard, whole and at the voice's level.

A consonant or a breath says little of who sings and much of what is sung, and networks sing them as metal. Frames
without pitch therefore take the source's sound in place of the network's, in two bands:

- above `CONSONANT_HZ` at once: no voice is near enough to be heard there;
- from `BREATH_HZ` up, only away from voiced frames: in the 20 ms beside a note the source's own singer still
  sounds below 2 kHz.

The bands come from symmetric FIR filters with their delay taken off, so a band that is taken out of one signal is out
altogether (a recursive filter's ``1 - H`` lets most of it through) and nothing moves in time. Weights run in
straight lines between frame centres and are 0 on every voiced frame, so what is sung is never touched, to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.convert.curves import FrameCurve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.audio.buffer import Samples

PROTECT_OFF = 0.5
CONSONANT_HZ = 2_000.0
BREATH_HZ = 250.0  # below lie thumps and what is left of the bass
FLOOR_DB = -60.0
_EDGE_FRAMES = 3  # beside voiced frames the lower band waits this long, less one for its own ramp
_TAPS_SECONDS = 0.016  # the filters' length: both edges fall over about 350 Hz


class ConsonantBlend:
    """Blends the source into unvoiced frames, block after block, `delay` samples late.

    With a band B, its weight w and two unrelated noises, ``y + (sqrt(1-w) - 1) B y + sqrt(w) B x`` keeps the power.

    Parameters
    ----------
    f0_hz : array (n,)
        Pitch in Hz, 0 = unvoiced.
    source_db : array (n,)
        The source's level in dBFS; frames below `FLOOR_DB` take nothing.
    level_db : array (n,)
        By how much the voice is louder than the source; the source is brought up by it.
    protect : float
        0..0.5, the field's usual scale: 0.5 blends nothing, 0 takes everything from the source.
    sample_rate : int
        In Hz.
    """

    def __init__(
        self,
        f0_hz: NDArray[np.floating[Any]],
        source_db: NDArray[np.floating[Any]],
        level_db: NDArray[np.floating[Any]],
        *,
        protect: float,
        sample_rate: int,
    ) -> None:
        unvoiced = np.asarray(f0_hz) <= 0
        heard = np.asarray(source_db) > FLOOR_DB
        share = 1.0 - protect / PROTECT_OFF
        self._weights = [
            FrameCurve(share * _eased(frames & heard), sample_rate)
            for frames in (unvoiced, _inside(unvoiced, _EDGE_FRAMES))
        ]
        self._level = FrameCurve(10.0 ** (np.asarray(level_db) / 20.0), sample_rate)
        half = round(_TAPS_SECONDS * sample_rate / 2)
        self._taps = _band_taps(half, sample_rate)
        self._held = np.zeros((2, 2 * half))  # the ends of output and source
        self._position = -half  # of the next sample that comes out
        self.delay = half

    def push(self, output: Samples, source: Samples) -> Samples:
        """Take the next samples (n,) of both; return as many as are ready, the first `delay` of all left out."""
        pair = np.concatenate([self._held, np.stack([output, source])], axis=1)
        self._held = pair[:, pair.shape[1] - 2 * self.delay :]
        count = pair.shape[1] - 2 * self.delay
        skip = min(count, max(0, -self._position))
        start, self._position = self._position + skip, self._position + count
        return self._blend(pair[:, skip:], start, count - skip)

    def finish(self) -> Samples:
        """Return the last `delay` samples, or fewer when fewer were pushed."""
        silence = np.zeros(self.delay, dtype=np.float32)
        return self.push(silence, silence)

    def _blend(self, pair: NDArray[np.float64], start: int, count: int) -> Samples:
        from scipy.signal import oaconvolve

        middle = pair[:, self.delay : self.delay + count]
        blended = middle[0].copy()
        weights = [curve.at(start, count).astype(np.float64) for curve in self._weights]
        if any(weight.any() for weight in weights):
            level = self._level.at(start, count)
            for weight, taps in zip(weights, self._taps, strict=True):
                band = oaconvolve(pair, taps[None, :], mode="valid", axes=1)[:, :count]
                change = (np.sqrt(1.0 - weight) - 1.0) * band[0] + np.sqrt(weight) * level * band[1]
                blended += np.where(weight > 0.0, change, 0.0)
        return np.asarray(blended, dtype=np.float32)


def _inside(frames: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    """Return the frames whose neighbours up to `margin` away belong too; outside the array all do."""
    padded = np.pad(frames, margin, constant_values=True)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * margin + 1)
    return np.asarray(around.all(axis=1))


def _eased(frames: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return 1 inside, 3/4 on the first and last frame, 0 outside."""
    padded = np.pad(frames.astype(np.float64), 1, mode="edge")
    eased: NDArray[np.float64] = frames * (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return eased


def _band_taps(half: int, sample_rate: int) -> list[NDArray[np.float64]]:
    """Return symmetric filters of 2 * half + 1 taps: above `CONSONANT_HZ`, and from `BREATH_HZ` up to it."""
    from scipy.signal.windows import blackman

    at = np.arange(-half, half + 1)
    window = blackman(2 * half + 1)

    def low_pass(hz: float) -> NDArray[np.float64]:
        taps = np.sinc(2.0 * hz / sample_rate * at) * window
        scaled: NDArray[np.float64] = taps / taps.sum()
        return scaled

    impulse = (at == 0).astype(np.float64)
    upper, lower = low_pass(min(CONSONANT_HZ, 0.45 * sample_rate)), low_pass(BREATH_HZ)
    return [impulse - upper, upper - lower]
