"""What a node is asked before it gets work: whether it sees the shared folders, and which Covermaker it has.

This module travels to the nodes by value: one that lacks Covermaker must be able to answer, too. So it imports nothing
of ours.
"""

from __future__ import annotations

from typing import Any


def look(places: dict[str, str], token: str, lock: str, seconds: float) -> dict[str, Any]:
    """Answer from a node.

    Parameters
    ----------
    places : dict of str to str
        Files and URLs that hold the token, by what people call the place.
    lock : str
        A file that the asking process holds a lock on; "" for none.
    seconds : float
        How long it may take until what is new shows.

    Returns
    -------
    dict
        ``unseen``, names of places whose token is not there; ``unlocked``, whether the lock could be had here as well;
        ``covermaker`` and ``python``, versions, "" where there is none.
    """
    import platform
    import time

    until = time.monotonic() + seconds
    unseen = list(places)
    while unseen:
        unseen = [name for name in unseen if _read(places[name]) != token]
        if not unseen or time.monotonic() > until:
            break
        time.sleep(0.25)
    return {
        "unseen": unseen,
        "unlocked": bool(lock) and not unseen and _can_be_had(lock),
        "covermaker": _version(),
        "python": platform.python_version(),
    }


def _read(place: str) -> str | None:
    try:
        if "://" in place:
            import fsspec

            system, path = fsspec.core.url_to_fs(place)
            return bytes(system.cat_file(path)).decode()
        with open(place, encoding="utf-8") as file:
            return file.read()
    except Exception:  # the packages of file systems raise what they like
        return None


def _can_be_had(lock: str) -> bool:
    from filelock import FileLock, Timeout

    ours = FileLock(lock)
    try:
        ours.acquire(timeout=0)
    except Timeout:
        return False
    except OSError:
        return True  # a file system without locks
    ours.release()
    return True


def _version() -> str:
    try:
        from covermaker import __version__
    except ImportError:
        return ""
    return str(__version__)
