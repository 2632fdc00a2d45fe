from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from covermaker.audio.files import wav_writer

RATE = 44_100


@pytest.fixture
def wav(tmp_path: Path) -> Callable[..., Path]:
    """Write (channels, n) samples to a named file."""

    def write(name: str, samples: NDArray[np.floating], *, rate: int = RATE) -> Path:
        path = tmp_path / f"{name}.wav"
        with wav_writer(path, sample_rate=rate, channels=samples.shape[0]) as writer:
            writer.write(np.ascontiguousarray(samples, np.float32))
        return path

    return write
