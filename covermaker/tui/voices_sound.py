"""Hearing checkpoints and takes: one player, two sides, equally loud while that is wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from covermaker.play.client import Files
from covermaker.tui import project_model
from covermaker.tui.listening import Matching

if TYPE_CHECKING:
    from pathlib import Path


class Audition(Matching):
    """The player of the Voices screen; see `Listening` for the parameters.

    Attributes
    ----------
    pair : (Path, Path or None) or None
        The files of both sides.
    words : (str, str)
        What they are.
    """

    pair: tuple[Path, Path | None] | None = None
    words = ("", "")

    def play(self, a: Path, b: Path | None, words: tuple[str, str], *, toggle: bool = True) -> None:
        """Play a pair, or pause it when it plays; another pair takes the place of one that plays without a gap."""
        if self.pair == (a, b):
            if toggle:
                self._toggle()
            return
        self.pair, self.words = (a, b), words
        self._want(a)
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
        if self.pair is not None:
            self._do(self._gains(*self.pair))

    async def _load(self, a: Path, b: Path | None, *, on: bool) -> None:
        """Load: `on` from where the one before is, else from the beginning."""
        gains = await self._matching(a, b)
        if self.pair == (a, b):  # else another one was wanted meanwhile
            await self._load_files(Files(a, b, *gains), start_seconds=None if on else 0.0)

    async def _gains(self, a: Path, b: Path | None) -> None:
        await self.player.set_gains(*await self._matching(a, b))

    async def _matching(self, a: Path, b: Path | None) -> tuple[float, float]:
        if b is None or not self.matched:
            return 0.0, 0.0
        return await asyncio.to_thread(project_model.matching, a, b)

    def _lose(self) -> None:
        super()._lose()
        self.pair = None
