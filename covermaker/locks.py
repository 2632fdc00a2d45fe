"""Files that one process at a time may hold; the operating system drops the lock when its holder dies.

Nothing is made here but the file, once: whoever deletes a folder is not undone, or refused, by those who wait in it.
(`filelock.FileLock` makes missing folders, and the file anew at every turn.)
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from covermaker.disk import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


_ASK_SECONDS = 0.5
_POLL_SECONDS = 0.05
# Whoever has deleted the file may be about to delete its folder.
_SETTLE_SECONDS: Final = 0.05
_OPENED: Final = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
_MODE: Final = 0o644


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
    asked = time.monotonic() + seconds
    handle = -1
    try:
        with disk_errors(path.parent):
            handle = os.open(path, _OPENED | os.O_CREAT, _MODE)
            while not _locks(handle):
                if _is_gone(handle):
                    os.close(handle)
                    handle = -1  # lest it is closed twice when its folder is gone, too
                    time.sleep(_SETTLE_SECONDS)
                    handle = os.open(path, _OPENED | os.O_CREAT, _MODE)
                    continue
                if time.monotonic() >= asked:
                    refusal = taken()
                    if refusal is not None:
                        raise refusal
                    asked = time.monotonic() + _ASK_SECONDS
                time.sleep(_POLL_SECONDS)
        yield
    finally:
        if handle >= 0:
            os.close(handle)


def is_held(path: Path, *, unknown: bool) -> bool:
    """Tell whether a living process holds a lock; `unknown` is the answer where it is not ours to open."""
    try:
        handle = os.open(path, _OPENED)
    except FileNotFoundError:
        return False
    except OSError:
        return unknown
    try:
        return not _locks(handle) and not _is_gone(handle)
    finally:
        os.close(handle)


def _locks(handle: int) -> bool:
    """Try to lock an open file, until it is closed. One that was deleted is no lock: others make another."""
    from filelock import lock_descriptor

    return lock_descriptor(handle, blocking=False) and not _is_gone(handle)


def _is_gone(handle: int) -> bool:
    return os.fstat(handle).st_nlink == 0
