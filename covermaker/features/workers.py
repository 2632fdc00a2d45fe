"""Several processes for work that is many times the same: one thread each, and none outlives its parent."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from covermaker.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_processes(work: Callable[[Job], Result], jobs: Sequence[Job], *, workers: int) -> Iterator[Result]:
    """Yield the results of all jobs in their order.

    With one worker, or one job, this process does it, with torch on one thread as the others have it: the numbers do
    not depend on how many there are.

    Parameters
    ----------
    work : callable
        A module's function: it is looked up again in the other process.
    jobs : sequence
        Picklable.
    workers : int
        Processes at most.

    Raises
    ------
    ResourceError
        When a process is ended from outside.
    """
    if workers <= 1 or len(jobs) <= 1:
        with _one_torch_thread():
            yield from map(work, jobs)
        return
    # Spawned, not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context, initializer=_settle) as pool:
        try:
            yield from pool.map(work, jobs)
        except BrokenProcessPool as error:
            raise ResourceError(
                "a worker process was ended from outside",
                hint="memory may have run out: fewer workers need less",
            ) from error


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _settle() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    parent = multiprocessing.parent_process()
    assert parent is not None

    def leave() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
    from covermaker.weights.device import torch_ready

    torch_ready().set_num_threads(1)
