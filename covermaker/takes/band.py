"""Up to which frequency a recording holds sound: an upsampled file is told from a true one.

The long-term spectrum of the active frames is followed down from the top. Where it leaves the floor in a cliff, a
resampler or an encoder has cut it; where it rises gently, nothing was cut and the band ends at the Nyquist frequency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

N_FFT = 4096
ABOVE_FLOOR_DB = 10.0
CLIFF_DB = 15.0
WHOLE = 0.9  # of half the sample rate: what any converter leaves
DEEP_DB = -55.0  # under the spectrum's peak: noise that is louder was recorded, not left by a filter
LOWEST_HZ = 3000.0  # not even a telephone cuts lower
_SMOOTH_HZ = 150.0
_ABSOLUTE_FLOOR_DB = -140.0  # below the spectrum's peak: under the rounding of float32

STANDARD_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192000)


class Spectrum:
    """Mean power spectrum of (n,) blocks, the loud windows only."""

    def __init__(self) -> None:
        self._held = np.zeros(0, np.float32)
        self._sum = np.zeros(N_FFT // 2 + 1)
        self._peak = 0.0

    def push(self, block: NDArray[np.float32]) -> None:
        """Take the next samples in."""
        held = np.concatenate((self._held, block))
        count = len(held) // N_FFT
        self._held = held[count * N_FFT :]
        if not count:
            return
        pieces = held[: count * N_FFT].reshape(count, N_FFT).astype(np.float64)
        power = np.square(np.abs(np.fft.rfft(pieces * np.hanning(N_FFT), axis=1)))
        energy = power.sum(axis=1)
        self._peak = max(self._peak, float(energy.max()))
        # Windows 40 dB under the loudest so far are pauses: they would only raise the noise.
        self._sum += power[energy > self._peak * 1e-4].sum(axis=0)

    def finish(self) -> NDArray[np.float64]:
        """Return the power of the bins 0 .. N_FFT / 2, of any scale."""
        return self._sum


def band_limit_hz(spectrum: NDArray[np.float64], sample_rate: int) -> float:
    """Return the highest frequency that holds sound; half the sample rate when nothing was cut off.

    Parameters
    ----------
    spectrum : float64 array (N_FFT / 2 + 1,)
        Power, of any scale.
    sample_rate : int
        In Hz.
    """
    nyquist = sample_rate / 2
    if spectrum.max(initial=0.0) <= 0:
        return nyquist
    width = max(1, round(_SMOOTH_HZ * N_FFT / sample_rate))
    smooth = np.convolve(spectrum, np.ones(width) / width, mode="same")
    curve = 10.0 * np.log10(np.maximum(smooth / smooth.max(), 10.0 ** (_ABSOLUTE_FLOOR_DB / 10)))
    hz = np.arange(len(curve)) * sample_rate / N_FFT
    floor = float(np.median(curve[(hz > 0.9 * nyquist) & (hz < 0.98 * nyquist)]))
    above = np.flatnonzero((curve > floor + ABOVE_FLOOR_DB) & (hz < 0.98 * nyquist))
    if not len(above):
        return nyquist
    edge = float(hz[above[-1]])
    below = curve[(hz > edge - 400.0) & (hz < edge - 100.0)]
    cliff = len(below) > 0 and below.mean() - floor > CLIFF_DB and floor < DEEP_DB
    return edge if cliff and LOWEST_HZ < edge < WHOLE * nyquist else nyquist


def rate_that_fits(band_hz: float) -> int:
    """Return the smallest usual sample rate that holds a band."""
    return next((rate for rate in STANDARD_RATES if rate / 2 >= 0.97 * band_hz), STANDARD_RATES[-1])


def average(blocks: Iterable[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return the mean spectrum of a stream of (n,) blocks."""
    spectrum = Spectrum()
    for block in blocks:
        spectrum.push(block)
    return spectrum.finish()
