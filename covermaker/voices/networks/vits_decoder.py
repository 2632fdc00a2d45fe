"""The decoder: latent frames and a source become sound (HiFi-GAN with a neural source filter)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from covermaker.voices.networks.vits_layers import Norm, along, channels_together, fused
from covermaker.voices.networks.vits_source import SineSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.voices.networks.vits_config import VitsConfig

_TOGETHER = torch.channels_last
_SLOPE = 0.1
_LAST_SLOPE = 0.01
_EDGE = 7  # width of the first and the last convolution


class ResidualBlock(nn.Module):
    """Pairs of convolutions, the first of each dilated, each pair added to what came in.

    Parameters
    ----------
    channels, kernel : int
    dilations : sequence of int
    norm : Norm
    """

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int], norm: Norm = fused) -> None:
        super().__init__()

        def convolution(dilation: int) -> nn.Module:
            padding = (kernel - 1) // 2 * dilation
            return norm(nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding))

        self.convs1 = nn.ModuleList(convolution(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(convolution(1) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, C, N) or (B, C, 1, N)."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            # What a convolution gives is nobody else's, so it may be changed in place.
            inner = F.leaky_relu(along(dilated, F.leaky_relu(x, _SLOPE)), _SLOPE, inplace=True)
            x = along(plain, inner).add_(x)
        return x


class Decoder(nn.Module):
    """Latent frames to sound.

    RVC norms neither end; so-vits-svc norms both, and its last convolution has a bias.

    Parameters
    ----------
    config : VitsConfig
    norm : Norm
    """

    def __init__(self, config: VitsConfig, norm: Norm = fused) -> None:
        super().__init__()
        sovits = config.family == "sovits"
        ends = norm if sovits else fused
        widths = [config.upsample_channels >> stage for stage in range(len(config.upsample_rates) + 1)]
        if config.pitched:
            self.m_source = SineSource(config.harmonics)
            self.noise_convs = nn.ModuleList(
                nn.Conv1d(1, width, 2 * stride, stride, stride // 2) if stride > 1 else nn.Conv1d(1, width, 1)
                for width, stride in zip(widths[1:], config.strides, strict=True)
            )
        self.conv_pre = ends(nn.Conv1d(config.latent, widths[0], _EDGE, padding=_EDGE // 2))
        self.ups = nn.ModuleList(
            norm(nn.ConvTranspose1d(wide, narrow, kernel, rate, (kernel - rate) // 2))
            for wide, narrow, kernel, rate in zip(
                widths[:-1], widths[1:], config.upsample_kernels, config.upsample_rates, strict=True
            )
        )
        self._blocks = len(config.resblock_kernels)  # at each stage
        self.resblocks = nn.ModuleList(
            ResidualBlock(width, kernel, dilations, norm)
            for width in widths[1:]
            for kernel, dilations in zip(config.resblock_kernels, config.resblock_dilations, strict=True)
        )
        self.conv_post = ends(nn.Conv1d(widths[-1], 1, _EDGE, padding=_EDGE // 2, bias=sovits))
        self.cond = nn.Conv1d(config.speaker_dim, widths[0], 1)
        self._is_quick = False

    def forward(self, z: Tensor, speaker: Tensor, source: Tensor | None) -> Tensor:
        """Sing.

        Parameters
        ----------
        z : (B, latent, T)
        speaker : (B, speaker_dim, 1 or T)
        source : (B, 1, T * hop_samples), optional
            What `m_source` makes; None for a network without pitch.

        Returns
        -------
        (B, T * hop_samples)
        """
        if self._is_quick:
            z, speaker = (values.unsqueeze(2).contiguous(memory_format=_TOGETHER) for values in (z, speaker))
            # Of one channel, it is laid out either way.
            source = None if source is None else source.unsqueeze(2)
        x = along(self.conv_pre, z) + along(self.cond, speaker)
        for stage, up in enumerate(self.ups):
            x = along(up, F.leaky_relu(x, _SLOPE, inplace=True))
            if source is not None:
                x.add_(along(self.noise_convs[stage], source))
            first, *others = self.resblocks[stage * self._blocks : (stage + 1) * self._blocks]
            heard = first(x)
            for block in others:
                heard.add_(block(x))
            x = heard.div_(self._blocks)
        return along(self.conv_post, F.leaky_relu(x, _LAST_SLOPE, inplace=True)).tanh().flatten(1)

    def quicken(self) -> None:
        """Make it quick on a CPU, for good: the same sound to float rounding, in about two thirds of the time."""
        channels_together(self)
        self._is_quick = True


def reach_frames(config: VitsConfig) -> int:
    """Return how many latent frames to each side a frame's samples depend on."""
    edge = _EDGE // 2
    block = max(
        sum((kernel - 1) // 2 * (dilation + 1) for dilation in dilations)
        for kernel, dilations in zip(config.resblock_kernels, config.resblock_dilations, strict=True)
    )
    first, last = -edge, config.hop_samples - 1 + edge
    for rate, kernel in zip(reversed(config.upsample_rates), reversed(config.upsample_kernels), strict=True):
        padding = (kernel - rate) // 2
        first = -((kernel - 1 - padding - (first - block)) // rate)
        last = (last + block + padding) // rate
    return max(edge - first, last + edge)
