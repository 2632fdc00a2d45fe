"""Choosing one of several names, each with a line about it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandPalette, DiscoveryHit, Hit, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App
    from textual.command import Hits


def choose(
    app: App[int], question: str, rows: Sequence[tuple[str, str]], chosen: Callable[[str], None]
) -> None:
    """Let one of some names be chosen: each with a line about it, found by typing a part of either."""

    class Offered(Provider):
        """The names."""

        async def discover(self) -> Hits:
            """List all."""
            for name, help_ in rows:
                yield DiscoveryHit(name, partial(chosen, name), help=help_)

        async def search(self, query: str) -> Hits:
            """Find those whose name or line matches."""
            matcher = self.matcher(query)
            for name, help_ in rows:
                score = max(matcher.match(name), 0.6 * matcher.match(help_))
                if score > 0:
                    yield Hit(score, matcher.highlight(name), partial(chosen, name), help=help_)

    app.push_screen(CommandPalette([Offered], placeholder=question, id="--command-palette"))
