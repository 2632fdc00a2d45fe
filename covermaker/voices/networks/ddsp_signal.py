"""What a DDSP voice sounds with: pulses on a pitch, noise on a clock, and the shapes of its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray


def band_shape(bands: int, fft: int, sample_rate: int, formant_ratio: float = 1.0) -> Tensor:
    """Return the (bands, fft // 2 + 1) matrix that draws straight lines between points on the mel scale.

    With a `formant_ratio` the curve is read at ``hz / formant_ratio``; past the top band its value holds.
    """
    hz = np.minimum(np.fft.rfftfreq(fft, 1.0 / sample_rate) / formant_ratio, sample_rate / 2)
    at = np.log1p(hz / 700.0) / np.log1p(sample_rate / 1400.0) * (bands - 1)
    weights = np.clip(1.0 - np.abs(at[None, :] - np.arange(bands)[:, None]), 0.0, 1.0)
    return torch.from_numpy(weights.astype(np.float32))


def as_minimum_phase(log_gain: Tensor, fft: int) -> Tensor:
    """Return the complex spectrum with these log magnitudes whose energy comes as early as it can.

    Folding the cepstrum's negative half onto the positive one (Oppenheim & Schafer, ch. 13).
    """
    cepstrum = torch.fft.irfft(log_gain, n=fft)
    fold = torch.zeros(fft, dtype=log_gain.dtype, device=log_gain.device)
    fold[0] = fold[fft // 2] = 1.0
    fold[1 : fft // 2] = 2.0
    log_spectrum = torch.fft.rfft(cepstrum * fold)
    # exp of a complex tensor costs four times as much as its two real halves.
    return torch.polar(log_spectrum.real.exp(), log_spectrum.imag)


def pulse_train(
    left_hz: Tensor, right_hz: Tensor, phase_cycles: Tensor, sample_rate: int, hop_samples: int
) -> Tensor:
    """Sum all harmonics below half the sample rate, in closed form.

    The Dirichlet kernel gives ``sum cos(k x)`` for the cost of three sines, whatever the number of harmonics. The
    highest one fades in as it comes below half the sample rate, so glides neither click nor alias. The sum is scaled
    to unit power at any pitch.

    Parameters
    ----------
    left_hz, right_hz, phase_cycles : (B, T)
        See `ddsp.DdspNetwork.signal`; a hop whose ends are both 0 Hz is silent.

    Returns
    -------
    (B, T * hop_samples)
    """
    time = torch.arange(hop_samples, dtype=left_hz.dtype, device=left_hz.device) / hop_samples
    left, right = left_hz[..., None], right_hz[..., None]
    hop_seconds = hop_samples / sample_rate
    cycles = phase_cycles[..., None] + hop_seconds * (left * time + 0.5 * (right - left) * time.square())
    hz = (left + (right - left) * time).clamp(min=20.0)
    cycles = cycles - cycles.round()  # -0.5 .. 0.5
    room = 0.5 * sample_rate / hz
    count = room.floor()
    half_angle = np.pi * cycles
    sine = half_angle.sin()
    safe = torch.where(sine.abs() < 1e-5, torch.full_like(sine, 1e-5), sine)
    full = (((2 * count - 1) * half_angle).sin() - sine) / (2 * safe)  # harmonics 1 .. count - 1
    full = torch.where(sine.abs() < 1e-5, count - 1, full)
    top = (room - count) * (2 * count * half_angle).cos()
    pulses = (full + top) * (2.0 * hz / (0.5 * sample_rate)).sqrt()
    return (pulses * (left > 0)).flatten(1)


def hop_noise(seed: int, first_frame: int, frames: int, hop_samples: int) -> NDArray[np.float32]:
    """Return white noise of unit variance that depends on nothing but `seed` and the position on the clock.

    A counter through the SplitMix64 mixer (Steele et al. 2014): any range of a song gives the samples that the whole
    song would.

    Returns
    -------
    float32 array (frames * hop_samples,)
        Uniform within +-sqrt(3).
    """
    start = np.uint64((first_frame * hop_samples) % 2**64)
    key = np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    with np.errstate(over="ignore"):
        state = (np.arange(frames * hop_samples, dtype=np.uint64) + start) * np.uint64(
            0x9E3779B97F4A7C15
        ) + key
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    uniform = (state >> np.uint64(40)).astype(np.float32) / np.float32(2**24)
    return (uniform - np.float32(0.5)) * np.float32(np.sqrt(12.0))
