"""When a song that failed is tried again, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from covermaker.batch.rows import LONGEST_WAIT_SECONDS
from covermaker.errors import ExitCode

if TYPE_CHECKING:
    from covermaker.graph.events import SongFailed

# A song or project that is refused is refused again; a machine that was short of something may not be, and what
# crashed in native code may have been another song's doing.
MAY_PASS: Final = frozenset({ExitCode.RESOURCE, ExitCode.INTERNAL})

_FIRST_WAIT_SECONDS: Final = 2.0
_WAITS_GROW: Final = 4.0


@dataclass(frozen=True, slots=True)
class Again:
    """How the next try is made.

    Attributes
    ----------
    after_seconds : float
        How long to wait before.
    careful, alone : bool
        As of `covermaker.batch.engines.base.Task`.
    """

    after_seconds: float
    careful: bool = False
    alone: bool = False


def again(failure: SongFailed, tries: int, memory_failures: int, retries: int) -> Again | None:
    """Say how a song is tried again; None gives it up.

    Parameters
    ----------
    failure : SongFailed
        Of the last try.
    tries : int
        How many there were, with that one.
    memory_failures : int
        How many of them ran out of memory.
    retries : int
        How many more tries than the first are allowed. A song that ran out of memory gets one with little memory and
        one alone, if two are allowed.
    """
    if tries > retries or failure.exit_code not in MAY_PASS:
        return None
    if failure.out_of_memory:
        return Again(0.0, careful=True, alone=memory_failures > 1)
    waits = _FIRST_WAIT_SECONDS * _WAITS_GROW ** (tries - 1)
    return Again(min(waits, LONGEST_WAIT_SECONDS))
