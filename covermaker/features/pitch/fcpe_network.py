"""FCPE's network: mel frames in, a salience for each of 360 pitches out.

Only convolutions: a frame's answer depends on `CONTEXT_FRAMES` neighbours and on one pair of statistics a group,
which `normalise` takes from outside so that a long vocal can be worked on in pieces.

References
----------
Y. Luo et al., "FCPE: A Fast Context-based Pitch Estimation Model", arXiv:2509.15140.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

MELS = 128
WIDTH = 512
LAYERS = 6
KERNEL = 31
GROUPS = 4
PITCHES = 360
CONTEXT_FRAMES = 2 + LAYERS * (KERNEL // 2)
EPSILON = 1e-5


class Fcpe(nn.Module):
    """Input convolution, six gated depthwise blocks with residuals, one sigmoid for each pitch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(MELS, WIDTH, 3, padding=1)
        self.group_norm = nn.GroupNorm(GROUPS, WIDTH, eps=EPSILON)  # holds gain and bias; see `normalise`
        self.second = nn.Conv1d(WIDTH, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.out = nn.Linear(WIDTH, PITCHES)

    def listen(self, mel: Tensor) -> Tensor:
        """Return what the first convolution hears in log-mel frames: (MELS, t) -> (WIDTH, t)."""
        heard: Tensor = self.first(mel[None])[0]
        return heard

    def normalise(self, heard: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """Normalise by group statistics, both (GROUPS,); (WIDTH, t) -> (WIDTH, t)."""
        grouped = heard.view(GROUPS, -1, heard.shape[-1])  # (g, WIDTH / g, t)
        scaled = (grouped - mean[:, None, None]) * (variance[:, None, None] + EPSILON).rsqrt()
        return scaled.view_as(heard) * self.group_norm.weight[:, None] + self.group_norm.bias[:, None]

    def forward(self, normalised: Tensor) -> Tensor:
        """Return saliences 0..1: (WIDTH, t) -> (t, PITCHES)."""
        frames = self.second(functional.leaky_relu(normalised)[None]).transpose(1, 2)  # (1, t, WIDTH)
        for block in self.blocks:
            frames = frames + block(frames)
        salience: Tensor = self.out(self.norm(frames)).sigmoid()[0]
        return salience


class Block(nn.Module):
    """LayerNorm, expansion with a gate, depthwise convolution over time, projection back."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.expand = nn.Conv1d(WIDTH, 4 * WIDTH, 1)
        self.depthwise = nn.Conv1d(2 * WIDTH, 2 * WIDTH, KERNEL, padding=KERNEL // 2, groups=2 * WIDTH)
        self.project = nn.Conv1d(2 * WIDTH, WIDTH, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Return what is added to the frames: (1, t, WIDTH) -> (1, t, WIDTH)."""
        gated = functional.glu(self.expand(self.norm(frames).transpose(1, 2)), dim=1)  # (1, 2 WIDTH, t)
        mixed: Tensor = self.project(functional.silu(self.depthwise(gated))).transpose(1, 2)
        return mixed


_BLOCK_NAMES = {"0": "norm", "2": "expand", "4.conv": "depthwise", "6": "project"}
_NAMES = {
    "input_stack.0": "first",
    "input_stack.1": "group_norm",
    "input_stack.3": "second",
    "norm": "norm",
} | {
    f"net.encoder_layers.{layer}.conformer.net.{old}": f"blocks.{layer}.{new}"
    for layer in range(LAYERS)
    for old, new in _BLOCK_NAMES.items()
}


def own_names(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename a published checkpoint's tensors to ours and fuse the weight norm of its output layer.

    Raises
    ------
    KeyError
        When a tensor is missing.
    """
    ours = {
        f"{new}.{part}": published[f"{old}.{part}"]
        for old, new in _NAMES.items()
        for part in ("weight", "bias")
    }
    direction, length = published["output_proj.weight_v"], published["output_proj.weight_g"]
    ours["out.weight"] = direction * (length / direction.norm(dim=1, keepdim=True))
    ours["out.bias"] = published["output_proj.bias"]
    return ours
