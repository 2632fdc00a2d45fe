"""Hearing a preset on a stretch of a song: A is the song as it is, B the same with the preset, nothing is saved."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.errors import CovermakerError, UsageError
from covermaker.play.client import Files
from covermaker.render.previewing import SUNG, Wish, matched
from covermaker.tui.listening import Listening
from covermaker.tui.previewer import Preview
from covermaker.tui.words import share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from covermaker.graph.events import StepProgress
    from covermaker.play import messages
    from covermaker.render.previewing import Previewed
    from covermaker.tui.listening import Ears


class Pairs:
    """Asks a preview process for the same stretch twice.

    Parameters
    ----------
    folder : Path
        The project.
    command : sequence of str
        Starts the process.
    on_progress, device
        See `covermaker.tui.previewer.Preview`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        command: Sequence[str],
        on_progress: Callable[[StepProgress], None] | None = None,
        device: str = "auto",
    ) -> None:
        self._preview = Preview(
            folder, self._made, self._refused, on_progress=on_progress, device=device, command=command
        )
        self._answer: asyncio.Future[Previewed] | None = None
        self._number = 0
        self._has_sung = False

    async def make(
        self, loop: tuple[float, float], what: str, changes: Mapping[str, Any]
    ) -> tuple[Previewed, Previewed]:
        """Return the stretch as it is and with the changes.

        Raises
        ------
        UsageError
            When the preview is refused.
        asyncio.CancelledError
            When another pair was asked for meanwhile.
        """
        as_it_is = await self._ask(Wish(0, loop[0], loop[1] - loop[0], what))
        return as_it_is, await self._ask(Wish(0, loop[0], loop[1] - loop[0], what, dict(changes)))

    def give_up(self) -> None:
        """Let nobody wait for an answer any more; singing, which takes long, is ended."""
        if self._answer is not None:
            if self._has_sung and not self._answer.done():
                self._end_process()
            self._answer.cancel()

    def rest(self) -> None:
        """Give the memory back that networks take."""
        self.give_up()
        if self._has_sung:
            self._end_process()

    def _end_process(self) -> None:
        self._has_sung = False
        self._preview.interrupt()

    async def close(self) -> None:
        """End the process."""
        self.give_up()
        await self._preview.close()

    async def _ask(self, wish: Wish) -> Previewed:
        self._has_sung = self._has_sung or wish.what == SUNG
        self._answer = asyncio.get_running_loop().create_future()
        self._number = self._preview.ask(wish)
        return await self._answer

    def _made(self, made: Previewed) -> None:
        if made.id == self._number and self._answer is not None and not self._answer.done():
            self._answer.set_result(made)

    def _refused(self, number: int | None, words: str) -> None:
        if number not in (None, self._number):
            return  # of a pair that was given up
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(UsageError(words))


class Trial(Listening):
    """The player and the preview of one project for the presets; see `Sound` for the parameters."""

    name = ""
    loop: tuple[float, float] | None = None
    is_working = False

    def __init__(self, folder: Path, ears: Ears, *, command: Sequence[str], device: str = "auto") -> None:
        super().__init__(folder / ".covermaker" / "presets.log", ears)
        self.folder = folder
        self._pairs = Pairs(folder, command=command, on_progress=self._moved, device=device)
        self._doing = ""
        self._task: asyncio.Task[None] | None = None
        self._shown = ""

    @property
    def is_on(self) -> bool:
        """Whether something is heard or about to be."""
        return self.is_working or super().is_on

    def words(self) -> str:
        """Say what is heard; nothing when nothing is."""
        if self.is_working or self._wants_play:
            return f"making it heard{self._doing}"
        if not self.player.playing:
            return ""
        return "A: as it is" if self.player.hearing == "a" else f"B: with {self.name}"

    def hear(self, name: str, what: str, loop: tuple[float, float], changes: Mapping[str, Any]) -> None:
        """Make both sides of a stretch and play the changed one; what was asked before is given up."""
        self._pairs.give_up()
        if self._task is not None:
            self._task.cancel()
        self.name, self.loop, self.is_working, self._doing = name, loop, True, ""
        self._task = asyncio.create_task(self._make(what, loop, changes), name="preset")
        self._changed()

    async def _make(self, what: str, loop: tuple[float, float], changes: Mapping[str, Any]) -> None:
        try:
            as_it_is, changed = await self._pairs.make(loop, what, changes)
            gains = matched(as_it_is, changed)
            begin = as_it_is.start_seconds
            files = Files(Path(as_it_is.file), Path(changed.file), *gains, begin, begin)
            begins_anew = not self.player.playing or self.player.loop != loop
            self._want(files.a)
            await self._load_files(files, start_seconds=loop[0] if begins_anew else None, loop=loop)
            await self.player.switch("b")
            self.is_working = False
        except CovermakerError as error:
            self.is_working = False
            self._say(f"hear: {error}", "failed")
        self._changed()

    def _moved(self, event: StepProgress) -> None:
        doing = f": {event.name.removesuffix(' (preview)')} {share(event.fraction)}"
        if doing != self._doing:
            self._doing = doing
            self._changed()

    def switch(self) -> None:
        """Hear the other side."""
        self._do(self.player.switch())

    def stop(self) -> None:
        """Hear nothing."""
        self._pairs.give_up()
        if self._task is not None:
            self._task.cancel()
        self.is_working = False
        self.pause()
        self._changed()

    def rest(self) -> None:
        """Hear nothing, and hold no memory that a render may want."""
        self.stop()
        self._pairs.rest()

    def _told(self, message: messages.Message) -> None:
        now = self.words()
        if now != self._shown:  # positions come many times a second
            self._shown = now
            self._changed()

    async def close(self) -> None:
        """End both processes; nobody is told any more."""
        self._changed = lambda: None
        self.stop()
        await self._pairs.close()
        await super().close()
