"""ContentVec: HuBERT trained further until it forgets who speaks.

Two depths of one file: all twelve blocks, 768 numbers a row; or the first nine and the projection to 256, as the
first generation of voices was trained on. Attention reaches over the whole window and the first layer normalises over
it, so a row depends on its window as Whisper's does.

Each depth is read in two ways. ``contentvec`` and ``contentvec-256`` centre row i at i / 50 s. Published voices were
trained on rows that begin there: row i hears samples 320 i to 320 i + 400, and is paired with the pitch at i / 50 s.
``contentvec-768l12`` and ``contentvec-256l9`` give them those.
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
    centred: bool = True

    VERSION: ClassVar[int] = 1
    WEIGHTS: ClassVar[tuple[str, ...]] = (CATALOG_NAME,)
    RATE_HZ: ClassVar[float] = 50.0
    FIRST_ROW_SECONDS: ClassVar[float] = 0.0
    FIXED_WINDOW: ClassVar[bool] = False

    def open(self, *, device: str, threads: int) -> Encode:
        """Load the network; in torch every network has as many threads, see `computing`."""
        return partial(encode, load(locate(CATALOG_NAME), self, device=device), centred=self.centred)


CONTENTVEC = ContentVec("contentvec", 768, layers=12, projected=False)
CONTENTVEC_256 = ContentVec("contentvec-256", 256, layers=9, projected=True)
CONTENTVEC_768L12 = ContentVec("contentvec-768l12", 768, layers=12, projected=False, centred=False)
CONTENTVEC_256L9 = ContentVec("contentvec-256l9", 256, layers=9, projected=True, centred=False)


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


def encode(network: Any, window: NDArray[np.float32], *, centred: bool = True) -> NDArray[np.float32]:
    """Read at most 30 s of 16 kHz sound.

    Parameters
    ----------
    network : Hubert
    window : float32 array (samples,)
    centred : bool
        The sound is surrounded by half of what a row hears, so that row i is centred at i / 50 s (to half a sample)
        and the ends have rows, too. Otherwise row i begins there, and silence follows so that the last sample is
        heard.

    Returns
    -------
    float32 array (rows, width)
        samples // 320 + 1 rows when centred, else ceil(samples / 320). All zeros for digital silence, which is not
        sent through the network.
    """
    from covermaker.features.encoders.hubert_network import FIELD_SAMPLES, HOP_SAMPLES

    samples = len(window)
    rows = samples // HOP_SAMPLES + 1 if centred else -(-samples // HOP_SAMPLES)
    if not window.any():
        return np.zeros((rows, network.width), dtype=np.float32)
    before = after = FIELD_SAMPLES // 2
    if not centred:
        before, after = 0, (rows - 1) * HOP_SAMPLES + FIELD_SAMPLES - samples
    padded = np.pad(window, (before, after))
    device = next(network.parameters()).device
    with computing() as torch:
        heard: NDArray[np.float32] = network(torch.from_numpy(padded).to(device)).cpu().numpy()
    return heard
