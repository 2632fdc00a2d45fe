"""Sounds whose pitch is known."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def write_wav(tmp_path):
    """Return a function that writes float samples (n,) or (n, channels) and gives the path."""

    def write(samples, sample_rate=44100, name="vocal.wav"):
        path = tmp_path / name
        soundfile.write(path, np.asarray(samples, dtype=np.float32), sample_rate, subtype="FLOAT")
        return path

    return write


@pytest.fixture(scope="session")
def spoken(tmp_path_factory) -> Path:
    """Return 3.7 s of a spoken sentence by the free flite voice slt."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    path = tmp_path_factory.mktemp("flite") / "slt.wav"
    text = "It always seems like time stands still when I am with you"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(path)], check=True)
    return path


def sung(f0_hz, sample_rate=44100, harmonics=12):
    """Synthesise a vowel-like tone: harmonics falling as 1/k along an instantaneous frequency (n,) in Hz."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / sample_rate
    below = [k for k in range(1, harmonics + 1) if k * np.max(f0_hz) < sample_rate / 2]
    return 0.2 * sum(np.sin(k * phase) / k for k in below)
