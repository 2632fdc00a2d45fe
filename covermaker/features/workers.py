"""Several processes for work that is many times the same: one thread each, and none outlives its parent."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from covermaker.weights.device import set_network_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Job = TypeVar("Job")
Result = TypeVar("Result")

# Read when numpy and torch load, so a worker sets them before it does anything.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def unheard(text: str) -> None:
    """Tell nobody."""


def in_processes(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    workers: int,
    note: Callable[[str], None] = unheard,
) -> Iterator[Result]:
    """Yield the results of all jobs in their order.

    With one worker, or one job, this process does it, with torch on one thread as the others have it: the numbers do
    not depend on how many there are. When a worker is ended from outside, most likely as memory ran out, half as many
    go on with what is left, and after a second time this process alone: fewer need less.

    Parameters
    ----------
    work : callable
        A module's function: it is looked up again in the other process.
    jobs : sequence
        Picklable.
    workers : int
        Processes at most.
    note : callable
        Told in a sentence when it goes on with fewer.
    """
    done = 0
    for fewer in (workers // 2, 1):
        count = min(workers, len(jobs) - done)
        if count < 2:
            break
        # Spawned, not forked: torch's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, mp_context=context, initializer=_settle) as pool:
            try:
                for result in pool.map(work, jobs[done:]):
                    done += 1
                    yield result
            except BrokenProcessPool:
                workers = min(fewer, count // 2)
                note(
                    f"one of {count} processes was ended, most likely as memory ran out: it goes on with "
                    + (f"{workers}, which is slower" if workers > 1 else "one, which is slower")
                )
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    if done < len(jobs):
        with _one_torch_thread():
            yield from map(work, jobs[done:])


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    before = torch.get_num_threads(), set_network_threads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        set_network_threads(before[1])


def _settle() -> None:
    """Keep a worker from using all cores, and from outliving a parent that was killed."""
    for variable in _THREADS:
        os.environ[variable] = "1"
    set_network_threads(1)
    if "torch" in sys.modules:  # by the parent's own main module: too late for variables
        from covermaker.weights.device import torch_ready

        torch_ready().set_num_threads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def leave() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
