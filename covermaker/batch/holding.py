"""One process at a time works on a batch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from covermaker.batch.queue import LOCK_NAME
from covermaker.errors import ResourceError
from covermaker.locks import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.batch.queue import Queue


@contextmanager
def working_on(queue: Queue) -> Iterator[None]:
    """Be the one process that works on a queue.

    Raises
    ------
    ResourceError
        When another does.
    """
    refusal = ResourceError(
        f"another process works on the batch in {queue.folder}",
        hint=f"look at it: covermaker batch status {queue.folder} --follow",
    )
    # Whoever only asks whether somebody works on it holds the lock for a moment.
    with held(queue.folder / LOCK_NAME, 0.5, lambda: refusal):
        yield
