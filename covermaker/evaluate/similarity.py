"""How alike two singers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def similarity(first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> float:
    """Return the cosine of two embeddings of `speaker_encoder.embed`.

    These embeddings have no negative values, so strangers are near 0.5 to 0.7, not 0; takes of one singer reach
    0.85 and above.

    Returns
    -------
    float
        0..1; 0 when one of them is all zeros.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip(a @ b / scale, 0.0, 1.0)) if scale > 0 else 0.0
