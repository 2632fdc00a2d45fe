"""How the studio takes keys and actions: at once, in the order in which they are pressed, refused with a reason."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual import events
from textual.widget import Widget

from covermaker.tui.actions import Acting, Pane, is_move, node_of, why_not
from covermaker.tui.dress import Dressed
from covermaker.tui.keymap import BY_ID, filled, textual_key
from covermaker.tui.keytable import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.events import Event

_TYPING_SECONDS = 0.15


class Keyboard(Acting, Dressed, inherit_bindings=False):
    """See the module.

    Attributes
    ----------
    keys : mapping
        The keys of all actions by their ids, as the user has set them.
    """

    keys: Mapping[str, str]
    _last_key = 0.0

    def named(self, text: str) -> str:
        """Return a sentence with the keys that it names, as the user has set them."""
        return filled(text, self.keys)

    @property
    def is_typing(self) -> bool:
        """Whether a key was pressed a moment ago."""
        return time.monotonic() - self._last_key < _TYPING_SECONDS

    async def on_event(self, event: Event) -> None:
        """Note when a key comes, and do at once what it stands for."""
        if isinstance(event, events.Key):
            self._last_key = time.monotonic()
            if not event.is_forwarded and await self._did(event):
                return
        await super().on_event(event)

    async def _did(self, key: events.Key) -> bool:
        """Carry out the action of a key, if there is one, before the next key of a burst looks where it belongs.

        Textual hands a key to the widget with the focus, from where it rises through the queue of each parent until
        somebody's binding takes it; keys that are typed meanwhile have left by then.
        """
        if not self.screen_stack or (self.screen.maximized is not None and key.key == "escape"):
            return False
        active = self.screen.active_bindings.get(key.key)
        if active is None or not active.enabled or active.binding.id not in BY_ID:
            return False
        return await self.run_action(active.binding.action, active.node)

    async def perform(self, action_id: str) -> None:
        """Carry out an action by its id, or say why not."""
        action, screen = BY_ID[action_id], self.screen
        reason = why_not(self, screen, action, self.keys)
        if reason:
            self._refuse(action.label, reason)
            return
        node = node_of(self, screen, action)
        if node is not None:
            await self.run_action(action.action, node)

    def on_key(self, event: events.Key) -> None:
        """Say why a key does nothing now."""
        active = self.screen.active_bindings.get(event.key)
        if active is None:
            self._tell_pane(event)
        if active is None or active.enabled or active.binding.id not in BY_ID:
            return
        node, action = active.node, BY_ID[active.binding.id]
        reason = why_not(self, self.screen, action, self.keys) if isinstance(node, Acting) else None
        if reason:
            event.stop()
            self._refuse(action.label, reason)

    def _tell_pane(self, event: events.Key) -> None:
        """Say of a key that does nothing here in which pane of the screen it does something."""
        panes = {pane.PANE: pane.TITLE for pane in self.screen.query(Widget) if isinstance(pane, Pane)}
        screen = getattr(self.screen, "SCREEN", "")
        for action in ACTIONS:
            keys = map(textual_key, self.keys[action.id].split())
            if action.screen == screen and action.pane in panes and event.key in keys and not is_move(action):
                event.stop()
                way = self.named("{studio.pane-next} goes there")
                self._refuse(action.label, f"this key is for the pane {panes[action.pane]}: {way}")
                return

    def _refuse(self, label: str, reason: str) -> None:
        self.say(f"{label}: {reason}", "stale")
