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
_PATIENCE_SECONDS = 0.2  # longer than `is_held` holds it to find out


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
            lock.acquire(timeout=_PATIENCE_SECONDS, poll_interval=0.02)
        except Timeout as error:
            raise ResourceError(
                f"a training of '{home.name}' runs already",
                hint=f"wait for its end, or stop it: covermaker voices stop {home.name}",
            ) from error
    try:
        yield
    finally:
        lock.release()


def is_held(home: Path) -> bool:
    """Tell whether a process works in a voice's ``training/`` at this moment."""
    from filelock import FileLock, Timeout

    file = home / FOLDER / LOCK_FILE
    if not file.is_file():
        return False
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # not ours to open: nobody can tell
        return False
    lock.release()
    return False
