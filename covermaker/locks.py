"""Files that one process at a time may hold; the operating system drops the lock when its holder dies."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from covermaker.disk import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


_ASK_SECONDS = 0.5
_POLL_SECONDS = 0.05


@contextmanager
def held(path: Path, seconds: float, taken: Callable[[], Exception | None]) -> Iterator[None]:
    """Hold a lock in a folder that is there. Whoever holds it does not ask for it again.

    Parameters
    ----------
    path : Path
        The file; it stays when the lock is released.
    seconds : float
        How long somebody else may hold it.
    taken : callable
        Asked when that time is over, and every half second from then on: what to raise; None waits on.

    Raises
    ------
    ResourceError
        When the folder cannot be written, or goes while somebody else holds the lock.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    asked = time.monotonic() + seconds
    with disk_errors(path.parent):
        while True:
            # Asking makes the folder: one that was deleted meanwhile must not come back empty.
            path.parent.stat()
            try:
                lock.acquire(timeout=0)
                break
            except Timeout as error:
                if time.monotonic() >= asked:
                    refusal = taken()
                    if refusal is not None:
                        raise refusal from error
                    asked = time.monotonic() + _ASK_SECONDS
            time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()


def is_held(path: Path, *, unknown: bool) -> bool:
    """Tell whether a living process holds a lock; `unknown` is the answer where it is not ours to open."""
    from filelock import FileLock, Timeout

    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return unknown
    lock.release()
    return False
