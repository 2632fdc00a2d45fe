"""What Ray's errors mean: work that was interrupted, or that cannot be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Cause = Literal["node", "process", "memory", "cancelled", "defect"]

# By the names of Ray's classes, so that nothing here needs Ray.
_CAUSES: Final[Mapping[str, Cause]] = {
    "TaskCancelledError": "cancelled",
    "OutOfMemoryError": "memory",
    "NodeDiedError": "node",
    "LocalRayletDiedError": "node",
    "ActorUnavailableError": "node",
    "TaskUnschedulableError": "node",
    "ActorUnschedulableError": "node",
    "ObjectLostError": "node",
    "WorkerCrashedError": "process",
}

# An actor's death is one class; its words say whose death it followed.
_ACTOR: Final = "ActorDiedError"
_OF_NODE: Final = "its node has died"

# How often one piece of work may be interrupted so, before its song fails.
MOST: Final[Mapping[Cause, int]] = {"node": 5, "process": 2}


def cause_of(error: BaseException) -> Cause:
    """Return why a piece of work gave no outcome."""
    names = [kind.__name__ for kind in type(error).__mro__]
    for name in names:
        if name in _CAUSES:
            return _CAUSES[name]
    if _ACTOR in names:
        return "node" if _OF_NODE in str(error) else "process"
    return "defect"


def verdict(cause: Cause, what: str, place: str, times: int, error: BaseException) -> str:
    """Say why a song fails whose piece of work gave no outcome.

    Parameters
    ----------
    what : str
        The piece.
    place : str
        The node that it was on last.
    times : int
        How often it was interrupted so.
    """
    words = {
        "memory": f"{place} ran out of memory at {what}",
        "process": f"the process that made {what} was ended {times} times: by lack of memory, or in native code",
        "node": f"{times} nodes were lost while they made {what}",
        "cancelled": f"{what} was cancelled on the cluster",
    }
    return words.get(cause, f"{what} could not be run on {place}: {' '.join(str(error).split())[:300]}")
