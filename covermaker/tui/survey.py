"""Finding out the state of many projects on one thread, the ones in sight first."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from covermaker.render.state import State

BATCH_SECONDS: Final = 0.2
_POLL_SECONDS: Final = 0.02


class Survey:
    """A queue of folders that a thread works off.

    Parameters
    ----------
    look : callable
        Finds out the state of one folder.
    is_busy : callable
        Tells whether somebody is typing; then the thread waits, so that it takes no time from the screen.
    """

    def __init__(self, look: Callable[[Path], State], is_busy: Callable[[], bool] = lambda: False) -> None:
        self._look = look
        self._is_busy = is_busy
        self._lock = threading.Lock()
        self._wanted: dict[Path, None] = {}

    def want(self, folders: Iterable[Path], *, first: bool = False) -> None:
        """Ask for folders; `first` puts them before all others, in their order."""
        with self._lock:
            asked = dict.fromkeys(folders)
            rest = {folder: None for folder in self._wanted if folder not in asked} if first else self._wanted
            self._wanted = {**asked, **rest} if first else {**rest, **asked}

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to look at."""
        with self._lock:
            return not self._wanted

    def work(self, tell: Callable[[dict[Path, State]], None], cancelled: Callable[[], bool]) -> None:
        """Look at everything that is wanted; tells a batch every fifth of a second, the first result at once."""
        batch: dict[Path, State] = {}
        told = -BATCH_SECONDS
        while not cancelled():
            if self._is_busy():
                time.sleep(_POLL_SECONDS)
                continue
            with self._lock:
                folder = next(iter(self._wanted), None)
                if folder is not None:
                    del self._wanted[folder]
            if folder is None:
                break
            batch[folder] = self._look(folder)
            if time.monotonic() - told >= BATCH_SECONDS:
                tell(batch)
                batch, told = {}, time.monotonic()
        if batch:
            tell(batch)
