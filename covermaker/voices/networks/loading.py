"""What every network's facade does: a weight file is read into it, and a singer's row is looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from covermaker.errors import ProjectError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor, nn


def load_weights(network: nn.Module, weights: Path) -> None:
    """Read a safetensors file into a network, into its own memory: sums depend on where in a file a tensor lies.

    Raises
    ------
    WeightsError
        When the file is missing, damaged or made for another configuration.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        network.load_state_dict(load_file(weights))
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{weights} cannot be read as safetensors: {error}") from error
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{weights} does not fit the card's network: {reason}") from error


def chosen_singer(speaker: int | Sequence[float], count: int, device: str) -> Tensor:
    """Return one row's number as (1,), or the weights of a blend as (1, count), adding up to 1.

    Raises
    ------
    ProjectError
        When there is no such row, or the weights are not one for each.
    """
    if isinstance(speaker, int):
        if not 0 <= speaker < count:
            raise ProjectError(f"the voice has no singer {speaker}", hint=f"it has {count}, counted from 0")
        return torch.tensor([speaker], device=device)
    weights = torch.tensor([list(speaker)], dtype=torch.float32, device=device)
    if weights.shape[1] != count or not bool((weights >= 0).all()) or not float(weights.sum()) > 0.0:
        raise ProjectError(
            f"a blend of singers needs {count} weights of 0 and above, not {list(speaker)}",
            hint="one for each singer of the voice, not all 0",
        )
    return weights / weights.sum()
