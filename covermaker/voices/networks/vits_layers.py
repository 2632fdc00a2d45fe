"""Layers that the parts of a VITS network share; tensors are (batch, channels, frames)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# What is done to a convolution whose weight was trained as a length and a direction: nothing where it sings, for its
# weight is fused then; torch's weight norm where it is trained.
Norm: TypeAlias = Callable[[nn.Module], nn.Module]


def fused(layer: nn.Module) -> nn.Module:
    """Leave a layer as it is: the `Norm` of a network that sings."""
    return layer


def dropout() -> nn.Dropout:
    """Return a place where training may forget some of what passes; how much, whoever trains says."""
    return nn.Dropout(0.0)


def masked(x: Tensor, mask: Tensor | None) -> Tensor:
    """Silence the frames past the end of each item of a batch; None: there are none."""
    return x if mask is None else x * mask


def along(layer: nn.Module, x: Tensor) -> Tensor:
    """Convolve along the last axis: (B, C, N), or (B, C, 1, N) where `channels_together` has laid out the layer.

    Parameters
    ----------
    layer : Conv1d or ConvTranspose1d
    """
    if x.dim() == 3:
        return cast("Tensor", layer(x))
    assert isinstance(layer, (nn.Conv1d, nn.ConvTranspose1d))
    transposed = isinstance(layer, nn.ConvTranspose1d)
    given: dict[str, Any] = {} if transposed else {"dilation": (1, layer.dilation[0])}
    return (F.conv_transpose2d if transposed else F.conv2d)(
        x,
        layer.weight.unsqueeze(2),
        layer.bias,
        stride=(1, layer.stride[0]),
        padding=(0, cast("int", layer.padding[0])),
        **given,
    )


def channels_together(network: nn.Module) -> None:
    """Lay out the weights of a network's convolutions with neighbouring channels side by side; values stay.

    A CPU then needs no copies of what goes in and comes out, as long as that is laid out so, too: it is the layout
    that its kernels work in.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv1d, nn.ConvTranspose1d)):
            layer.weight.data = layer.weight.data.transpose(1, 2).contiguous().transpose(1, 2)


class ChannelNorm(nn.Module):
    """Layer norm over channels.

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every frame."""
        rows = F.layer_norm(x.transpose(1, 2), self.gamma.shape, self.gamma, self.beta, eps=1e-5)
        return rows.transpose(1, 2)


class FeedForward(nn.Module):
    """Two convolutions with a ReLU between; as many frames come out as go in.

    Parameters
    ----------
    channels, inner, kernel : int
    causal : bool
        Whether a frame sees none after it.
    """

    def __init__(self, channels: int, inner: int, kernel: int, *, causal: bool = False) -> None:
        super().__init__()
        self.conv_1 = nn.Conv1d(channels, inner, kernel)
        self.conv_2 = nn.Conv1d(inner, channels, kernel)
        self.drop = dropout()
        self._padding = (kernel - 1, 0) if causal else ((kernel - 1) // 2, kernel // 2)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Transform (B, C, T)."""
        inner = self.drop(F.relu(self.conv_1(F.pad(masked(x, mask), self._padding))))
        return masked(cast("Tensor", self.conv_2(F.pad(masked(inner, mask), self._padding))), mask)


class WaveNet(nn.Module):
    """Gated convolutions told who sings; the sum of what each hands over comes out.

    Parameters
    ----------
    channels, kernel, layers, speaker_dim : int
    norm : Norm
    """

    def __init__(self, channels: int, kernel: int, layers: int, speaker_dim: int, norm: Norm = fused) -> None:
        super().__init__()
        self._channels = channels
        self.in_layers = nn.ModuleList(
            norm(nn.Conv1d(channels, 2 * channels, kernel, padding=kernel // 2)) for _ in range(layers)
        )
        # Each but the last also hands on what the next one hears.
        widths = [2 * channels] * (layers - 1) + [channels]
        self.res_skip_layers = nn.ModuleList(norm(nn.Conv1d(channels, width, 1)) for width in widths)
        self.cond_layer = norm(nn.Conv1d(speaker_dim, 2 * channels * layers, 1))

    def forward(self, x: Tensor, speaker: Tensor, mask: Tensor | None = None) -> Tensor:
        """Transform (B, C, T); `speaker` is (B, speaker_dim, 1 or T)."""
        told = self.cond_layer(speaker).split(2 * self._channels, dim=1)
        total = torch.zeros_like(x)
        for into, out, who in zip(self.in_layers, self.res_skip_layers, told, strict=True):
            moved, gate = (into(x) + who).chunk(2, dim=1)
            handed = out(moved.tanh() * gate.sigmoid())
            if handed.shape[1] > self._channels:
                x = masked(x + handed[:, : self._channels], mask)
                handed = handed[:, self._channels :]
            total = total + handed
        return masked(total, mask)
