"""One function over many takes, in as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from covermaker.progress import part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from covermaker.progress import Progress

T = TypeVar("T")

# About a minute of 16 bits at 16 kHz: with less to read, a pool takes longer to start than to work.
LEAST_BYTES = 2_000_000
_MOST_WORKERS = 8


def each(
    function: Callable[..., T], arguments: Sequence[tuple[Any, ...]], *, size_bytes: int, progress: Progress
) -> list[T]:
    """Call ``function(*row, progress=…)`` for every row of arguments; return the results in their order.

    Parameters
    ----------
    function : callable
        Of a module's top level, as its rows must be plain enough to be sent to another process.
    arguments : sequence of tuples
    size_bytes : int
        Of all files it will read: little is done here, more in a pool.
    progress : Progress
        Told the finished fraction.
    """
    count = len(arguments)
    workers = min(_cores(), count, _MOST_WORKERS)
    if workers >= 2 and size_bytes >= LEAST_BYTES:
        # A pool whose workers are killed (no memory), or cannot start, leaves the work to this process.
        with suppress(BrokenProcessPool):
            return _in_pool(function, arguments, workers, progress)
    return [
        function(*row, progress=part(progress, number / count, (number + 1) / count))
        for number, row in enumerate(arguments)
    ]


def _in_pool(
    function: Callable[..., T], arguments: Sequence[tuple[Any, ...]], workers: int, progress: Progress
) -> list[T]:
    # Spawned, not forked: the parent may hold threads of a network.
    with ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_alone
    ) as pool:
        jobs = [pool.submit(function, *row) for row in arguments]
        try:
            for done, job in enumerate(as_completed(jobs), 1):
                job.result()
                progress(done / len(jobs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [job.result() for job in jobs]


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def _alone() -> None:
    """Keep a worker from using all cores, and from outliving a parent that was killed."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"  # read when numpy and torch load
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
