"""What the saves of a run have found, and which of them is the best."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

RULE = "mean of similarity - 0.5 * added character errors - 0.002 * median cents"  # see `heldout`
_CLEAR_RISE = 0.002  # a score must rise by this much to count against early stopping


@dataclass
class Chronicle:
    """What the saves of a run have found; lies in every checkpoint."""

    saved: int = 0
    scores: list[dict[str, Any]] = field(default_factory=list)

    def best(self) -> dict[str, Any] | None:
        """Return the best record; without any score, the newest."""
        scored = [record for record in self.scores if record["score"] is not None]
        if scored:
            return max(scored, key=lambda record: (record["score"], record["step"]))
        return self.scores[-1] if self.scores else None

    def fruitless(self) -> int:
        """Return for how many saves in a row the score has not clearly risen."""
        top, since = -math.inf, 0
        for record in self.scores:
            if record["score"] is None:
                continue
            if record["score"] > top + _CLEAR_RISE:
                top, since = record["score"], 0
            else:
                since += 1
        return since
