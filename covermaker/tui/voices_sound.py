"""Hearing checkpoints and takes: one player, two sides, equally loud while that is wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from covermaker.errors import CovermakerError
from covermaker.play import messages
from covermaker.play.client import Files, Player
from covermaker.tui import project_model

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path


class Audition:
    """The player of the Voices screen.

    Parameters
    ----------
    log, device, fps
        See `covermaker.play.client.Player`.
    on_change : callable
        Called when the position, the side or what plays is another.
    say : callable
        Gets words and their tone.
    """

    def __init__(
        self,
        log: Path,
        *,
        device: str | None,
        fps: float,
        on_change: Callable[[], None],
        say: Callable[[str, str], None],
    ) -> None:
        self._changed, self._say = on_change, say
        self.player = Player(self._heard, log=log, device=device, fps=fps)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted: tuple[Path, Path | None] | None = None
        self.words = ("", "")
        self.matched = True

    @property
    def pair(self) -> tuple[Path, Path | None] | None:
        """The files of both sides."""
        return self._wanted

    def play(self, a: Path, b: Path | None, words: tuple[str, str], *, toggle: bool = True) -> None:
        """Play a pair, or pause it when it plays; another pair takes the place of one that plays without a gap."""
        if self._wanted == (a, b):
            if toggle:
                self._do(self.player.toggle())
            return
        self._wanted, self.words = (a, b), words
        self._do(self._load(a, b, on=self.player.playing))

    def switch(self) -> None:
        """Hear the other side."""
        self._do(self.player.switch())

    def move(self, seconds: float) -> None:
        """Go back or on."""
        self._do(self.player.seek(self.player.position.seconds + seconds))

    def set_matched(self, matched: bool) -> None:
        """Make both sides equally loud, or leave them."""
        self.matched = matched
        if self._wanted is not None:
            self._do(self._gains(*self._wanted))

    async def close(self) -> None:
        """End the audio process."""
        await self.player.close()

    async def _load(self, a: Path, b: Path | None, *, on: bool) -> None:
        """Load and play: `on` from where the one before is, else from the beginning."""
        gains = await self._matching(a, b)
        await self.player.load(Files(a, b, *gains), start_seconds=None if on else 0.0)
        await self.player.play()

    async def _gains(self, a: Path, b: Path | None) -> None:
        await self.player.set_gains(*await self._matching(a, b))

    async def _matching(self, a: Path, b: Path | None) -> tuple[float, float]:
        if b is None or not self.matched:
            return 0.0, 0.0
        return await asyncio.to_thread(project_model.matching, a, b)

    def _heard(self, message: messages.Message) -> None:
        if isinstance(message, messages.Problem):
            self._say(f"sound: {message.message}", "failed")
        elif isinstance(message, messages.Died):
            self._wanted = None
            self._say(f"{message.message}; log: {message.log}", "failed")
        elif isinstance(message, messages.Device) and message.words:
            self._say(message.words, "stale")
        self._changed()

    def _do(self, command: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(command)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._wanted = None
            words = str(error) if isinstance(error, CovermakerError) else f"{type(error).__name__}: {error}"
            self._say(f"sound: {words}", "failed")
