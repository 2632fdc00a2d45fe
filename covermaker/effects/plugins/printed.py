"""What a process prints: taken off it all the time, and only the end of it kept."""

from __future__ import annotations

import os
import select
import threading
from typing import Final

KEPT_BYTES: Final = 1 << 16
_AT_ONCE: Final = 1 << 16
_MOST_WAITING: Final = 1 << 20  # more than any pipe holds


class Printed:
    """The end of what is written into a pipe. However much that is, its writer never waits for long.

    Parameters
    ----------
    pipe : int
        The end to read from; closed here, when the last writer is gone or nobody wants it any more.
    """

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._kept = bytearray()
        self._lock = threading.Lock()
        self._unwanted = threading.Event()
        threading.Thread(target=self._follow, name="printed by a plug-in", daemon=True).start()

    def last(self) -> bytes:
        """Return the last `KEPT_BYTES` of what has been written until now."""
        with self._lock:
            taken = 0
            while taken < _MOST_WAITING and (more := self._take()):
                taken += more
            return bytes(self._kept)

    def close(self) -> None:
        """Let go of the pipe, soon: what the process has started may still write into it."""
        self._unwanted.set()

    def _follow(self) -> None:
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        while not self._unwanted.is_set():
            if not poll.poll(500):
                continue
            with self._lock:
                if self._take() == 0:
                    break
        with self._lock:
            os.close(self._pipe)
            self._pipe = -1

    def _take(self) -> int | None:
        """Take what waits in the pipe; returns how many bytes: 0 at its end, None where none wait. Hold the lock."""
        if self._pipe < 0:
            return None
        try:
            found = os.read(self._pipe, _AT_ONCE)
        except BlockingIOError:
            return None
        self._kept += found
        del self._kept[:-KEPT_BYTES]
        return len(found)
