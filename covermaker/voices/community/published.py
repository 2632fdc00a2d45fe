"""A network's tensors as RVC and so-vits-svc write them: names, shapes, types and order, weight norm taken apart."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import replacing
from covermaker.errors import WeightsError
from covermaker.voices.community.layout import tensors
from covermaker.voices.community.weight_norm import DIRECTION, LENGTH, PRODUCT, split

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.voices.networks.vits_config import VitsConfig


def published(
    config: VitsConfig, state: Mapping[str, NDArray[np.float32]], *, posterior: bool = False
) -> OrderedDict[str, Any]:
    """Return a network's tensors as its program has them, float32 tensors of torch.

    Parameters
    ----------
    config : VitsConfig
    state : mapping of str to array
        By the names that tensors have here. Those that only training needs may be among them.
    posterior : bool
        Give those, too: for a checkpoint that a training goes on from.

    Raises
    ------
    WeightsError
        When one is missing or of another shape.
    """
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    found: OrderedDict[str, Any] = OrderedDict()
    for name, shape in tensors(config, posterior=posterior).items():
        plain = name.replace(LENGTH, PRODUCT).replace(DIRECTION, PRODUCT)
        if plain not in state:
            raise WeightsError(f"the voice has no tensor '{plain}'", hint="import or train it again")
        whole = np.array(state[plain], dtype=np.float32)
        if name.endswith((LENGTH, DIRECTION)):
            whole = split(whole)[name.endswith(DIRECTION)]
        if whole.shape != shape:
            raise WeightsError(
                f"the tensor '{plain}' of the voice has the shape {whole.shape}, its card asks for another",
                hint="import or train it again",
            )
        found[name] = torch.from_numpy(whole)
    return found


def checkpoint(model: Mapping[str, Any], *, epoch: int, learning_rate: float) -> dict[str, Any]:
    """Return what both programs save of a training; without an optimizer they sing, and train on from its beginning."""
    return {"model": model, "iteration": epoch, "optimizer": None, "learning_rate": learning_rate}


def save_torch(content: Any, path: Path) -> None:
    """Save with ``torch.save``, whole or not at all.

    Raises
    ------
    ResourceError
        When the disk is full or may not be written.
    """
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    with replacing(path) as temporary, temporary.open("wb") as file:
        torch.save(content, file)  # into a file, not a path: it would write the temporary's name into it
