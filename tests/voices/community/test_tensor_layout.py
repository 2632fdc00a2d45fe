"""Names, shapes and order of tensors, and weight norm, as the original programs have them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from community_models import KEYS, key_list
from parity_weights import drawn

from covermaker.errors import WeightsError
from covermaker.voices.community.layout import tensors
from covermaker.voices.community.shapes import Told, config_of, family_of
from covermaker.voices.community.weight_norm import fuse, fused_names, split
from covermaker.voices.networks.vits_network import build_network

LISTS = sorted(path.name.removesuffix("_keys.txt") for path in KEYS.glob("*.txt"))
EXPECTED = {
    "rvc_v1_40k": (40_000, 256, 27_439_042),
    "rvc_v1_48k": (48_000, 256, 27_479_362),
    "rvc_v2_32k": (32_000, 768, 28_057_538),
    "rvc_v2_40k": (40_000, 768, 27_537_346),
    "rvc_v2_48k": (48_000, 768, 28_716_994),
    "sovits_40": (44_100, 256, 36_235_661),
    "sovits_40_fork768": (44_100, 768, 36_727_181),
    "sovits_41": (44_100, 768, 40_335_757),
    "sovits_41_vol": (44_100, 768, 40_336_141),
}


def shapes_of(name):
    plain = {row[0].replace(".weight_v", ".weight"): row[1] for row in key_list(name)}
    return {key: shape for key, shape in plain.items() if not key.endswith(".weight_g")}


def config_from(name):
    shapes = shapes_of(name)
    return config_of(family_of(shapes), shapes, Told())


def test_every_list_is_compared():
    assert sorted(EXPECTED) == LISTS


@pytest.mark.parametrize("name", LISTS)
def test_tensors_are_those_of_the_program_in_its_order(name):
    """The network is told by the shapes alone; what follows from it is the whole list again, in its order."""
    config = config_from(name)
    assert list(tensors(config, posterior=True).items()) == [row[:2] for row in key_list(name)]
    kept = tensors(config)
    assert list(kept) == [row[0] for row in key_list(name) if not row[0].startswith("enc_q.")]
    assert (config.sample_rate, config.content_dim) == EXPECTED[name][:2]
    assert sum(int(np.prod(shape)) for shape in kept.values()) == EXPECTED[name][2]
    assert {row[2] for row in key_list(name)} == {"torch.float32"}


@pytest.mark.parametrize("name", ["rvc_v1_48k", "rvc_v2_40k", "sovits_40", "sovits_41_vol"])
def test_fused_names_are_those_of_the_network(name):
    config = config_from(name)
    with torch.device("meta"):
        network = build_network(config)
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    shapes = shapes_of(name)
    assert wanted == {key: shapes[key] for key in fused_names(tensors(config))}


@pytest.mark.parametrize("shape", [(6, 4, 3), (6, 4, 1), (1, 5, 7), (3, 2)])
def test_weight_norm_is_torch_s(shape):
    layer = torch.nn.Module()
    layer.weight = torch.nn.Parameter(torch.from_numpy(drawn("norm", "v", shape)))
    torch.nn.utils.parametrizations.weight_norm(layer)
    length = drawn("norm", "g", (shape[0], *(1,) * (len(shape) - 1)))
    layer.parametrizations.weight.original0.data = torch.from_numpy(length)
    direction = layer.parametrizations.weight.original1.detach().numpy()
    assert np.allclose(fuse(length, direction), layer.weight.detach().numpy(), rtol=0, atol=1e-6)
    assert fuse(length, direction).dtype == np.float32


def test_a_weight_comes_back_bit_for_bit():
    weight = drawn("norm", "w", (64, 8, 5)) * np.logspace(-6, 3, 64, dtype=np.float32)[:, None, None]
    length, direction = split(weight)
    assert length.shape == (64, 1, 1)
    assert np.array_equal(direction, weight)
    assert np.allclose(length.ravel(), np.sqrt((weight.astype(np.float64) ** 2).sum((1, 2))), rtol=1e-6)
    assert np.array_equal(fuse(length, direction), weight)


def test_a_row_of_zeros_has_a_direction_and_no_length():
    """Torch divides by the direction's norm: of zeros it would make NaN."""
    weight = drawn("norm", "w", (3, 4, 2))
    weight[1] = 0
    length, direction = split(weight)
    assert length[1] == 0
    assert np.linalg.norm(direction[1]) > 0
    assert np.array_equal(fuse(length, direction), weight)
    assert np.array_equal(fuse(np.zeros((1, 1), "f4"), np.zeros((1, 4), "f4")), np.zeros((1, 4)))
    with pytest.raises(WeightsError, match="all zeros"):
        fuse(np.ones((1, 1), "f4"), np.zeros((1, 4), "f4"))
