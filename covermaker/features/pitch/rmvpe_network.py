"""RMVPE's network: log-mel frames in, a salience for each of 360 pitches out.

Module names are those of the published files, so they load as they are.

References
----------
H. Wei et al., "RMVPE: A Robust Model for Vocal Pitch Estimation in Polyphonic Music", Interspeech 2023.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

MELS = 128
PITCHES = 360
CHANNELS = (16, 32, 64, 128, 256)  # of the encoder's levels; each halves time and mel
DEEPEST = 512
BLOCKS = 4  # residual blocks a level
BETWEEN = 4  # levels at the bottom
HIDDEN = 256
POOLED_FRAMES = 2 ** len(CHANNELS)  # the network reads a multiple of this many frames


class Rmvpe(nn.Module):
    """A U-Net over the mel spectrum, then a recurrent layer over time in both directions."""

    def __init__(self) -> None:
        super().__init__()
        ins = (1, *CHANNELS[:-1])
        rising = (DEEPEST, *reversed(CHANNELS))
        self.unet: Any = nn.ModuleDict(
            {
                "encoder": nn.ModuleDict(
                    {
                        "bn": nn.BatchNorm2d(1),
                        "layers": nn.ModuleList(
                            Level(wide, out) for wide, out in zip(ins, CHANNELS, strict=True)
                        ),
                    }
                ),
                "intermediate": nn.ModuleDict(
                    {
                        "layers": nn.ModuleList(
                            Level(DEEPEST if index else CHANNELS[-1], DEEPEST) for index in range(BETWEEN)
                        )
                    }
                ),
                "decoder": nn.ModuleDict(
                    {"layers": nn.ModuleList(Rise(wide, out) for wide, out in pairwise(rising))}
                ),
            }
        )
        self.cnn = nn.Conv2d(CHANNELS[0], 3, 3, padding=1)
        self.fc: Any = nn.ModuleList(
            [
                nn.ModuleDict({"gru": nn.GRU(3 * MELS, HIDDEN, batch_first=True, bidirectional=True)}),
                nn.Linear(2 * HIDDEN, PITCHES),
            ]
        )

    def forward(self, mel: Tensor) -> Tensor:
        """Return saliences 0..1: (MELS, t) -> (t, PITCHES); t is filled up with zeros to a multiple of 32."""
        frames = mel.shape[-1]
        filled = functional.pad(mel, (0, -frames % POOLED_FRAMES))
        heard = self.unet["encoder"]["bn"](filled.T[None, None])  # (1, 1, t, MELS)
        kept = []
        for level in self.unet["encoder"]["layers"]:
            heard = level(heard)
            kept.append(heard)
            heard = functional.avg_pool2d(heard, 2)
        for level in self.unet["intermediate"]["layers"]:
            heard = level(heard)
        for rise in self.unet["decoder"]["layers"]:
            heard = rise(heard, kept.pop())
        rows = self.cnn(heard).transpose(1, 2).flatten(2)  # (1, t, 3 MELS)
        rows = self.fc[0]["gru"](rows)[0]
        salience: Tensor = self.fc[1](rows).sigmoid()[0, :frames]
        return salience


class Level(nn.Module):
    """Residual blocks at one resolution."""

    def __init__(self, ins: int, outs: int) -> None:
        super().__init__()
        self.conv = nn.ModuleList(Residual(outs if index else ins, outs) for index in range(BLOCKS))

    def forward(self, heard: Tensor) -> Tensor:
        """Return (1, outs, t, mels)."""
        for block in self.conv:
            heard = block(heard)
        return heard


class Rise(nn.Module):
    """Doubles time and mel, takes in what the encoder kept there, then residual blocks."""

    def __init__(self, ins: int, outs: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.ConvTranspose2d(ins, outs, 3, stride=2, padding=1, output_padding=1, bias=False),
            nn.BatchNorm2d(outs),
            nn.ReLU(),
        )
        self.conv2 = nn.ModuleList(Residual(outs if index else 2 * outs, outs) for index in range(BLOCKS))

    def forward(self, heard: Tensor, kept: Tensor) -> Tensor:
        """Return (1, outs, 2 t, 2 mels)."""
        heard = torch.cat((self.conv1(heard), kept), dim=1)
        for block in self.conv2:
            heard = block(heard)
        return heard


class Residual(nn.Module):
    """Two convolutions with batch norm, added to what came in, through a 1 x 1 convolution where widths differ."""

    def __init__(self, ins: int, outs: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(ins, outs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outs),
            nn.ReLU(),
            nn.Conv2d(outs, outs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outs),
            nn.ReLU(),
        )
        self.shortcut = nn.Identity() if ins == outs else nn.Conv2d(ins, outs, 1)

    def forward(self, heard: Tensor) -> Tensor:
        """Return (1, outs, t, mels)."""
        added: Tensor = self.conv(heard) + self.shortcut(heard)
        return added


def own_names(published: dict[str, Any], network: Rmvpe) -> dict[str, Tensor]:
    """Return the tensors `network` needs out of any published file.

    Parameters
    ----------
    published : dict
        The tensors themselves, or a checkpoint that holds them under ``"model"``. That second kind carries a filter
        for the skip connections (``unet.tf``) which its network never runs; it is left out.

    Raises
    ------
    KeyError
        When a tensor is missing.
    """
    table = published.get("model", published)
    # Counters of the batch norms' training matter to nobody and some files leave them out.
    return {
        name: own if name.endswith("num_batches_tracked") else table[name].float()
        for name, own in network.state_dict().items()
    }
