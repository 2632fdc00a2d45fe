"""What a step needs of a node, and how a node is divided."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from covermaker.batch.estimate import WORKER_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

# Steps with networks, which an actor keeps from song to song.
SINGING: Final = frozenset({"separate", "content", "pitch", "convert", "singers", "fit", "score", "train"})

# Of the seconds of a song, the steps without networks take about a sixth; so much of a node is kept for them.
_PLAIN_SHARE: Final = 1.0 / 6.0

# Ray's figure for a node is what it may hand out; the rest of the machine is Ray's and the system's.
_MEMORY_SHARE: Final = 0.9

# A step without networks, and each minute of song that it handles: they work in blocks.
_PLAIN_BYTES: Final = 350 << 20
_PLAIN_MINUTE_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Share:
    """How a node is divided.

    Attributes
    ----------
    singers : int
        Actors that keep networks.
    threads : int
        Of each; it is also the CPUs that Ray counts for it, but on a node of one CPU, which both kinds share.
    plain : int
        Steps without networks at once.
    memory_bytes : int
        Of each actor.
    gpus : float
        Of each actor.
    cpus : float
        Of each actor, as Ray counts.
    """

    singers: int
    threads: int
    plain: int
    memory_bytes: int
    gpus: float = 0.0
    cpus: float = 0.0

    @property
    def songs(self) -> int:
        """How many songs keep the node busy: one for each actor, and as many whose other steps run meanwhile."""
        return self.singers + min(self.plain, self.singers)


def divide(resources: Mapping[str, float], *, gpus: bool) -> Share:
    """Divide a node.

    Parameters
    ----------
    resources : dict of str to float
        As Ray tells: ``CPU``, ``GPU``, ``memory`` in bytes.
    gpus : bool
        Networks run on GPUs where there are some.

    Returns
    -------
    Share
        Nothing of a node without CPUs. As many actors as CPUs, memory and GPUs allow, and never none.
    """
    cpus = int(resources.get("CPU", 0.0))
    if cpus < 1:
        return Share(0, 0, 0, 0)
    plain = max(1, round(cpus * _PLAIN_SHARE))
    left = max(1, cpus - plain)
    memory = int(resources.get("memory", WORKER_BYTES) * _MEMORY_SHARE)
    fit = (memory - plain * _PLAIN_BYTES) // WORKER_BYTES
    singers = max(1, min(left, fit))
    there = int(resources.get("GPU", 0.0)) if gpus else 0
    if there:
        singers = min(singers, there)
    threads = left // singers
    return Share(
        singers, threads, plain, max(1, min(WORKER_BYTES, memory // singers)),
        gpus=1.0 if there else 0.0, cpus=float(threads) if cpus > 1 else 0.0,
    )  # fmt: skip


def memory_of(minutes: float, most_bytes: float) -> int:
    """Return the memory of a step without networks, in bytes; never more than the node has left."""
    return max(1, min(_PLAIN_BYTES + _PLAIN_MINUTE_BYTES * ceil(minutes), int(most_bytes)))
