"""A VITS network as it is trained: the one that sings, its weight norm taken apart, and the posterior encoder.

Its tensors have the names that files of RVC and so-vits-svc have, ``X.weight_g`` and ``X.weight_v``.

References
----------
J. Kim, J. Kong, J. Son, "Conditional Variational Autoencoder with Adversarial Learning for End-to-End Text-to-Speech",
ICML 2021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from covermaker.voices.community.layout import POSTERIOR, POSTERIOR_LAYERS
from covermaker.voices.networks.vits_layers import Norm, WaveNet, masked
from covermaker.voices.networks.vits_network import RvcNetwork, SovitsNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.voices.networks.vits_config import VitsConfig

# How much of what passes each family's transformers forget in training.
DROPOUT: Final = {"rvc": 0.0, "sovits": 0.1}

_LENGTH, _DIRECTION, _PRODUCT = ".weight_g", ".weight_v", ".weight"


def normed(layer: nn.Module) -> nn.Module:
    """Train a layer's weight as a length and a direction, under the names ``weight_g`` and ``weight_v``.

    Parameters
    ----------
    layer : Conv1d, Conv2d or ConvTranspose1d
    """
    weight = layer._parameters.pop("weight")
    assert weight is not None
    over = tuple(range(1, weight.dim()))
    length = torch.linalg.vector_norm(weight.detach(), dim=over, keepdim=True)
    layer.register_parameter("weight_g", nn.Parameter(length))
    layer.register_parameter("weight_v", nn.Parameter(weight.detach()))
    layer.register_forward_pre_hook(_join)
    return layer


def joined(length: Tensor, direction: Tensor) -> Tensor:
    """Return the weight of a length (n, 1, …) and a direction (n, …)."""
    return torch._weight_norm(direction, length, 0)


def _join(layer: nn.Module, _: object) -> None:
    # A plain attribute, made anew at each call: gradients go on to both parts.
    object.__setattr__(layer, "weight", joined(layer.weight_g, layer.weight_v))  # type: ignore[arg-type]


class Posterior(nn.Module):
    """The target's spectrogram to the latent that the decoder is to sing.

    Parameters
    ----------
    config : VitsConfig
    norm : Norm
    """

    def __init__(self, config: VitsConfig, norm: Norm) -> None:
        super().__init__()
        self.pre = nn.Conv1d(config.spectrum, config.hidden, 1)
        self.enc = WaveNet(config.hidden, config.flow_kernel, POSTERIOR_LAYERS, config.speaker_dim, norm)
        self.proj = nn.Conv1d(config.hidden, 2 * config.latent, 1)

    def forward(self, spectrum: Tensor, speaker: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read (B, bins, T); give mean and log scale, both (B, latent, T)."""
        x = self.enc(masked(self.pre(spectrum), mask), speaker, mask)
        mean, log_scale = masked(self.proj(x), mask).chunk(2, dim=1)
        return mean, log_scale


class TrainedRvc(RvcNetwork):
    """RVC, with what only training needs."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__(config, normed)
        self.enc_q = Posterior(config, normed)


class TrainedSovits(SovitsNetwork):
    """so-vits-svc, with what only training needs."""

    def __init__(self, config: VitsConfig) -> None:
        super().__init__(config, normed)
        self.enc_q = Posterior(config, normed)


def build_trained(config: VitsConfig) -> TrainedRvc | TrainedSovits:
    """Return a network with weights drawn by torch's generator, as the original programs begin."""
    network = (TrainedRvc if config.family == "rvc" else TrainedSovits)(config)
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = DROPOUT[config.family]
    for name, parameter in network.named_parameters():
        if name.startswith("flow.") and ".post." in name:
            nn.init.zeros_(parameter)  # at first nothing is moved
        elif name.endswith(("conv_q.weight", "conv_k.weight", "conv_v.weight")):
            nn.init.xavier_uniform_(parameter)
    return network


def sung(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what a voice's file holds of a trained network: float32, weight norm joined, no posterior encoder."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.startswith(POSTERIOR) or name.endswith(_LENGTH):
            continue
        if name.endswith(_DIRECTION):
            at = name.removesuffix(_DIRECTION)
            found[at + _PRODUCT] = joined(tensors[at + _LENGTH].float(), tensor.float())
        else:
            found[name] = tensor.float()
    return found
