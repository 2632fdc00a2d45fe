"""One at a time in a voice's ``training/``: a training, an audition or a promotion."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from covermaker.disk import disk_errors
from covermaker.errors import ResourceError
from covermaker.training.course import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_FILE = ".lock"


@contextmanager
def alone_in(home: Path) -> Iterator[None]:
    """Hold the right to work in a voice's ``training/``; the operating system drops it when the process dies.

    Raises
    ------
    ResourceError
        When somebody else holds it, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    work = home / FOLDER
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(work / LOCK_FILE)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ResourceError(
                f"a training of '{home.name}' runs already", hint="wait for its end, or stop it with Ctrl-C"
            ) from error
    try:
        yield
    finally:
        lock.release()
