"""Jump mode: a letter on each pane; typing it goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.screen import ModalScreen
from textual.widgets import Label

from covermaker.tui.actions import Acting, Pane
from covermaker.tui.chrome import Keys
from covermaker.tui.keymap import bindings
from covermaker.tui.keytable import SEATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

LETTERS: Final = "asdfghjklwertyuiopzxcvbnm"


def targets(panes: list[Widget]) -> dict[str, Widget]:
    """Give each pane a letter, in the order in which they are read."""
    ordered = sorted(panes, key=lambda pane: (pane.region.y, pane.region.x))
    return dict(zip(LETTERS, ordered, strict=False))


class JumpScreen(Acting, ModalScreen[str], inherit_bindings=False):
    """Letters over the screen. Returns the letter, the digit of a screen, or nothing."""

    SCREEN = "jump"
    BINDINGS = bindings("jump")

    def __init__(self, letters: Mapping[str, Widget]) -> None:
        super().__init__()
        self._letters = letters

    def compose(self) -> ComposeResult:
        """Put a letter on each pane's first line."""
        for letter, pane in self._letters.items():
            title = pane.TITLE if isinstance(pane, Pane) else ""
            label = Label(f" {letter} {title} ", classes="jump", markup=False)
            label.absolute_offset = pane.region.offset
            yield label
        yield Keys()

    def on_key(self, event: events.Key) -> None:
        """Take the letter."""
        if event.character and event.character in {*self._letters, *(seat.key for seat in SEATS)}:
            event.stop()
            self.dismiss(event.character)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss("")
