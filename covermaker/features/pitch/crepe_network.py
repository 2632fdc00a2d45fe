"""CREPE's network: 64 ms of sound in, a salience for each of 360 pitches out.

References
----------
J. W. Kim et al., "CREPE: A Convolutional Representation for Pitch Estimation", ICASSP 2018.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

WINDOW_SAMPLES = 1024
PITCHES = 360
SIZES = {  # filters of the six layers
    "full": (1024, 128, 128, 128, 256, 512),
    "tiny": (128, 16, 16, 16, 32, 64),
}
FIRST_KERNEL, KERNEL = 512, 64
EPSILON = 0.001


class Crepe(nn.Module):
    """Six times convolution, ReLU, batch norm, pooling; then one sigmoid for each pitch."""

    def __init__(self, size: str) -> None:
        super().__init__()
        filters = SIZES[size]
        kernels = (FIRST_KERNEL,) + (KERNEL,) * 5
        strides = (4,) + (1,) * 5
        self.convolutions = nn.ModuleList(
            nn.Conv1d(into, out, kernel, stride)
            for into, out, kernel, stride in zip((1, *filters), filters, kernels, strides, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(out, eps=EPSILON) for out in filters)
        self.classifier = nn.Linear(filters[-1] * WINDOW_SAMPLES // 4 // 2**6, PITCHES)

    def forward(self, windows: Tensor) -> Tensor:
        """Return saliences 0..1: (n, WINDOW_SAMPLES) of mean 0 and variance 1 -> (n, PITCHES)."""
        heard = windows[:, None]  # (n, 1, 1024)
        for layer, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            # "Same" padding as TensorFlow places it: with an even kernel the extra sample goes to the right.
            heard = functional.pad(heard, (254, 254) if layer == 0 else (31, 32))
            heard = functional.max_pool1d(norm(functional.relu(convolution(heard))), 2)
        flat = heard.transpose(1, 2).flatten(1)  # (n, time * filters), time outermost
        salience: Tensor = self.classifier(flat).sigmoid()
        return salience


def own_names(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename a published checkpoint's tensors to ours; its convolutions are two-dimensional with width 1.

    Raises
    ------
    KeyError
        When a tensor is missing.
    """
    ours = {f"classifier.{name}": published[f"classifier.{name}"] for name in ("weight", "bias")}
    for layer in range(6):
        ours[f"convolutions.{layer}.weight"] = published[f"conv{layer + 1}.weight"].squeeze(-1)
        ours[f"convolutions.{layer}.bias"] = published[f"conv{layer + 1}.bias"]
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            ours[f"norms.{layer}.{name}"] = published[f"conv{layer + 1}_BN.{name}"]
    return ours
