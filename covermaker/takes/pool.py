"""One function over many takes, in as many processes as there are cores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from covermaker.features.workers import in_processes, unheard
from covermaker.progress import part
from covermaker.weights.device import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from covermaker.progress import Progress

T = TypeVar("T")

# About a minute of 16 bits at 16 kHz: with less to read, processes take longer to start than to work.
LEAST_BYTES = 2_000_000
_MOST_WORKERS = 8


def each(
    function: Callable[..., T],
    arguments: Sequence[tuple[Any, ...]],
    *,
    size_bytes: int,
    progress: Progress,
    note: Callable[[str], None] = unheard,
) -> list[T]:
    """Call ``function(*row, progress=…)`` for every row of arguments; return the results in their order.

    Parameters
    ----------
    function : callable
        Of a module's top level, as its rows must be plain enough to be sent to another process.
    arguments : sequence of tuples
    size_bytes : int
        Of all files it will read: little is done here, where each call's own progress is told; more by several
        processes.
    progress : Progress
        Told the finished fraction.
    note : callable
        See `in_processes`.
    """
    count = len(arguments)
    workers = min(cores(), count, _MOST_WORKERS)
    if workers < 2 or size_bytes < LEAST_BYTES:
        return [
            function(*row, progress=part(progress, number / count, (number + 1) / count))
            for number, row in enumerate(arguments)
        ]
    results = []
    for result in in_processes(_call, [(function, row) for row in arguments], workers=workers, note=note):
        results.append(result)
        progress(len(results) / count)
    return results


def _call(job: tuple[Callable[..., T], tuple[Any, ...]]) -> T:
    function, row = job
    return function(*row)
