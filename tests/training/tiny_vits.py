"""A VITS training that takes seconds: two tones and a hiss, a few thousand weights."""

from dataclasses import replace
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
from covermaker.training.lessons import LESSONS
from covermaker.training.material import Source
from covermaker.training.prepare import Prepared
from covermaker.training.profiles import PROFILES, Profile
from covermaker.training.vits_trainer import VitsTrainer
from covermaker.weights.device import torch_ready

WIDTH = 6
SHAPE = {
    "segment_frames": 8, "latent": 8, "hidden": 16, "filter": 24, "heads": 2, "layers": 1, "upsample_channels": 64,
    "speaker_dim": 8, "critics_channels": 32,
}  # fmt: skip


def tones(rate: int = 32_000, speakers: int = 1, frames: int = 60) -> Dataset:
    """Content says which of two colours sounds at which pitch; each singer has a level of their own."""
    rng = np.random.default_rng(0)
    hop, examples = rate // 100, []
    for number in range(4 * speakers):
        speaker, which = number % speakers, number // speakers % 2
        f0_hz = np.full(frames, 220.0 + 110.0 * which, np.float32)
        f0_hz[-10:] = 0.0
        time = np.arange(frames * hop) / rate
        sound = sum(np.sin(2 * np.pi * f0_hz[0] * k * time) / k for k in range(1, 6)) * (0.1 + 0.1 * speaker)
        sound = np.where(np.repeat(f0_hz > 0, hop), sound, 0.02 * rng.normal(size=len(time)))
        content = np.zeros((frames // 2, WIDTH), np.float16)
        content[:, which] = 1.0
        level = np.full(frames, -20.0, np.float32)
        examples.append(Example(sound.astype(np.float32), f0_hz, level, (content,), speaker))
    silence = np.zeros((50, WIDTH), np.float16)
    silence[:, 2], silence[:, 3] = 1.0, np.arange(50)
    return Dataset(examples, sample_rate=rate, clip_frames=20, silence=silence)


def profile(name: str = "rvc-32k", shape: dict[str, Any] | None = None, **changes: Any) -> Profile:
    recipe = {
        "steps": 6, "batch_size": 2, "clip_frames": 40, "peak_rate": 2e-3, "half": "off", "saves": 2, "patience": 99,
    }  # fmt: skip
    base = PROFILES[name]
    return replace(
        base,
        name="custom",
        recipe=replace(base.recipe, **{**recipe, **changes}),
        vits=replace(base.vits, **{**SHAPE, **(shape or {})}),
    )


def trainer(wanted: Profile | None = None, *, dataset: Dataset | None = None, **options: Any) -> VitsTrainer:
    torch_ready().set_num_threads(1)
    wanted = wanted or profile()
    dataset = dataset or tones(wanted.vits.sample_rate)
    singers = len({example.speaker for example in dataset.examples})
    lesson = LESSONS["vits"]
    width = dataset.examples[0].contents[0].shape[1]
    config = lesson.config(wanted, wanted.vits.sample_rate, width, singers)
    made = lesson.make(wanted, config, dataset, options.pop("base", []), **options)
    assert isinstance(made, VitsTrainer)
    return made


def run_tiny_vits(
    home: Path, wanted: Profile, *, dataset: Dataset | None = None, singers: Any = ("tiny",), resume: bool = False,
    listener: Any = nobody, crew: Crew = ALONE, encoder: str | None = None, **options: Any,
) -> dict[str, Any]:  # fmt: skip
    """Train as `train_voice` does, without takes and encoder."""
    from covermaker.training.steps import run_training

    torch_ready().set_num_threads(1)
    takes = make_takes(name="tiny", rights="synthetic", created=date(2026, 1, 1),
                       takes=[{"file": "a.wav", "sha256": "0" * 64}])  # fmt: skip
    rate = wanted.vits.sample_rate
    source = Source(home / "a.wav", "0" * 64, 12.0)
    ready = Prepared(takes, [source], rate, [np.full(9, 200.0)] * len(singers), list(singers))
    (home / "training").mkdir(parents=True, exist_ok=True)
    wanted = wanted if encoder is None else replace(wanted, encoder=encoder)
    return run_training(
        home, home / "training", ready, wanted, dataset or tones(rate, len(singers)), (),
        pitch=((180.0, 200.0, 220.0), (150.0, 210.0, 400.0)), identity=Identity("tiny", "synthetic", ""),
        encoder_sha256="0" * 64, seconds=None, device="cpu", resume=resume, seed=1, clock=Clock(listener),
        run={"data_sha256": "0" * 64, **options.pop("run", {})}, crew=crew, **options,
    )  # fmt: skip
