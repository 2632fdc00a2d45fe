"""Reading the tensors of a published checkpoint, and nothing else that may be in it."""

from __future__ import annotations

import pickle
import warnings
from typing import TYPE_CHECKING, Any

from covermaker.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def load_network(network: Any, path: Path, *, what: str, tensors: Callable[[Any], Any], device: str) -> Any:
    """Fill a network with the tensors of a torch file and make it ready to answer.

    The file is unpickled with ``weights_only=True``: a pickle that names code is refused, not run.

    Parameters
    ----------
    network : torch.nn.Module
        Every one of its tensors must be there, in its shape.
    path : Path
        The file.
    what : str
        What it should hold, for the message: ``"FCPE"``.
    tensors : callable
        Turns what the file holds into the network's own names.
    device : str
        Where the network goes.

    Raises
    ------
    WeightsError
        When the file holds something else.
    """
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")  # refused below anyway
            published = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(tensors(published))
    except (
        pickle.UnpicklingError,
        KeyError,
        RuntimeError,
        TypeError,
        ValueError,
        EOFError,
        OSError,
    ) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"{path} holds no {what} weights: {reason[:120]}", hint="covermaker models verify"
        ) from error
    return network.eval().to(device)
