"""Several singers in one network: rows of a table, and blends of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import SIZE, run_tiny

from covermaker.errors import ProjectError
from covermaker.training.audition import promote
from covermaker.training.checkpoint import steps_kept
from covermaker.training.steps import network_config
from covermaker.voices.card import read_card
from covermaker.voices.networks.base import phase_curve
from covermaker.voices.networks.ddsp import DdspNetwork, DdspSynthesizer


@pytest.fixture(scope="module")
def singer() -> DdspSynthesizer:
    torch.manual_seed(2)
    network = DdspNetwork(network_config(16_000, 4, 3, SIZE))
    torch.nn.init.normal_(network.speaker_in.weight, std=2.0)
    torch.nn.init.normal_(network.out.weight, std=0.3)
    return DdspSynthesizer(network)


def sing(singer: DdspSynthesizer, speaker: object) -> np.ndarray:
    f0_hz = np.full(30, 220.0)
    return singer.render(
        np.ones((30, 4), np.float32), f0_hz, np.full(30, -20.0),
        phase_cycles=phase_curve(f0_hz), first_frame=0, seed=1, speaker=speaker,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_blend_of_one_is_that_one_and_a_real_blend_is_neither(singer: DdspSynthesizer) -> None:
    first, second = sing(singer, 0), sing(singer, 1)
    assert not np.allclose(first, second, atol=1e-4)
    assert np.allclose(sing(singer, [1.0, 0.0, 0.0]), first, atol=1e-6)
    assert np.allclose(sing(singer, [2.0, 2.0, 0.0]), sing(singer, [0.5, 0.5, 0.0]), atol=1e-6)
    both = sing(singer, [0.5, 0.5, 0.0])
    assert not np.allclose(both, first, atol=1e-4)
    assert not np.allclose(both, second, atol=1e-4)


@pytest.mark.parametrize("speaker", [3, -1, [1.0], [0.0, 0.0, 0.0], [1.0, -0.5, 0.0]])
def test_singers_that_are_not_there_are_refused(singer: DdspSynthesizer, speaker: object) -> None:
    with pytest.raises(ProjectError, match="singer"):
        sing(singer, speaker)


def test_the_card_names_the_singers_of_a_trained_voice(tmp_path: Path) -> None:
    run_tiny(tmp_path, singers=("anna", "ben"), steps=8, saves=2)
    assert read_card(tmp_path).singers == ["anna", "ben"]
    first = steps_kept(tmp_path / "training" / "checkpoints")[0]
    assert promote(tmp_path, first).singers == ["anna", "ben"]


def test_a_voice_of_one_names_none(tmp_path: Path) -> None:
    run_tiny(tmp_path, steps=4, saves=1)
    assert read_card(tmp_path).singers == []
