"""What an encoder reads in silence: once, kept, and of that encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_vits import tones

from covermaker.training import silence
from covermaker.training.dataset import Dataset
from covermaker.training.gather import forget
from covermaker.training.silence import read_silence


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Stand for an encoder: its rows count, and what it heard is kept."""
    clips: list[np.ndarray] = []

    def encode_clips(given: list[np.ndarray], *, encoder: str) -> list[np.ndarray]:
        clips.extend(given)
        rows = np.arange(len(given[0]) // 320, dtype=np.float16)
        return [np.repeat(rows[:, None], 3, axis=1)]

    monkeypatch.setattr(silence, "encode_clips", encode_clips)
    return clips


def test_it_is_read_once_in_very_quiet_noise(tmp_path: Path, heard: list[np.ndarray]) -> None:
    rows = read_silence("contentvec-768l12", "0" * 64, tmp_path)
    assert rows.dtype == np.float16
    assert rows.shape == (400, 3)
    assert rows[0, 0] == 25  # the beginning and the end of the noise are no part of a rest
    (noise,) = heard
    assert 10 * np.log10(np.mean(noise.astype(np.float64) ** 2)) == pytest.approx(-80.0, abs=0.1)
    forget(tmp_path, set())  # of examples
    assert np.array_equal(read_silence("contentvec-768l12", "0" * 64, tmp_path), rows)
    assert len(heard) == 1


def test_another_encoder_has_a_reading_of_its_own(tmp_path: Path, heard: list[np.ndarray]) -> None:
    for encoder, weights in (("contentvec-768l12", "0"), ("contentvec-768l12", "1"), ("whisper-base", "1")):
        read_silence(encoder, weights * 64, tmp_path)
    assert len(heard) == 3
    assert all(np.array_equal(noise, heard[0]) for noise in heard)
    assert len(list(tmp_path.iterdir())) == 1  # that of the last


def test_it_belongs_to_what_a_run_was_begun_with() -> None:
    dataset = tones()
    options: dict[str, Any] = {"sample_rate": 32_000, "clip_frames": 20}
    plain = Dataset(dataset.examples, **options)
    assert dataset.silence is not None
    other = Dataset(dataset.examples, **options, silence=dataset.silence + np.float16(1.0))
    assert len({one.fingerprint() for one in (dataset, plain, other)}) == 3
