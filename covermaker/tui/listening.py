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

    from covermaker.play.client import Files


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
    """A player, and the wish to hear it that may come before there is something to hear.

    Parameters
    ----------
    log : Path
        Where the audio process writes what goes wrong.
    ears : Ears
        Who listens.
    """

    _wants_play = False  # it plays as soon as what is being made or loaded is there
    _loading = ""  # the first of the files that are being loaded

    def __init__(self, log: Path, ears: Ears) -> None:
        self._changed, self._say = ears.on_change, ears.say
        self.player = Player(self._heard, log=log, device=ears.device, fps=ears.fps)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_on(self) -> bool:
        """Whether something is heard or about to be."""
        return self.player.playing or self._wants_play

    def pause(self) -> None:
        """Stop at this position; what is wanted to be heard and not there yet is not heard either."""
        self._wants_play = False
        if self.player.pid is not None:  # also one that has not told yet that it plays
            self._do(self.player.pause())

    def _toggle(self) -> None:
        """Play what is loaded, or is being loaded, or pause."""
        if self.is_on:
            self.pause()
        else:
            self._wants_play = True
            self._do(self._begin())

    def _want(self, a: Path) -> None:
        """Want the files to be heard that are loaded next, of which `a` is the first, and nothing before that."""
        self._loading, self._wants_play = str(a), True

    async def _begin(self) -> None:
        """Play, if that is wanted, unless the files are still being loaded: then `_heard` comes back to it."""
        if self._wants_play and not self._loading:
            self._wants_play = False
            await self.player.play()

    async def _load_files(
        self, files: Files, *, start_seconds: float | None = None, loop: tuple[float, float] | None = None
    ) -> None:
        """Load; see `Player.load`. They play when that is wanted and they are there, never another in their place."""
        self._loading = str(files.a)
        await self.player.load(files, start_seconds=start_seconds, loop=loop)

    def _do(self, command: Coroutine[Any, Any, None]) -> None:
        """Have the player do something; what goes wrong is said."""
        task = asyncio.create_task(command)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._lose()
            words = str(error) if isinstance(error, CovermakerError) else f"{type(error).__name__}: {error}"
            self._say(f"sound: {words}", "failed")

    def _heard(self, message: messages.Message) -> None:
        if isinstance(message, messages.Loaded) and message.a == self._loading:
            self._loading = ""
            self._do(self._begin())
        elif isinstance(message, messages.Problem):
            if message.a is not None and message.a == self._loading:
                self._lose()
                self.pause()
            self._say(f"sound: {message.message}", "failed")
        elif isinstance(message, messages.Died):
            self._died()
            self._say(f"{message.message}; log: {message.log}", "failed")
        elif isinstance(message, messages.Device) and message.words:
            self._say(message.words, "stale")
        self._told(message)

    def _lose(self) -> None:
        """Forget what was to be heard: it cannot be loaded."""
        self._loading, self._wants_play = "", False

    def _died(self) -> None:
        """Forget what was loaded: the audio process is gone."""
        self._lose()

    def _told(self, message: messages.Message) -> None:
        """Take over what the player told, and tell of it."""
        self._changed()

    async def close(self) -> None:
        """End the audio process."""
        await self.player.close()


class Matching(Listening):
    """A player of two sides that are made equally loud while that is wanted."""

    matched = True

    def set_matched(self, matched: bool) -> None:
        """Make A and B equally loud, or leave them."""
        raise NotImplementedError

    def match(self) -> None:
        """Make them equally loud, or leave them, and say so."""
        self.set_matched(not self.matched)
        self._say(
            "levels matched: A and B are equally loud" if self.matched else "levels as they are", "quiet"
        )
