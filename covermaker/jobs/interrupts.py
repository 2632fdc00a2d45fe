"""Ctrl-C in a process that computes: an exception wherever Python can take one, a moment later where it cannot.

An exception out of a module that native code is importing ends the process (pybind11 calls ``terminate``): nothing is
cleared away, nobody is told, and what was somebody's wish looks like a crash. So an import is let finish first.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_IMPORTING: Final = "<frozen importlib._bootstrap>"
_AGAIN_SECONDS: Final = 0.02


def interruptible() -> None:
    """Turn SIGINT into KeyboardInterrupt, but not before an import is through.

    Also where it was ignored: a shell starts what runs in its background so, and children inherit that.
    """
    signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if not _imports(frame):
        raise KeyboardInterrupt
    again = threading.Timer(_AGAIN_SECONDS, _send_again, (number,))
    again.daemon = True
    again.start()


def _send_again(number: int) -> None:
    if hasattr(signal, "pthread_kill"):  # wakes the main thread, too, where it waits for something
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def _imports(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False
