"""Files of small VITS networks, as the programs write them, and what is trained to become such files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from community_models import save, state
from tiny_vits import SHAPE, WIDTH

from covermaker.training.dataset import Dataset
from covermaker.training.profiles import Profile
from covermaker.training.vits_stock import critics_shapes, network_of
from covermaker.voices.voice import Voice

READING = "contentvec-768l12"


def wide(dataset: Dataset) -> Dataset:
    """Give content the width that the programs know."""

    def padded(rows: np.ndarray) -> np.ndarray:
        return np.pad(rows, ((0, 0), (0, 768 - WIDTH)))

    examples = [replace(one, contents=tuple(map(padded, one.contents))) for one in dataset.examples]
    assert dataset.silence is not None
    return Dataset(
        examples,
        sample_rate=100 * dataset.hop_samples,
        clip_frames=dataset.clip_frames,
        silence=padded(dataset.silence),
    )


def sing(voice: Voice) -> np.ndarray:
    """Sing 60 frames at 220 Hz."""
    singer = voice.synthesizer()
    content = np.zeros((60, singer.content_dim), np.float32)
    content[:, 0] = 1.0
    return singer.render(content, singer.pitch(np.full(60, 220.0)), np.full(60, -20.0), first_frame=0, seed=1)


def network_file(path: Path, wanted: Profile, **changes: Any) -> Path:
    """Write a G_….pth of a profile's network, or of one with changes of its config."""
    config = replace(network_of(wanted), speakers=3, **changes)
    return save(path, {"model": state(config, posterior=True, dtype=torch.float32), "iteration": 1})


def critics_file(path: Path, family: str = "rvc", channels: int = SHAPE["critics_channels"]) -> Path:
    """Write a D_….pth."""
    generator = torch.Generator().manual_seed(7)
    shapes = critics_shapes(family, channels)
    return save(path, {"model": {name: torch.rand(s, generator=generator) for name, s in shapes.items()}})
