"""One process at a time works on a batch, and one batch at a time renders a project."""

from __future__ import annotations

from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING, Final

from covermaker.batch.queue import LOCK_NAME
from covermaker.disk import disk_errors
from covermaker.errors import ResourceError
from covermaker.locks import held
from covermaker.project.load import hidden_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
        hint=f"look at it: covermaker batch status --follow {quote(str(queue.folder))}",
    )
    # Whoever only asks whether somebody works on it holds the lock for a moment.
    with held(queue.folder / LOCK_NAME, 0.5, lambda: refusal):
        yield


class ElsewhereError(ResourceError):
    """Another batch renders this project now."""


_PROJECT_LOCK: Final = "batch.lock"


@contextmanager
def rendering(project: Path) -> Iterator[None]:
    """Be the one batch that renders a project: two that name it take turns, so that what lies there is one's whole.

    Raises
    ------
    ElsewhereError
        When another does.
    """
    hidden = hidden_folder(project)
    with disk_errors(hidden):
        hidden.mkdir(exist_ok=True)
    refusal = ElsewhereError(
        f"another batch renders {project} now",
        hint="it is tried again every few seconds; the other may be cancelled",
    )
    with held(hidden / _PROJECT_LOCK, 0.0, lambda: refusal):
        yield
