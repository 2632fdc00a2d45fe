"""What everything that plays shares: the player, commands to it that are not waited for, what it tells in words."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.errors import CovermakerError
from covermaker.play import messages
from covermaker.play.client import Player

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path


@dataclass(frozen=True)
class Ears:
    """Where something is heard, and who is told of it.

    Attributes
    ----------
    device, fps
        See `covermaker.play.client.Player`.
    on_change : callable
        Called when the position, the side or what plays is another.
    say : callable
        Gets words and their tone.
    """

    device: str | None
    fps: float
    on_change: Callable[[], None]
    say: Callable[[str, str], None]


class Listening:
    """A player.

    Parameters
    ----------
    log : Path
        Where the audio process writes what goes wrong.
    ears : Ears
        Who listens.
    """

    def __init__(self, log: Path, ears: Ears) -> None:
        self._changed, self._say = ears.on_change, ears.say
        self.player = Player(self._heard, log=log, device=ears.device, fps=ears.fps)
        self._tasks: set[asyncio.Task[None]] = set()

    def _do(self, command: Coroutine[Any, Any, None]) -> None:
        """Have the player do something; what goes wrong is said."""
        task = asyncio.create_task(command)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            words = str(error) if isinstance(error, CovermakerError) else f"{type(error).__name__}: {error}"
            self._say(f"sound: {words}", "failed")

    def _heard(self, message: messages.Message) -> None:
        if isinstance(message, messages.Problem):
            self._say(f"sound: {message.message}", "failed")
        elif isinstance(message, messages.Died):
            self._died()
            self._say(f"{message.message}; log: {message.log}", "failed")
        elif isinstance(message, messages.Device) and message.words:
            self._say(message.words, "stale")
        self._told(message)

    def _died(self) -> None:
        """Forget what was loaded: the audio process is gone."""

    def _told(self, message: messages.Message) -> None:
        """Take over what the player told, and tell of it."""
        self._changed()

    async def close(self) -> None:
        """End the audio process."""
        await self.player.close()
