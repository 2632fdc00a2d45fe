"""Choosing one of several names, each with a line about it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from textual.command import CommandPalette, DiscoveryHit, Hit, Provider
from textual.markup import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App
    from textual.command import Hits

Rows: TypeAlias = "Sequence[tuple[str, str]]"


def choose(
    app: App[int], question: str, rows: Rows | Callable[[], Rows], chosen: Callable[[str], None]
) -> None:
    """Let one of some names be chosen: each with a line about it, found by typing a part of either.

    Parameters
    ----------
    rows : sequence of (str, str), or callable
        What finds them out, in a thread; keys that are typed meanwhile are for the question already.
    """

    class Offered(Provider):
        """The names."""

        async def startup(self) -> None:
            """Find them out."""
            self._rows = await asyncio.to_thread(rows) if callable(rows) else rows

        async def discover(self) -> Hits:
            """List all."""
            for name, help_ in self._rows:
                yield DiscoveryHit(escape(name), partial(chosen, name), help=escape(help_))

        async def search(self, query: str) -> Hits:
            """Find those whose name or line matches."""
            matcher = self.matcher(query)
            for name, help_ in self._rows:
                score = max(matcher.match(name), 0.6 * matcher.match(help_))
                if score > 0:
                    shown = matcher.highlight(escape(name))
                    yield Hit(score, shown, partial(chosen, name), help=escape(help_))

    app.push_screen(CommandPalette([Offered], placeholder=question, id="--command-palette"))
