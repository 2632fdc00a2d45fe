"""What makes up a pitch for speech in a so-vits-svc voice: a causal transformer over what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from covermaker.voices.networks.vits_attention import Attention
from covermaker.voices.networks.vits_layers import ChannelNorm, FeedForward, dropout, masked

if TYPE_CHECKING:
    from covermaker.voices.networks.vits_config import VitsConfig

_MELS, _BEND_HZ, _UNIT = 2595.0, 700.0, 500.0  # of the scale that the pitch is learned on


def melodic(f0_hz: Tensor) -> Tensor:
    """Return a pitch on the scale that it is learned on."""
    return _MELS * (1.0 + f0_hz / _BEND_HZ).log10() / _UNIT


def hertz(melodic: Tensor) -> Tensor:
    """Undo `melodic`."""
    return _BEND_HZ * (10.0 ** (melodic * _UNIT / _MELS) - 1.0)


def centred(melodic: Tensor, voiced: Tensor, factor: Tensor | float = 1.0) -> Tensor:
    """Take the mean of the voiced frames off (B, T), 0 when none is, and stretch what is left."""
    count = voiced.sum(dim=-1, keepdim=True).clamp(min=1)
    return (melodic - (melodic * voiced).sum(dim=-1, keepdim=True) / count) * factor


class _CausalBlocks(nn.Module):
    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        channels, layers = config.hidden, range(config.layers)
        self.self_attn_layers = nn.ModuleList(Attention(channels, config.heads, causal=True) for _ in layers)
        self.norm_layers_0 = nn.ModuleList(ChannelNorm(channels) for _ in layers)
        self.ffn_layers = nn.ModuleList(
            FeedForward(channels, config.filter, config.kernel, causal=True) for _ in layers
        )
        self.norm_layers_1 = nn.ModuleList(ChannelNorm(channels) for _ in layers)
        self.drop = dropout()

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = masked(x, mask)
        for attention, norm_0, feed, norm_1 in zip(
            self.self_attn_layers, self.norm_layers_0, self.ffn_layers, self.norm_layers_1, strict=True
        ):
            # Who sees only what was before never sees the end that is masked.
            x = norm_0(x + self.drop(attention(x)))
            x = norm_1(x + self.drop(feed(x, mask)))
        return masked(x, mask)


class PitchDecoder(nn.Module):
    """What is said, and by whom, to a pitch.

    Parameters
    ----------
    config : VitsConfig
    """

    def __init__(self, config: VitsConfig) -> None:
        super().__init__()
        channels = config.hidden
        self.prenet = nn.Conv1d(channels, channels, 3, padding=1)
        self.decoder = _CausalBlocks(config)
        self.proj = nn.Conv1d(channels, 1, 1)
        self.f0_prenet = nn.Conv1d(1, channels, 3, padding=1)
        self.cond = nn.Conv1d(config.speaker_dim, channels, 1)

    def forward(self, x: Tensor, pitch: Tensor, speaker: Tensor, mask: Tensor | None = None) -> Tensor:
        """Guess a pitch.

        Parameters
        ----------
        x : (B, hidden, T)
            What the encoder is told, without pitch.
        pitch : (B, T)
            The source's, `centred`.
        speaker : (B, speaker_dim, 1 or T)
        mask : (B, 1, T), optional

        Returns
        -------
        (B, T)
            On the scale of `melodic`.
        """
        x = x.detach() + self.cond(speaker) + self.f0_prenet(pitch[:, None])
        x = self.decoder(masked(self.prenet(x), mask), mask)
        return masked(self.proj(x), mask).squeeze(1)
