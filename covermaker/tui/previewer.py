"""The app's side of the preview process: the newest wish wins, nothing waits in a queue, a crash costs one answer."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import ResourceError
from covermaker.graph.events import StepProgress
from covermaker.jobs.launch import COMMAND
from covermaker.jobs.spawn import ending, kill, spawn
from covermaker.render.previewing import Previewed, Refused, Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_KINDS: Final = {kind.KIND: kind for kind in (Previewed, Refused, StepProgress)}
_PASSED_OVER: Final = ("step.", "note")  # what else is told of the way


class Preview:
    """One project's preview process; started by the first wish.

    Parameters
    ----------
    project : Path
        Its folder.
    on_made, on_refused : callable
        Called on the event loop; a wish that was overtaken by a newer one before it was sent is not answered. A refusal
        comes with the number of its wish, None when the process itself is gone, and with words.
    on_progress : callable, optional
        Gets what is told while a stretch is sung.
    device : str
        Where that is done.
    command : sequence of str
        What is started; tests give a process of their own.
    """

    def __init__(
        self,
        project: Path,
        on_made: Callable[[Previewed], None],
        on_refused: Callable[[int | None, str], None],
        *,
        on_progress: Callable[[StepProgress], None] | None = None,
        device: str = "auto",
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._project, self._made, self._refused = project, on_made, on_refused
        self._progress, self._device = on_progress, device
        self._command = tuple(command)
        self._dropped = False
        self._child: asyncio.subprocess.Process | None = None
        self._makers: set[int] = set()  # the processes so far
        self._task: asyncio.Task[None] | None = None
        self._next: Wish | None = None
        self._asked: Wish | None = None
        self._count = 0
        self._closed = False

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._asked is not None or self._next is not None

    @property
    def log(self) -> Path:
        """Where the process writes what goes wrong."""
        return self._project / ".covermaker" / "preview.log"

    def ask(self, wish: Wish) -> int:
        """Ask for a stretch; returns the number that its answer will have."""
        self._count += 1
        self._next = replace(wish, id=self._count)
        if self._task is None and not self._closed:
            self._task = asyncio.create_task(self._talk(), name="preview")
        elif self._asked is None:
            self._send()
        return self._count

    def interrupt(self) -> None:
        """Give up what is being made, by ending the process, and what it remembers; the next wish starts another."""
        self._asked = self._next = None
        self._dropped = self._child is not None
        self.kill()

    async def close(self) -> None:
        """End the process."""
        self._closed = True
        self.kill()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=1.0)
        for maker in self._makers:
            for file in (self._project / ".covermaker" / "preview").glob(f"{maker}-*.wav"):
                with suppress(OSError):
                    file.unlink()

    def kill(self) -> None:
        """End the process without waiting for it."""
        kill(self._child)

    def _send(self) -> None:
        child, wish = self._child, self._next
        if self._dropped or child is None or child.stdin is None or wish is None or child.stdin.is_closing():
            return
        self._asked, self._next = wish, None
        child.stdin.write(json.dumps(wish.to_dict()).encode() + b"\n")

    async def _talk(self) -> None:
        """Start the process, and listen to it until it is gone."""
        status: int | None = None
        try:
            status = await self._listen()
        except OSError as error:
            self._lost(str(ResourceError(f"the preview cannot be started: {error.strerror or error}")))
        finally:
            self.kill()  # one that still runs is heard by nobody any more
            self._child, self._task = None, None
        if self._dropped:
            self._dropped = False
            if self._next is not None and not self._closed:
                self._task = asyncio.create_task(self._talk(), name="preview")
        elif status is not None and not self._closed:
            self._lost(f"the preview {ending(status)}; the next change starts another; log: {self.log}")

    async def _listen(self) -> int:
        child = await spawn(self._command, self.log)
        self._child = child
        self._makers.add(child.pid)
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            request = {"job": "preview", "project": str(self._project), "device": self._device}
            child.stdin.write(json.dumps(request).encode() + b"\n")
            self._send()
            async for line in child.stdout:
                if line.endswith(b"\n"):  # one without an end was cut off when its process was killed
                    self._heard(json.loads(line))
        status = await child.wait()
        child.stdin.close()
        return status

    def _heard(self, said: dict[str, Any]) -> None:
        name = said.pop("event", "")
        kind = _KINDS.get(name)
        if self._dropped or (kind is None and name.startswith(_PASSED_OVER)):
            return
        if kind is StepProgress:
            if self._progress is not None:
                self._progress(StepProgress(**said))
            return
        self._asked = None
        self._send()
        if kind is None:  # the job as a whole was refused
            self._refused(None, str(said.get("message", "the preview ended")))
            return
        event = kind(**said)
        if isinstance(event, Previewed):
            self._made(event)
        elif isinstance(event, Refused):
            self._refused(event.id, event.message + (f": {event.hint}" if event.hint else ""))

    def _lost(self, words: str) -> None:
        """Tell that the process is gone; the next wish starts another."""
        self._asked = self._next = None
        self._refused(None, words)
