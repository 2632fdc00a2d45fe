from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from master_signals import RATE
from numpy.typing import NDArray

from covermaker.audio.files import wav_writer


@pytest.fixture
def wav(tmp_path: Path) -> Callable[..., Path]:
    """Write samples to a file."""

    def write(samples: NDArray[np.floating], *, rate: int = RATE, name: str = "mix.wav") -> Path:
        path = tmp_path / name
        with wav_writer(path, sample_rate=rate, channels=samples.shape[0]) as writer:
            writer.write(np.ascontiguousarray(samples, np.float32))
        return path

    return write
