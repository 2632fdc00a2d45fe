"""Mel filters as triangles of equal area, on either of the two mel scales that networks were trained with.

Slaney's scale is linear below 1 kHz and logarithmic above; HTK's is logarithmic throughout. Written here because
the package that is known for them takes a second to import.

References
----------
M. Slaney, "Auditory Toolbox", Interval Research Corporation technical report 1998-010.
S. Young et al., "The HTK Book", version 3.4, section 5.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LINEAR_HZ = 200.0 / 3.0  # width of one mel below the break
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27.0  # above it, 27 mels span a factor of 6.4


def hz_to_mel(hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return Slaney mels of frequencies in Hz."""
    hz = np.asarray(hz, dtype=np.float64)
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _LINEAR_HZ, above)


def mel_to_hz(mel: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return frequencies in Hz of Slaney mels."""
    mel = np.asarray(mel, dtype=np.float64)
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, above)


def htk_from_hz(hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return HTK mels of frequencies in Hz."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz, dtype=np.float64) / 700.0))


def htk_to_hz(mel: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return frequencies in Hz of HTK mels."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mel, dtype=np.float64) / 2595.0) - 1.0))


_SCALES = {"slaney": (hz_to_mel, mel_to_hz), "htk": (htk_from_hz, htk_to_hz)}


def mel_filters(
    sample_rate: int,
    *,
    n_fft: int,
    bands: int,
    low_hz: float = 0.0,
    high_hz: float | None = None,
    scale: str = "slaney",
) -> NDArray[np.float32]:
    """Return the weights that turn an FFT's bins into mel bands.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    n_fft : int
        FFT length in samples.
    bands : int
        Number of triangles.
    low_hz, high_hz : float
        Outer feet of the first and the last triangle; `high_hz` defaults to half the sample rate.
    scale : str
        ``"slaney"`` or ``"htk"``: how the triangles are spaced. Their area is one Hz on both.

    Returns
    -------
    float32 array (bands, n_fft // 2 + 1)
        Each triangle has an area of one Hz.
    """
    top_hz = sample_rate / 2 if high_hz is None else high_hz
    to_mel, from_mel = _SCALES[scale]
    ends = to_mel(np.array([low_hz, top_hz]))
    feet = from_mel(np.linspace(ends[0], ends[1], bands + 2))[:, None]
    bins_hz = np.arange(n_fft // 2 + 1)[None, :] * (sample_rate / n_fft)
    rising = (bins_hz - feet[:-2]) / (feet[1:-1] - feet[:-2])
    falling = (feet[2:] - bins_hz) / (feet[2:] - feet[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * (2.0 / (feet[2:] - feet[:-2])), dtype=np.float32)
