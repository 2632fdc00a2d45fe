"""ContentVec: HuBERT trained further until it forgets who speaks.

Two readings of one file: all twelve blocks, 768 numbers a row; or the first nine and the projection to 256, as the
first generation of voices was trained on. Attention reaches over the whole window and the first layer normalises over
it, so a row depends on its window as Whisper's does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from covermaker.features.checkpoint import load_network
from covermaker.weights.catalog import locate
from covermaker.weights.device import computing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.features.encoders.base import Encode

CATALOG_NAME = "contentvec"


@dataclass(frozen=True, slots=True)
class ContentVec:
    """One reading; see `ContentEncoder`."""

    NAME: str
    WIDTH: int
    layers: int
    projected: bool

    VERSION: ClassVar[int] = 1
    WEIGHTS: ClassVar[tuple[str, ...]] = (CATALOG_NAME,)
    RATE_HZ: ClassVar[float] = 50.0
    FIRST_ROW_SECONDS: ClassVar[float] = 0.0
    FIXED_WINDOW: ClassVar[bool] = False

    def open(self, *, device: str, threads: int) -> Encode:
        """Load the network; in torch every network has as many threads, see `computing`."""
        return partial(encode, load(locate(CATALOG_NAME), self, device=device))


CONTENTVEC = ContentVec("contentvec", 768, layers=12, projected=False)
CONTENTVEC_256 = ContentVec("contentvec-256", 256, layers=9, projected=True)


def load(path: Path, reading: ContentVec, *, device: str) -> Any:
    """Return the network of a file in either published layout, ``torch.save`` or safetensors.

    Raises
    ------
    WeightsError
        When the file holds something else, or not the projection that the reading needs.
    """
    from covermaker.weights.device import torch_ready

    torch_ready()
    from covermaker.features.encoders.hubert_network import Hubert, own_names

    network = Hubert(layers=reading.layers, projected=reading.projected)
    return load_network(
        network,
        path,
        what=reading.NAME,
        tensors=lambda published: own_names(published, network),
        device=device,
        foreign_objects=True,  # the first published file holds its training settings, too
    )


def encode(network: Any, window: NDArray[np.float32]) -> NDArray[np.float32]:
    """Read at most 30 s of 16 kHz sound.

    The sound is surrounded by half of what a row hears, so that row i is centred at i / 50 s (to half a sample)
    and the ends have rows, too.

    Returns
    -------
    float32 array (samples // 320 + 1, width)
        All zeros for digital silence, which is not sent through the network.
    """
    from covermaker.features.encoders.hubert_network import FIELD_SAMPLES, HOP_SAMPLES

    if not window.any():
        return np.zeros((len(window) // HOP_SAMPLES + 1, network.width), dtype=np.float32)
    padded = np.pad(window, FIELD_SAMPLES // 2)
    device = next(network.parameters()).device
    with computing() as torch:
        rows: NDArray[np.float32] = network(torch.from_numpy(padded).to(device)).cpu().numpy()
    return rows
