"""Second-order sections: their design, and running them over a stream."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from covermaker.audio.buffer import Samples

Sections: TypeAlias = NDArray[np.float64]  # (sections, 6): b0 b1 b2 a0 a1 a2

# States below this are set to zero every `_FLUSH_SAMPLES` of the stream (a fixed grid, so that the result does not
# depend on block sizes): a filter that rings out into digital silence would otherwise crawl through denormal numbers.
_TINY = 1e-20
_FLUSH_SAMPLES = 4096


def usable_hz(frequency_hz: float, sample_rate: int) -> float:
    """Keep a corner frequency below the Nyquist frequency, where filters turn unstable."""
    return min(frequency_hz, 0.49 * sample_rate)


def butterworth(
    kind: Literal["highpass", "lowpass"], cutoff_hz: float, *, order: int, sample_rate: int
) -> Sections:
    """Design a Butterworth filter: −3 dB at `cutoff_hz`, 6 dB per octave and order."""
    from scipy.signal import butter

    sections: Sections = butter(order, usable_hz(cutoff_hz, sample_rate), kind, fs=sample_rate, output="sos")
    return sections


def bell(frequency_hz: float, gain_db: float, q: float, *, sample_rate: int) -> Sections:
    """Design a peaking equaliser (R. Bristow-Johnson, Audio EQ Cookbook): `gain_db` at its centre."""
    amplitude, cosine, alpha = _cookbook(frequency_hz, gain_db, q, sample_rate)
    up, down = alpha * amplitude, alpha / amplitude
    return _section(1 + up, -2 * cosine, 1 - up, 1 + down, -2 * cosine, 1 - down)


def shelf(kind: Literal["low", "high"], frequency_hz: float, gain_db: float, *, sample_rate: int) -> Sections:
    """Design a shelf without overshoot (same source, Q 0.7071): half of `gain_db` at its corner."""
    amplitude, cosine, alpha = _cookbook(frequency_hz, gain_db, math.sqrt(0.5), sample_rate)
    sign = 1.0 if kind == "low" else -1.0
    root = 2 * math.sqrt(amplitude) * alpha
    plus, minus = amplitude + 1, amplitude - 1
    return _section(
        amplitude * (plus - sign * minus * cosine + root),
        2 * sign * amplitude * (minus - sign * plus * cosine),
        amplitude * (plus - sign * minus * cosine - root),
        plus + sign * minus * cosine + root,
        -2 * sign * (minus + sign * plus * cosine),
        plus + sign * minus * cosine - root,
    )


def ring_seconds(sections: Sections, *, sample_rate: int) -> float:
    """Return how long the filter rings until it has fallen by 120 dB, from its slowest pole."""
    radius = max((float(np.abs(np.roots(row[3:])).max()) for row in sections), default=0.0)
    return 0.0 if radius <= 0.0 else -math.log(1e6) / math.log(min(radius, 1.0 - 1e-9)) / sample_rate


class SectionStream:
    """Second-order sections with their state, over (channels, n) blocks of one stream.

    Computes in float64: at low corners the coefficients need it.
    """

    def __init__(self, sections: Sections, channels: int) -> None:
        from scipy.signal import sosfilt

        self._filter: Any = sosfilt
        self._sections = sections
        self._state = np.zeros((len(sections), channels, 2))
        self._position = 0

    def process(self, block: Samples | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the filtered block."""
        frames = block.shape[-1]
        filtered = np.empty(block.shape)
        done = 0
        while done < frames:
            stop = min(frames, done + _FLUSH_SAMPLES - self._position % _FLUSH_SAMPLES)
            filtered[:, done:stop], self._state = self._filter(
                self._sections, block[:, done:stop], axis=-1, zi=self._state
            )
            self._position += stop - done
            if self._position % _FLUSH_SAMPLES == 0:
                self._state[np.abs(self._state) < _TINY] = 0.0
            done = stop
        return filtered


# Cut-offs at these ends of their range are off: the band is passed untouched.
LOW_CUT_OFF_HZ = 20.0
HIGH_CUT_OFF_HZ = 20000.0


def band_limits(low_cut_hz: float, high_cut_hz: float, *, sample_rate: int) -> Sections:
    """Design the 12 dB per octave low and high cut of an effect's wet path; either may be off."""
    parts = [np.zeros((0, 6))]
    if low_cut_hz > LOW_CUT_OFF_HZ:
        parts.append(butterworth("highpass", low_cut_hz, order=2, sample_rate=sample_rate))
    if high_cut_hz < HIGH_CUT_OFF_HZ:
        parts.append(butterworth("lowpass", high_cut_hz, order=2, sample_rate=sample_rate))
    return np.concatenate(parts)


def _cookbook(frequency_hz: float, gain_db: float, q: float, sample_rate: int) -> tuple[float, float, float]:
    omega = 2 * math.pi * usable_hz(frequency_hz, sample_rate) / sample_rate
    return 10.0 ** (gain_db / 40.0), math.cos(omega), math.sin(omega) / (2 * q)


def _section(b0: float, b1: float, b2: float, a0: float, a1: float, a2: float) -> Sections:
    return np.array([[b0, b1, b2, a0, a1, a2]]) / a0
