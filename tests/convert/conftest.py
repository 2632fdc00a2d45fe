"""A small singer in numpy that keeps the promises of a voice network, and vocals with known features."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from covermaker.audio.files import wav_writer
from covermaker.features.clock import frame_count
from covermaker.features.loudness import frame_loudness_db
from covermaker.voices.card import VoiceCard
from covermaker.voices.networks.base import SungPitch, phase_curve, voiced_edges
from covermaker.voices.voice import Voice

CONTENT_DIM = 8
HARMONICS = 6


class FakeSinger:
    """Harmonics and noise; controls run straight between frames, content is smoothed over the context.

    `hiss_db` is sung everywhere, as networks do: it is what the cleanup has to take away.
    """

    content_dim = CONTENT_DIM
    content_held = False
    context_frames = 5

    def __init__(self, sample_rate: int, hiss_db: float = -60.0, level_db: float = 0.0) -> None:
        self.sample_rate = sample_rate
        self.hop_samples = sample_rate // 100
        self.hiss = 10 ** (hiss_db / 20)
        self.level_db = level_db
        self.calls: list[int] = []

    def _straight(self, values: np.ndarray) -> np.ndarray:
        steps = np.arange(self.hop_samples) / self.hop_samples
        after = np.append(values[1:], values[-1:])
        return (values[:, None] + (after - values)[:, None] * steps).ravel()

    def pitch(self, f0_hz):
        return SungPitch(np.asarray(f0_hz), np.asarray(f0_hz) > 0, phase_curve(f0_hz))

    def render(self, content, pitch, loudness_db, *, first_frame, seed, keep=slice(None), **rest):
        f0_hz = pitch.f0_hz
        self.calls.append(len(f0_hz))
        hop, rate = self.hop_samples, self.sample_rate
        kernel = np.hanning(2 * 5 + 1)
        smooth = np.stack([np.convolve(row, kernel / kernel.sum())[5:-5] for row in content.T])
        left, right = voiced_edges(f0_hz)
        t = np.arange(hop) / rate
        phase = pitch.phase_cycles[:, None] + left[:, None] * t + (right - left)[:, None] * t**2 * 50
        phase = phase.ravel() % 1.0
        voiced = self._straight((np.asarray(f0_hz) > 0).astype(float))
        level = self._straight(10 ** ((np.asarray(loudness_db, dtype=float) + self.level_db) / 20))
        sung = np.zeros(len(phase))
        for number in range(1, HARMONICS + 1):
            weight = self._straight(1.0 + 0.3 * np.tanh(smooth[number % CONTENT_DIM]))
            sung += weight * np.sin(2 * np.pi * number * phase) / number
        frames = range(first_frame, first_frame + len(f0_hz))
        noise = np.concatenate([np.random.default_rng([seed, i]).standard_normal(hop) for i in frames])
        heard = sung * level * voiced + noise * (0.3 * level * (1 - voiced) + self.hiss)
        return heard.reshape(-1, hop)[keep].ravel().astype(np.float32)


def fake_card(sample_rate: int) -> VoiceCard:
    return VoiceCard.model_validate(
        {
            "schema": 1,
            "name": "fake",
            "rights": "synthetic",
            "statement": "",
            "licence": "CC0",
            "origin": "tests",
            "created": datetime.date(2026, 1, 1),
            "sample_rate": sample_rate,
            "network": {"kind": "ddsp"},
            "content": {"encoder": "fake", "sha256": "0" * 64},
            "f0": {"low_hz": 150.0, "median_hz": 220.0, "high_hz": 400.0},
            "weights": {"sha256": "0" * 64},
        }
    )


class FakeVoice(Voice):
    """A voice whose singer is at hand."""

    def __init__(self, singer: Any, sample_rate: int | None = None) -> None:
        super().__init__(Path("fake"), fake_card(sample_rate or singer.sample_rate))
        object.__setattr__(self, "singer", singer)

    def synthesizer(self, device: str = "cpu") -> Any:
        return self.singer


@dataclass
class Vocal:
    """A file and its features."""

    path: Path
    features: dict[str, np.ndarray]
    samples: np.ndarray
    sample_rate: int


@pytest.fixture
def voice_of():
    """Wrap any singer into a voice: voice_of(singer, card's sample rate)."""
    return FakeVoice


@pytest.fixture
def fake_singer():
    return FakeSinger


@pytest.fixture
def fake_voice():
    """Make the usual voice: fake_voice(sample_rate, hiss_db=…, level_db=…)."""
    return lambda sample_rate=16_000, **settings: FakeVoice(FakeSinger(sample_rate, **settings))


@pytest.fixture
def make_vocal(tmp_path):
    """Write samples (n,) or (channels, n) and measure their features; f0_hz: a number or an array."""

    def make(samples, sample_rate: int, *, f0_hz: Any = 220.0, name: str = "vocal.wav") -> Vocal:
        samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
        if len(samples) == 1:
            samples = np.repeat(samples, 2, axis=0)
        path = tmp_path / name
        with wav_writer(path, sample_rate=sample_rate, channels=len(samples)) as writer:
            writer.write(samples)
        frames = frame_count(samples.shape[1], sample_rate)
        rows = np.random.default_rng(5).standard_normal((-(-frames // 2), CONTENT_DIM))
        features = {
            "content": rows.astype(np.float16),
            "f0_hz": np.broadcast_to(np.asarray(f0_hz, dtype=np.float32), (frames,)).copy(),
            "loudness_db": frame_loudness_db(path),
        }
        return Vocal(path, features, samples, sample_rate)

    return make


def lag_ms(output: np.ndarray, source: np.ndarray, rate: int) -> float:
    """Return by how many ms the envelope of `output` follows that of `source`, to a fraction of a ms."""
    step = rate // 1000

    def envelope(x):
        power = np.convolve(x.astype(float) ** 2, np.hanning(10 * step), mode="same")
        level = np.sqrt(np.maximum(power, 0))[::step]
        return level - level.mean()

    a, b = envelope(output), envelope(source)
    around = np.correlate(a, b, mode="full")[len(b) - 1 - 40 : len(b) + 40]
    top = int(np.argmax(around))
    assert 0 < top < len(around) - 1
    left, middle, right = around[top - 1 : top + 2]
    return top - 40 + 0.5 * (left - right) / (left - 2 * middle + right)


@pytest.fixture
def envelope_lag_ms():
    return lag_ms
