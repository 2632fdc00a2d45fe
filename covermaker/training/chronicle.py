"""What the saves of a run have found, and which of them is the best."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

RULE = "mean of similarity - 0.5 * added character errors - 0.002 * median cents"  # see `heldout`
_CLEAR_RISE = 0.002  # a score must rise by this much to count against early stopping


@dataclass
class Chronicle:
    """What the saves of a run have found; lies in every checkpoint.

    Attributes
    ----------
    saved : int
        How many of the saves that the budget spreads over the run are made.
    scores : list of dict
        A record a save.
    counted_from : int
        Which of the scores is the first that may end the run early: those of an earlier budget do not.
    """

    saved: int = 0
    scores: list[dict[str, Any]] = field(default_factory=list)
    counted_from: int = 0

    def begin_again(self, saved: int) -> None:
        """Go on with another budget, of whose saves so many would have been made by now."""
        self.saved, self.counted_from = saved, len(self.scores)

    def best(self) -> dict[str, Any] | None:
        """Return the best record; without any score, the newest."""
        scored = [record for record in self.scores if record["score"] is not None]
        if scored:
            return max(scored, key=lambda record: (record["score"], record["step"]))
        return self.scores[-1] if self.scores else None

    def fruitless(self) -> int:
        """Return for how many saves in a row the score has not clearly risen."""
        top, since = -math.inf, 0
        for number, record in enumerate(self.scores):
            if record["score"] is None:
                continue
            if record["score"] > top + _CLEAR_RISE:
                top, since = record["score"], 0
            elif number >= self.counted_from:
                since += 1
        return since
