"""Attention that knows how far away a frame is, in memory that grows with the length of a chunk, not its square."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from covermaker.voices.networks.vits_layers import ChannelNorm, FeedForward, dropout, masked

_ROWS = 256  # so many frames ask at a time
_FAR = -1e4  # of what is not looked at


class Attention(nn.Module):
    """Every frame looks at every other; near ones have a key and a value for their distance.

    Parameters
    ----------
    channels, heads : int
    window : int
        Distances up to it are told apart; farther frames have no position. 0: none has.
    causal : bool
        Whether a frame sees none after it.
    """

    def __init__(self, channels: int, heads: int, window: int = 0, *, causal: bool = False) -> None:
        super().__init__()
        self._heads, self._window, self._causal = heads, window, causal
        if window:
            distances = (1, 2 * window + 1, channels // heads)  # the heads share them
            self.emb_rel_k = nn.Parameter(torch.randn(distances) * distances[-1] ** -0.5)
            self.emb_rel_v = nn.Parameter(torch.randn(distances) * distances[-1] ** -0.5)
        self.conv_q = nn.Conv1d(channels, channels, 1)
        self.conv_k = nn.Conv1d(channels, channels, 1)
        self.conv_v = nn.Conv1d(channels, channels, 1)
        self.conv_o = nn.Conv1d(channels, channels, 1)
        self.drop = dropout()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Transform (B, C, T); `mask` (B, 1, T) is 0 at frames that nobody may look at."""
        asks, keys, values = (
            conv(x).unflatten(1, (self._heads, -1)).transpose(2, 3)
            for conv in (self.conv_q, self.conv_k, self.conv_v)
        )  # each (B, heads, T, width)
        asks = asks / math.sqrt(asks.shape[-1])
        found = [
            self._rows(asks[:, :, start : start + _ROWS], start, keys, values, mask)
            for start in range(0, x.shape[2], _ROWS)
        ]
        return cast("Tensor", self.conv_o(torch.cat(found, dim=2).transpose(2, 3).flatten(1, 2)))

    def _rows(self, asks: Tensor, start: int, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """Return what the frames from `start` on find, (B, heads, rows, width)."""
        rows, frames, window = asks.shape[2], keys.shape[2], self._window
        scores = asks @ keys.transpose(2, 3)
        # A square of rows and the columns around them, cut where the chunk has none.
        near = slice(max(0, start - window), min(frames, start + rows + window))
        cut = slice(near.start - (start - window), near.stop - (start - window))
        if window:
            scores[..., near] += _slanted(asks @ self.emb_rel_k[0].T)[..., cut]
        if mask is not None:
            scores = scores.masked_fill(mask[:, None] == 0, _FAR)
        if self._causal:
            columns = torch.arange(frames, device=asks.device)
            later = columns > torch.arange(start, start + rows, device=asks.device)[:, None]
            scores = scores.masked_fill(later, _FAR)
        shares: Tensor = self.drop(scores.softmax(dim=-1))
        found: Tensor = shares @ values
        if window:
            padded = F.pad(shares[..., near], (cut.start, rows + 2 * window - cut.stop))
            found = found + _upright(padded, window) @ self.emb_rel_v[0]
        return found


def _slanted(band: Tensor) -> Tensor:
    """Move row r of (..., R, 2w + 1) right by r: columns become places, (..., R, R + 2w)."""
    rows, width = band.shape[-2:]
    line = F.pad(band, (0, rows)).flatten(-2)[..., : rows * (rows + width - 1)]
    return line.reshape(*band.shape[:-1], rows + width - 1)


def _upright(places: Tensor, window: int) -> Tensor:
    """Undo `_slanted`."""
    rows, width = places.shape[-2:]
    line = F.pad(places.flatten(-2), (0, rows))
    return line.reshape(*places.shape[:-1], width + 1)[..., : 2 * window + 1]


class Transformer(nn.Module):
    """Blocks of attention and convolution, each added and normalised; as in the original programs' text encoders.

    Parameters
    ----------
    channels, inner, heads, layers, kernel, window : int
        See `VitsConfig`.
    """

    def __init__(self, channels: int, inner: int, heads: int, layers: int, kernel: int, window: int) -> None:
        super().__init__()
        self.attn_layers = nn.ModuleList(Attention(channels, heads, window) for _ in range(layers))
        self.norm_layers_1 = nn.ModuleList(ChannelNorm(channels) for _ in range(layers))
        self.ffn_layers = nn.ModuleList(FeedForward(channels, inner, kernel) for _ in range(layers))
        self.norm_layers_2 = nn.ModuleList(ChannelNorm(channels) for _ in range(layers))
        self.drop = dropout()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Transform (B, C, T)."""
        x = masked(x, mask)
        for attention, norm_1, feed, norm_2 in zip(
            self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True
        ):
            x = norm_1(x + self.drop(attention(x, mask)))
            x = norm_2(x + self.drop(feed(x, mask)))
        return masked(x, mask)
