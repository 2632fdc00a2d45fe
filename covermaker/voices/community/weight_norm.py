"""Weight norm: a convolution's weight as direction and length, in files of the community, and as their product here.

``w = v · g / ‖v‖``, where the norm is taken over all dimensions but the first.

References
----------
T. Salimans, D. P. Kingma, "Weight Normalization", NeurIPS 2016, equation 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from covermaker.errors import WeightsError
from covermaker.voices.community.saying import AGAIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

LENGTH: Final = ".weight_g"
DIRECTION: Final = ".weight_v"
PRODUCT: Final = ".weight"


def fused_names(names: Iterable[str]) -> list[str]:
    """Return the names that tensors have here: one for a length and its direction."""
    return list(dict.fromkeys(name.replace(LENGTH, PRODUCT).replace(DIRECTION, PRODUCT) for name in names))


def fuse(length: NDArray[np.float32], direction: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the weight of a length (n, 1, …) and a direction (n, …).

    What `split` took apart comes back bit for bit.

    Raises
    ------
    WeightsError
        When a direction is all zeros and its length is not, or the product is too large for float32.
    """
    norm = _norm(direction)
    length = length.reshape(norm.shape)
    empty = norm == 0.0
    if np.any(empty & (length != 0.0)):
        raise WeightsError("a direction of its weight norm is all zeros", hint=AGAIN)
    with np.errstate(over="ignore", invalid="ignore"):
        weight = np.asarray(direction * (length / np.where(empty, 1.0, norm)), dtype=np.float32)
    if not np.isfinite(weight).all():
        raise WeightsError(
            "the lengths and directions of its weight norm make numbers that are not finite", hint=AGAIN
        )
    return weight


def split(weight: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the length (n, 1, …) and the direction (n, …) of a weight: its norm, and itself."""
    length = _norm(weight)
    # No length, but some direction: of 0 / 0 the original programs would make NaN.
    return length, np.where(length == 0.0, 1.0, weight).astype(np.float32)


def _norm(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    over = tuple(range(1, weight.ndim))
    square = np.square(weight, dtype=np.float64).sum(axis=over, keepdims=True)
    return np.asarray(np.sqrt(square), dtype=np.float32)
