"""The flow between the encoder's latent and the decoder's: coupling layers that can be run both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from covermaker.voices.networks.vits_layers import Norm, WaveNet, fused, masked

if TYPE_CHECKING:
    from covermaker.voices.networks.vits_config import VitsConfig


class Coupling(nn.Module):
    """Moves one half of the channels by what a network reads from the other half.

    Parameters
    ----------
    config : VitsConfig
    norm : Norm
    """

    def __init__(self, config: VitsConfig, norm: Norm = fused) -> None:
        super().__init__()
        half = config.latent // 2
        self.pre = nn.Conv1d(half, config.hidden, 1)
        self.enc = WaveNet(config.hidden, config.flow_kernel, config.flow_layers, config.speaker_dim, norm)
        self.post = nn.Conv1d(config.hidden, half, 1)

    def forward(
        self, z: Tensor, speaker: Tensor, mask: Tensor | None = None, *, reverse: bool = False
    ) -> Tensor:
        """Move (B, latent, T), or move it back."""
        still, moved = z.chunk(2, dim=1)
        by = masked(self.post(self.enc(masked(self.pre(still), mask), speaker, mask)), mask)
        return torch.cat([still, moved - by if reverse else moved + by], dim=1)


class Flip(nn.Module):
    """Turns the order of channels round, so that the next layer moves the other half."""

    def forward(
        self, z: Tensor, speaker: Tensor, mask: Tensor | None = None, *, reverse: bool = False
    ) -> Tensor:
        """Flip (B, latent, T)."""
        return z.flip(1)


class Flow(nn.Module):
    """Couplings and flips in turn.

    Parameters
    ----------
    config : VitsConfig
    norm : Norm
    """

    def __init__(self, config: VitsConfig, norm: Norm = fused) -> None:
        super().__init__()
        layers = [layer for _ in range(config.flows) for layer in (Coupling(config, norm), Flip())]
        self.flows = nn.ModuleList(layers)

    def forward(
        self, z: Tensor, speaker: Tensor, mask: Tensor | None = None, *, reverse: bool = False
    ) -> Tensor:
        """Take the decoder's latent (B, latent, T) to the encoder's; `reverse` is the way that singing goes."""
        for layer in reversed(self.flows) if reverse else self.flows:
            z = layer(z, speaker, mask, reverse=reverse)
        return z
