"""Ctrl-C in a process that computes: an exception wherever Python can take one, a moment later where it cannot.

An exception out of a module that native code is importing ends the process (pybind11 calls ``terminate``): nothing is
cleared away, nobody is told, and what was somebody's wish looks like a crash. So an import is let finish first. An
exception out of what Python calls by the way (``__del__``, the end of a weak reference) is printed and lost; then it
comes again.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_IMPORTING: Final = "<frozen importlib._bootstrap>"
_AGAIN_SECONDS: Final = 0.02


def interruptible() -> None:
    """Turn SIGINT into KeyboardInterrupt, but not before an import is through.

    Also where it was ignored: a shell starts what runs in its background so, and children inherit that.
    """
    before = sys.unraisablehook

    def lost(told: sys.UnraisableHookArgs) -> None:
        if issubclass(told.exc_type, KeyboardInterrupt):
            _later(signal.SIGINT)
        else:
            before(told)

    signal.signal(signal.SIGINT, _interrupt)
    sys.unraisablehook = lost


def _interrupt(number: int, frame: FrameType | None) -> None:
    if not _imports(frame):
        raise KeyboardInterrupt
    _later(number)


def _later(number: int) -> None:
    # No `threading.Thread`: starting one takes locks that this very thread may hold as it is interrupted.
    _thread.start_new_thread(_send_again, (number,))


def _send_again(number: int) -> None:
    time.sleep(_AGAIN_SECONDS)
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
