"""Signals and encoders for the tests of audio/ and export/."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import numpy as np

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def song(frames, *, sample_rate=44_100, channels=2, seed=0):
    """A chirp in noise: its cross-correlation has one peak, so that an offset of one sample shows."""
    t = np.arange(frames) / sample_rate
    noise = np.random.default_rng(seed).standard_normal(frames)
    left = 0.3 * np.sin(2 * np.pi * (200 * t + 300 * t * t)) + 0.02 * noise
    return np.stack([left * 0.8**i for i in range(channels)]).astype(np.float32)


def tone(hz, seconds, *, sample_rate=48_000, level_db=-23.0, channels=2, phase=0.0):
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hz * t + phase)
    return np.repeat(wave[None], channels, axis=0).astype(np.float32)


def lag(reference, signal):
    """Return by how many samples `signal` comes later than `reference`."""
    n = min(len(reference), len(signal), 1 << 17)
    spectrum = np.fft.rfft(signal[:n], 2 * n) * np.conj(np.fft.rfft(reference[:n], 2 * n))
    peak = int(np.argmax(np.fft.irfft(spectrum)))
    return peak if peak < n else peak - 2 * n


def encode(path, samples, sample_rate, codec):
    """Write samples with ffmpeg's encoders: M4A, MP3, Opus, Matroska …"""
    import av

    layout = LAYOUTS[samples.shape[0]]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=sample_rate, layout=layout)
        for at in range(0, samples.shape[1], 4096):
            block = np.ascontiguousarray(samples[:, at : at + 4096])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = sample_rate, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def packaged(package, ending):
    """Return a real recording that an installed package carries."""
    return next(Path(str(f.locate())) for f in metadata.files(package) if str(f).endswith(ending))
