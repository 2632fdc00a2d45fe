"""Small synthesised instruments, effects for them, and nothing that needs a sample library.

Every instrument returns float64 at `RATE_HZ`; drums are mono hits, chords are stereo notes. All noise comes
from the generator that the caller hands in, so that one seed gives one song.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

RATE_HZ = 44_100


def seconds(length_s: float) -> np.ndarray:
    """Sample times of `length_s` seconds."""
    return np.arange(round(length_s * RATE_HZ)) / RATE_HZ


def hz(midi: float) -> float:
    """Frequency of a MIDI note number."""
    return float(440.0 * 2 ** ((midi - 69) / 12))


def filtered(
    sound: np.ndarray, kind: str, cutoff_hz: float | tuple[float, float], order: int = 2
) -> np.ndarray:
    """Butterworth filter along the last axis; `kind` as scipy names it."""
    sections = signal.butter(order, cutoff_hz, kind, fs=RATE_HZ, output="sos")
    return signal.sosfilt(sections, sound, axis=-1)


def softened(sound: np.ndarray, attack_s: float, release_s: float) -> np.ndarray:
    """Raised-cosine fades at both ends."""
    sound = np.array(sound)
    attack, release = round(attack_s * RATE_HZ), round(release_s * RATE_HZ)
    sound[..., :attack] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(attack) / attack)
    sound[..., -release:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(release) / release)
    return sound


# drums


def kick(velocity: float, noise: np.random.Generator) -> np.ndarray:
    """Sine that falls from 165 to 47 Hz, a short click, a little drive."""
    t = seconds(0.42)
    pitch_hz = 47 + 118 * np.exp(-t / 0.028)
    body = np.sin(2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ) * np.exp(-t / 0.14)
    click = filtered(noise.standard_normal(len(t)), "bandpass", (1800, 6000)) * np.exp(-t / 0.004)
    return softened(np.tanh(1.7 * velocity * (body + 0.22 * click)), 0.001, 0.05)


def snare(velocity: float, noise: np.random.Generator) -> np.ndarray:
    """Two shell tones under bright noise; soft strokes are shorter and darker."""
    t = seconds(0.34)
    shell = np.sin(2 * np.pi * 186 * t) + 0.6 * np.sin(2 * np.pi * 329 * t + 0.5)
    wires = filtered(noise.standard_normal(len(t)), "bandpass", (900, 3500 + 6000 * velocity))
    shell *= np.exp(-t / 0.055)
    wires *= np.exp(-t / (0.05 + 0.07 * velocity))
    return softened(velocity * np.tanh(0.55 * shell + 1.1 * wires), 0.001, 0.06)


def hat(velocity: float, noise: np.random.Generator, *, is_open: bool = False) -> np.ndarray:
    """Six square waves with no common period, mixed with noise, above 7 kHz."""
    t = seconds(0.42 if is_open else 0.09)
    metal = sum(
        np.sign(np.sin(2 * np.pi * f * t + noise.uniform(0, 6))) for f in (3107, 4219, 5381, 6143, 7477, 8231)
    )
    bright = filtered(0.14 * metal + 0.5 * noise.standard_normal(len(t)), "highpass", 7200, 4)
    return softened(velocity * bright * np.exp(-t / (0.13 if is_open else 0.022)), 0.0008, 0.03)


def cymbal(velocity: float, noise: np.random.Generator) -> np.ndarray:
    """Crash: a long wash whose top fades first."""
    t = seconds(3.2)
    low = filtered(noise.standard_normal(len(t)), "bandpass", (2500, 6000)) * np.exp(-t / 0.8)
    high = filtered(noise.standard_normal(len(t)), "bandpass", (6000, 14000)) * np.exp(-t / 0.45)
    return softened(velocity * (0.5 * low + high), 0.002, 0.5)


def shaker(velocity: float, noise: np.random.Generator) -> np.ndarray:
    """One stroke of a shaker: noise that swells and stops."""
    t = seconds(0.085)
    return (
        velocity
        * filtered(noise.standard_normal(len(t)), "bandpass", (4500, 11000))
        * np.sin(np.pi * t / 0.085) ** 2
    )


# pitched


def bass(midi: float, length_s: float, velocity: float) -> np.ndarray:
    """Warm finger bass: a few falling partials over a sine, the tone darkens as it sounds."""
    t = seconds(length_s + 0.08)
    f = hz(midi)
    partials = range(1, 10)
    tone = sum(
        np.sin(2 * np.pi * f * n * t) / n**1.15 * np.exp(-t * (0.9 + 0.75 * (n - 1)) / 0.8) for n in partials
    )
    pluck = np.exp(-t / 0.012) * np.sin(2 * np.pi * 5.2 * f * t) * 0.18
    return softened(np.tanh(0.9 * velocity * (tone + pluck)), 0.006, 0.07)


def electric_piano(midi: float, length_s: float, velocity: float) -> np.ndarray:
    """Two FM pairs: a bell-like tine over a soft body. Stereo, with a slow autopan.

    The modulation index follows the velocity, as in J. Chowning, "The Synthesis of Complex Audio Spectra by
    Means of Frequency Modulation", JAES 1973.
    """
    t = seconds(length_s + 0.5)
    f = hz(midi)
    body = np.sin(2 * np.pi * f * t + 1.1 * velocity * np.exp(-t / 0.9) * np.sin(2 * np.pi * f * t))
    tine = np.sin(2 * np.pi * f * t + 0.9 * velocity * np.exp(-t / 0.11) * np.sin(2 * np.pi * 14 * f * t))
    sound = velocity * (0.8 * body * np.exp(-t / 1.5) + 0.35 * tine * np.exp(-t / 0.7))
    pan = 0.22 * np.sin(2 * np.pi * 1.6 * t + midi)
    return softened(np.stack([sound * (1 - pan), sound * (1 + pan)]), 0.004, 0.4)


def pad(midi: float, length_s: float, velocity: float, noise: np.random.Generator) -> np.ndarray:
    """Five detuned soft saws, wide, slow to come and slow to go."""
    t = seconds(length_s + 1.1)
    sound = np.zeros((2, len(t)))
    for cents, pan in ((-9, -0.8), (-4, 0.5), (0, 0.0), (5, -0.5), (10, 0.8)):
        phase = 2 * np.pi * (hz(midi + cents / 100) * t + noise.uniform())
        saw = sum(np.sin(n * phase) / n for n in range(1, 12))
        sound += np.array([[0.5 - 0.5 * pan], [0.5 + 0.5 * pan]]) * saw
    sound = filtered(sound, "lowpass", 1700, 2)
    return softened(0.3 * velocity * sound, 0.35, 1.0)


def bell(midi: float, velocity: float) -> np.ndarray:
    """Strike a small glass bell, for the motif."""
    t = seconds(2.4)
    f = hz(midi)
    partials = ((1, 1.0, 0.9), (2.0, 0.45, 0.5), (3.01, 0.3, 0.3), (5.43, 0.12, 0.12))
    return softened(
        velocity * sum(a * np.sin(2 * np.pi * f * r * t) * np.exp(-t / d) for r, a, d in partials), 0.003, 0.3
    )


# effects


def chorus(sound: np.ndarray, *, depth_ms: float = 2.4, rate_hz: float = 0.55) -> np.ndarray:
    """Mix in a copy whose delay swings around 12 ms, in opposite ways left and right."""
    index = np.arange(sound.shape[-1], dtype=float)
    swing = np.sin(2 * np.pi * rate_hz * index / RATE_HZ)
    out = np.array(sound)
    for channel, direction in enumerate((1, -1)):
        delay = (12.0 + direction * depth_ms * swing) * RATE_HZ / 1000
        out[channel] += 0.6 * np.interp(index - delay, index, sound[channel], left=0.0)
    return out / 1.35


def room(length_s: float, brightness_hz: float, noise: np.random.Generator, *, before_s: float) -> np.ndarray:
    """Stereo impulse response: noise whose treble dies three times as fast as its bass."""
    t = seconds(length_s)
    low = filtered(noise.standard_normal((2, len(t))), "bandpass", (180, brightness_hz)) * np.exp(
        -6.9 * t / length_s
    )
    high = filtered(noise.standard_normal((2, len(t))), "highpass", brightness_hz) * np.exp(
        -20 * t / length_s
    )
    response = softened(low + 0.5 * high, 0.008, 0.05)
    response /= np.sqrt((response**2).sum(axis=1, keepdims=True))
    return np.pad(response, ((0, 0), (round(before_s * RATE_HZ), 0)))


def reverb(sound: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Convolve stereo with `response`, length kept."""
    return signal.fftconvolve(sound, response, axes=1)[:, : sound.shape[1]]


def compress(sound: np.ndarray, *, threshold_db: float, ratio: float, release_s: float = 0.12) -> np.ndarray:
    """Feed-forward compressor on the loudest channel, 5 ms smoothing up, `release_s` down."""
    level = np.abs(np.atleast_2d(sound)).max(axis=0)
    level = np.sqrt(filtered(level**2, "lowpass", 1 / (2 * np.pi * 0.005), 1).clip(1e-12))
    hop = 32  # the gain is slow; working it out 32 times less often changes nothing one could hear
    peaks = level[: len(level) // hop * hop].reshape(-1, hop).max(axis=1)
    keep = np.exp(-hop / RATE_HZ / release_s)
    held = np.empty_like(peaks)
    now = 0.0
    for index, peak in enumerate(peaks):
        now = max(peak, keep * now)
        held[index] = now
    over_db = np.clip(20 * np.log10(held + 1e-9) - threshold_db, 0, None)
    gain = 10 ** (-over_db * (1 - 1 / ratio) / 20)
    return sound * np.interp(np.arange(sound.shape[-1]) / hop, np.arange(len(gain)), gain)
