"""From what is sung to the latent's prior: where the two families differ most.

RVC adds the pitch's bin to the content before its transformer and scales the sum; so-vits-svc has content, voicing and
level added up outside and adds the bin inside.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from covermaker.voices.networks.vits_attention import Transformer
from covermaker.voices.networks.vits_layers import masked
from covermaker.voices.networks.vits_pitch import BINS

if TYPE_CHECKING:
    from covermaker.voices.networks.vits_config import VitsConfig


def _transformer(config: VitsConfig) -> Transformer:
    return Transformer(
        config.hidden, config.filter, config.heads, config.layers, config.kernel, config.window
    )


def _prior(projected: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    mean, log_scale = masked(projected, mask).chunk(2, dim=1)
    return mean, log_scale


class RvcEncoder(nn.Module):
    """Content and pitch to a prior.

    Parameters
    ----------
    config : VitsConfig
    """

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        self._scale = math.sqrt(config.hidden)
        self.emb_phone = nn.Linear(config.content_dim, config.hidden)
        if config.pitched:
            self.emb_pitch = nn.Embedding(BINS, config.hidden)
        self.encoder = _transformer(config)
        self.proj = nn.Conv1d(config.hidden, 2 * config.latent, 1)

    def forward(
        self, content: Tensor, bins: Tensor | None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Read content (B, T, content_dim) and bins (B, T) or None; give mean and log scale (B, latent, T)."""
        rows = self.emb_phone(content)
        if bins is not None:
            rows = rows + self.emb_pitch(bins)
        rows = F.leaky_relu(rows * self._scale, 0.1)
        return _prior(self.proj(self.encoder(rows.transpose(1, 2), mask)), mask)


class SovitsEncoder(nn.Module):
    """What was added up outside, and pitch, to a prior.

    Parameters
    ----------
    config : VitsConfig
    """

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        self.proj = nn.Conv1d(config.hidden, 2 * config.latent, 1)
        self.f0_emb = nn.Embedding(BINS, config.hidden)
        self.enc_ = _transformer(config)

    def forward(self, x: Tensor, bins: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read x (B, hidden, T) and bins (B, T); give mean and log scale (B, latent, T)."""
        x = x + self.f0_emb(bins).transpose(1, 2)
        return _prior(self.proj(self.enc_(x, mask)), mask)
