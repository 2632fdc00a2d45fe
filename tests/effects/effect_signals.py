"""Sounds whose treatment theory knows, and how to read levels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from covermaker.effects.rack import Rack

RATE = 44100


class MakeRack(Protocol):
    def __call__(self, *rows: dict[str, object], channels: int = 2) -> Rack: ...


def tone(hz: float, level_db: float, seconds: float, *, channels: int = 2) -> np.ndarray:
    """A sine whose peak is at `level_db` dBFS."""
    wave = 10 ** (level_db / 20) * np.sin(2 * math.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave[None], channels, axis=0).astype(np.float32)


def peak_db(sound: np.ndarray) -> float:
    return 20 * math.log10(max(float(np.abs(sound).max()), 1e-12))


def rms_db(sound: np.ndarray) -> float:
    return 10 * math.log10(max(float(np.square(sound, dtype=np.float64).mean()), 1e-24))


def response_db(chain: Rack, hz: float) -> float:
    """Gain at one frequency, read from the impulse response."""
    click = np.zeros((2, 1 << 16), np.float32)
    click[:, 0] = 1.0
    answer = chain.process(click)[0].astype(np.float64)
    turn = np.exp(-2j * math.pi * hz / RATE * np.arange(len(answer)))
    return 20 * math.log10(abs(complex((answer * turn).sum())))
