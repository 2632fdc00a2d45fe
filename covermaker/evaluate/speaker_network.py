"""The GE2E speaker encoder's network.

References
----------
L. Wan et al., "Generalized End-to-End Loss for Speaker Verification", ICASSP 2018.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

MELS = 40
WIDTH = 256
LAYERS = 3


class SpeakerNetwork(nn.Module):
    """Three LSTM layers over mel frames, the last state projected, rectified and scaled to length one."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(MELS, WIDTH, LAYERS, batch_first=True)
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, mel: Tensor) -> Tensor:
        """Return one embedding for each stretch: (n, frames, MELS) -> (n, WIDTH)."""
        _, (state, _) = self.lstm(mel)  # (LAYERS, n, WIDTH)
        return functional.normalize(functional.relu(self.linear(state[-1])), dim=1)
