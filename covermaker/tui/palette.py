"""What the command palette finds: every action with its key, and the songs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Provider

from covermaker.tui.actions import offered, why_not
from covermaker.tui.keymap import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from textual.command import Hits

    from covermaker.tui.app import Studio


class _Studio(Provider):
    """What both need."""

    @property
    def studio(self) -> Studio:
        """The app."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]


class ActionProvider(_Studio):
    """Every action of the screen and of the studio; one that cannot be done now says why."""

    def _rows(self) -> Iterable[tuple[str, str, str]]:
        screen = getattr(self.screen, "SCREEN", "")
        for action in offered(screen):
            keys = self.studio.keys[action.id].split()
            label = f"{action.label}" + (f"  ({shown(keys[0])})" if keys else "")
            reason = why_not(self.studio, self.screen, action, self.studio.keys)
            tooltip = self.studio.named(action.tooltip)
            help_ = f"{tooltip} Not now: {reason}." if reason else tooltip
            yield action.id, label, help_

    async def discover(self) -> Hits:
        """List all."""
        for action_id, label, help_ in self._rows():
            yield DiscoveryHit(label, partial(self.studio.perform, action_id), help=help_)

    async def search(self, query: str) -> Hits:
        """Find those whose label or sentence matches."""
        matcher = self.matcher(query)
        for action_id, label, help_ in self._rows():
            score = max(matcher.match(label), 0.6 * matcher.match(help_))
            if score > 0:
                yield Hit(
                    score, matcher.highlight(label), partial(self.studio.perform, action_id), help=help_
                )


class SongProvider(_Studio):
    """The songs of the library: goes to the song's line."""

    async def search(self, query: str) -> Hits:
        """Find songs by title and artist."""
        matcher = self.matcher(query)
        for song in self.studio.songs:
            text = f"{song.title}  {song.artist}" if song.artist else song.title
            score = matcher.match(text)
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(text),
                    partial(self.studio.select_song, song.folder),
                    help=str(song.folder),
                )
