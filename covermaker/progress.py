"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

# Called with the finished fraction, 0..1, never falling. Raising from it cancels the work.
Progress: TypeAlias = Callable[[float], None]


def silent(fraction: float) -> None:
    """Ignore the progress."""


def part(progress: Progress, start: float, stop: float) -> Progress:
    """Map a sub-task's 0..1 onto `start`..`stop` of the whole."""
    return lambda fraction: progress(start + (stop - start) * fraction)
