"""A training that takes seconds: two vowels, a few thousand weights. Run as a program it is one to kill."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from covermaker.graph.events import nobody
from covermaker.takes.document import make_takes
from covermaker.training.course import Clock
from covermaker.training.crew import ALONE, Crew
from covermaker.training.dataset import Dataset, Example
from covermaker.training.install import Identity
from covermaker.training.material import Source
from covermaker.training.prepare import Prepared
from covermaker.training.profiles import Profile, Recipe, Size
from covermaker.weights.device import torch_ready

SIZE = Size(hidden=24, inner=32, dilations=(1,), memory_rows=16)


def two_vowels() -> Dataset:
    """Content says which of two colours sounds: 2 kHz-heavy noise, or a dull harmonic tone."""
    rng = np.random.default_rng(0)
    examples = []
    for which in (0, 1) * 3:
        frames = 120
        time = np.arange(frames * 160) / 16_000
        if which:
            target = 0.1 * sum(np.sin(2 * np.pi * 200 * k * time) / k**2 for k in range(1, 9))
            f0_hz = np.full(frames, 200.0, np.float32)
        else:
            target = 0.1 * np.diff(rng.normal(size=len(time) + 1)) / np.sqrt(2)
            f0_hz = np.zeros(frames, np.float32)
        level = 10 * np.log10(np.mean(target**2))
        content = np.tile(np.float16([which, 1 - which, 0.5, 0.1 * which]), (frames // 2, 1))
        examples.append(
            Example(target.astype(np.float32), f0_hz, np.full(frames, level, np.float32), (content,))
        )
    return Dataset(examples, sample_rate=16_000, clip_frames=32)


def recipe(**changes: Any) -> Recipe:
    return Recipe(
        **{
            "steps": 60, "batch_size": 4, "clip_frames": 32, "warm_steps": 5, "peak_rate": 1e-2, "averaging": 0.9,
            "half": "off", "saves": 4, "patience": 99, **changes,
        }
    )  # fmt: skip


def run_tiny(home: Path, *, resume: bool = False, dataset: Dataset | None = None, seconds: float | None = None,
             listener: Any = nobody, phrases: Any = (), singers: Any = ("tiny",), crew: Crew = ALONE,
             tensorboard: bool = False, more_from: int | None = None, **changes: Any) -> dict[str, Any]:  # fmt: skip
    """Train as `train_voice` does, without takes and encoder."""
    from covermaker.training.steps import run_training

    torch_ready().set_num_threads(1)
    dataset = dataset or two_vowels()
    takes = make_takes(name="tiny", rights="synthetic", created=date(2026, 1, 1),
                       takes=[{"file": "a.wav", "sha256": "0" * 64}])  # fmt: skip
    ready = Prepared(
        takes,
        [Source(home / "a.wav", "0" * 64, 12.0)],
        16_000,
        [np.full(9, 200.0)] * len(singers),
        list(singers),
    )
    run: dict[str, Any] = {"status": "running", "data_sha256": dataset.fingerprint()}
    if more_from is not None:
        run["more_from"] = more_from
    profile = Profile("custom", minutes=None, size=SIZE, recipe=recipe(**changes))
    (home / "training").mkdir(parents=True, exist_ok=True)
    return run_training(
        home, home / "training", ready, profile, dataset, phrases, pitch=((180.0, 200.0, 220.0), (150.0, 210.0, 400.0)),
        identity=Identity("tiny", "synthetic", ""), encoder_sha256="0" * 64, seconds=seconds, device="cpu",
        resume=resume, seed=3, clock=Clock(listener), run=run, crew=crew, tensorboard=tensorboard,
    )  # fmt: skip


if __name__ == "__main__":
    run_tiny(Path(sys.argv[1]), resume=True, steps=int(sys.argv[2]), saves=int(sys.argv[3]))
