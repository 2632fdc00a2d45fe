"""HuBERT's network, the base size: sound at 16 kHz in, one row for every 320 samples out.

Module names are those of the transformers layout, so a file in that layout loads as it is; `own_names` also knows the
layouts of torchaudio and of the framework it was first published with.

References
----------
W.-N. Hsu et al., "HuBERT: Self-Supervised Speech Representation Learning by Masked Prediction of Hidden Units",
IEEE/ACM TASLP 29, 2021. K. Qian et al., "ContentVec: An Improved Self-Supervised Speech Representation by
Disentangling Speakers", ICML 2022.
"""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

KERNELS = (10, 3, 3, 3, 3, 2, 2)
STRIDES = (5, 2, 2, 2, 2, 2, 2)
HOP_SAMPLES = 320  # product of the strides
FIELD_SAMPLES = 400  # what one row hears
CHANNELS = 512
WIDTH = 768
HEADS = 12
FEED = 3072
LAYERS = 12
PROJECTED = 256
POSITION_KERNEL, POSITION_GROUPS = 128, 16


class Hubert(nn.Module):
    """The first `layers` blocks, with or without the projection that the first voices were trained on."""

    def __init__(self, *, layers: int = LAYERS, projected: bool = False) -> None:
        super().__init__()
        self.width = PROJECTED if projected else WIDTH
        self.feature_extractor: Any = nn.ModuleDict(
            {"conv_layers": nn.ModuleList(SoundLayer(index) for index in range(len(KERNELS)))}
        )
        self.feature_projection: Any = nn.ModuleDict(
            {"layer_norm": nn.LayerNorm(CHANNELS), "projection": nn.Linear(CHANNELS, WIDTH)}
        )
        position = nn.Conv1d(
            WIDTH, WIDTH, POSITION_KERNEL, padding=POSITION_KERNEL // 2, groups=POSITION_GROUPS
        )
        self.encoder: Any = nn.ModuleDict(
            {
                "pos_conv_embed": nn.ModuleDict({"conv": position}),
                "layer_norm": nn.LayerNorm(WIDTH),
                "layers": nn.ModuleList(Block() for _ in range(layers)),
            }
        )
        self.final_proj = nn.Linear(WIDTH, PROJECTED) if projected else nn.Identity()

    def hear(self, samples: Tensor) -> Tensor:
        """Return what the convolutions hear: (n,) -> (rows, CHANNELS), rows = (n - 400) // 320 + 1."""
        heard = samples[None, None]
        for layer in self.feature_extractor["conv_layers"]:
            heard = layer(heard)
        return heard[0].T

    def forward(self, samples: Tensor) -> Tensor:
        """Return the rows of the last block, projected where that is wanted: (n,) -> (rows, width)."""
        heard = self.feature_projection["layer_norm"](self.hear(samples))
        rows = self.feature_projection["projection"](heard)[None]
        # An even kernel gives one position more than there are rows: the last is dropped.
        position = self.encoder["pos_conv_embed"]["conv"](rows.transpose(1, 2))[..., :-1]
        rows = self.encoder["layer_norm"](rows + functional.gelu(position).transpose(1, 2))
        for block in self.encoder["layers"]:
            rows = block(rows)
        final: Tensor = self.final_proj(rows[0])
        return final


class SoundLayer(nn.Module):
    """Convolution and GELU; the first layer normalises every channel over the whole sound between them."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            CHANNELS if index else 1, CHANNELS, KERNELS[index], stride=STRIDES[index], bias=False
        )
        self.layer_norm = nn.Identity() if index else nn.GroupNorm(CHANNELS, CHANNELS)

    def forward(self, heard: Tensor) -> Tensor:
        """Return (1, CHANNELS, t)."""
        return functional.gelu(self.layer_norm(self.conv(heard)))


class Block(nn.Module):
    """Self-attention over all rows, then two linear layers, each followed by its LayerNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention()
        self.layer_norm = nn.LayerNorm(WIDTH)
        self.feed_forward = nn.ModuleDict(
            {"intermediate_dense": nn.Linear(WIDTH, FEED), "output_dense": nn.Linear(FEED, WIDTH)}
        )
        self.final_layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, rows: Tensor) -> Tensor:
        """Return (1, t, WIDTH)."""
        rows = self.layer_norm(rows + self.attention(rows))
        wide = functional.gelu(self.feed_forward["intermediate_dense"](rows))
        done: Tensor = self.final_layer_norm(rows + self.feed_forward["output_dense"](wide))
        return done


class Attention(nn.Module):
    """Scaled dot products of `HEADS` heads."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.k_proj = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.v_proj, self.out_proj = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, rows: Tensor) -> Tensor:
        """Return (1, t, WIDTH)."""

        def heads(projected: Tensor) -> Tensor:
            one, rows, _ = projected.shape
            return projected.view(one, rows, HEADS, -1).transpose(1, 2)  # (1, heads, t, WIDTH / heads)

        mixed = functional.scaled_dot_product_attention(
            heads(self.q_proj(rows)), heads(self.k_proj(rows)), heads(self.v_proj(rows))
        )
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out


# Patterns of the other layouts -> the transformers layout: of the framework it was first published with, of torchaudio.
_OTHER_LAYOUTS = [
    (r"^feature_extractor\.conv_layers\.(\d+)\.0\.", r"feature_extractor.conv_layers.\1.conv."),
    (r"^feature_extractor\.conv_layers\.0\.2\.", r"feature_extractor.conv_layers.0.layer_norm."),
    (r"^layer_norm\.", "feature_projection.layer_norm."),
    (r"^post_extract_proj\.", "feature_projection.projection."),
    (r"^encoder\.pos_conv\.0\.", "encoder.pos_conv_embed.conv."),
    (r"\.self_attn\.", ".attention."),
    (r"\.self_attn_layer_norm\.", ".layer_norm."),
    (r"\.fc1\.", ".feed_forward.intermediate_dense."),
    (r"\.fc2\.", ".feed_forward.output_dense."),
    (r"^encoder\.feature_projection\.", "feature_projection."),
    (r"^encoder\.transformer\.", "encoder."),
]
# The weight norm of the positional convolution under its newer names.
_NEWER_NORM = {
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}
_POSITION = "encoder.pos_conv_embed.conv"


def own_names(published: dict[str, Any], network: Hubert) -> dict[str, Tensor]:
    """Return the tensors `network` needs, under its names, with the weight norm fused.

    Parameters
    ----------
    published : dict
        Any layout: the tensors themselves, or a checkpoint that holds them under ``"model"``; names may carry the
        prefix ``hubert.``. What belongs to training, or to blocks the network does not have, is left out.

    Raises
    ------
    KeyError
        When a tensor is missing.
    """
    table = published.get("model", published)
    tensors = {_own_name(name): value for name, value in table.items() if isinstance(value, Tensor)}
    if f"{_POSITION}.weight_g" in tensors:
        length, direction = tensors[f"{_POSITION}.weight_g"].float(), tensors[f"{_POSITION}.weight_v"].float()
        tensors[f"{_POSITION}.weight"] = direction * (length / direction.norm(dim=(0, 1), keepdim=True))
    return {name: tensors[name].float() for name in network.state_dict()}


def _own_name(name: str) -> str:
    name = name.removeprefix("hubert.")
    for pattern, ours in _OTHER_LAYOUTS:
        name = re.sub(pattern, ours, name)
    for newer, older in _NEWER_NORM.items():
        name = name.replace(newer, older)
    return name
