"""One writer at a time: what ``takes.toml`` says is read, changed and written by one process, or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from covermaker.disk import disk_errors
from covermaker.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_FILE = ".takes.lock"
_WAIT_SECONDS = 10.0


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Hold the right to change the takes of a voice's folder, which is made when it is missing.

    The operating system drops it when the process dies. Whoever holds it does not ask for it again.

    Raises
    ------
    ResourceError
        When somebody else holds it for long, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_FILE)
        try:
            lock.acquire(timeout=_WAIT_SECONDS, poll_interval=0.02)
        except Timeout as error:
            raise ResourceError(
                f"the takes of '{folder.name}' are being changed by another Covermaker",
                hint="try again in a moment",
            ) from error
    try:
        yield
    finally:
        lock.release()
