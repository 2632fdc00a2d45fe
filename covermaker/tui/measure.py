"""Listening to songs for their key, tempo and loudness: in a child of low priority, one song at a time.

Decoding somebody's files is native code, which may crash; a child's crash costs one song its key. What was found is
kept by the song's content, so that each song is listened to once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from covermaker.jobs.spawn import kill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

# The command that a person would use.
CHILD: Final = (sys.executable, "-P", "-m", "covermaker", "list")
_NICENESS: Final = 10


class Measurer:
    """A queue of projects whose songs are to be listened to.

    Parameters
    ----------
    on_done : callable
        Called on the event loop with each project whose song was listened to.
    """

    def __init__(self, on_done: Callable[[Path], None], *, command: tuple[str, ...] = CHILD) -> None:
        self._on_done = on_done
        self._command = command
        self._wanted: dict[Path, None] = {}
        self._tried: set[Path] = set()
        self._task: asyncio.Task[None] | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._closed = False

    def want(self, folders: Iterable[Path]) -> None:
        """Ask for projects, before those that were asked for earlier; each is tried once."""
        asked = dict.fromkeys(folder for folder in folders if folder not in self._tried)
        self._wanted = {**asked, **self._wanted}
        if self._wanted and self._task is None and not self._closed:
            self._task = asyncio.create_task(self._work(), name="measure")

    def forget(self, folder: Path) -> None:
        """Allow a project whose document changed to be tried again."""
        self._tried.discard(folder)

    async def close(self) -> None:
        """Stop."""
        self._closed = True
        self._wanted.clear()
        self.kill()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=0.5)

    def kill(self) -> None:
        """End the child."""
        kill(self._child)

    async def _work(self) -> None:
        try:
            while self._wanted and not self._closed:
                folder = next(iter(self._wanted))
                del self._wanted[folder]
                self._tried.add(folder)
                await self._listen(folder)
                if not self._closed:
                    self._on_done(folder)
        finally:
            self._task = None

    async def _listen(self, folder: Path) -> None:
        with suppress(OSError):  # a machine that starts no process shows no keys
            self._child = await asyncio.create_subprocess_exec(
                *self._command,
                str(folder),
                "--measure",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._child.pid, _NICENESS)
            await self._child.wait()
