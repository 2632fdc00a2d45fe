"""A pane of faders, one of which is chosen: the mixer's channels, an effect's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from textual.containers import VerticalScroll

from covermaker.tui.actions import Pane
from covermaker.tui.widgets.fader import Fader

if TYPE_CHECKING:
    from covermaker.tui.app import Studio


class Faders(Pane, VerticalScroll, can_focus=False, inherit_bindings=False):
    """See the module."""

    app: Studio

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._at = 0

    @property
    def faders(self) -> list[Fader]:
        """All of them, in the order of the screen."""
        return list(self.query(Fader))

    @property
    def fader(self) -> Fader:
        """The chosen one."""
        return self.faders[self._at]

    def chose(self) -> None:
        """Take over that another one may be chosen."""

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the chosen fader the focus, or the first that can be moved."""
        free = [fader for fader in self.faders if not fader.disabled]
        if free:
            self.screen.set_focus(free[0] if self.fader.disabled else self.fader, scroll_visible)
        return self

    def on_descendant_focus(self) -> None:
        """Take over which fader was chosen, by mouse too."""
        for index, fader in enumerate(self.faders):
            if fader.has_focus:
                self._at = index
        self.chose()

    def moved(self, message: Fader.Changed) -> None:
        """Take over which fader was moved."""
        message.stop()
        self._at = self.faders.index(message.fader)

    def action_type(self) -> None:
        """Type a value."""
        self.fader.action_type()

    def action_default(self) -> None:
        """Go back to the default."""
        self.fader.action_default()

    def on_fader_refused(self, message: Fader.Refused) -> None:
        """Say why a typed value is none."""
        message.stop()
        self.app.say(message.words, "stale")
