"""Help for the pane that has the focus, then all keys."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.text import Text
from textual.screen import ModalScreen

from covermaker.tui.actions import Acting, Pane
from covermaker.tui.chrome import Keys
from covermaker.tui.keymap import bindings, filled, of, shown
from covermaker.tui.keytable import ACTIONS, EVERYWHERE, SEATS
from covermaker.tui.listing import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

    from covermaker.tui.keytable import Action

_KEY_WIDTH = 13


def help_text(screen: str, pane: Pane | None, keys: Mapping[str, str], width: int = 80) -> Text:
    """Return the page: the pane's help and keys, then the screen's, then everywhere's, then the other screens'.

    `width` is that of a line, in cells.
    """
    text, room = Text(), max(16, width - _KEY_WIDTH - 3)
    labels = {seat.name: seat.label for seat in SEATS}
    if pane is not None:
        text.append(f"{pane.TITLE}\n", "bold")
        text.append(f"{filled(pane.HELP_TEXT, keys)}\n\n")
        _section(text, "", of(pane.SCREEN, pane.PANE), keys, room)
    title = f"{labels.get(screen, screen)} screen"
    _section(text, title, of(screen), keys, room)
    others = {action.pane for action in ACTIONS if action.screen == screen} - {"", pane.PANE if pane else ""}
    for other in sorted(others):
        _section(text, f"{labels.get(screen, screen)} screen, {other}", of(screen, other), keys, room)
    _section(text, "Everywhere", of(EVERYWHERE), keys, room)
    for seat in SEATS:
        if seat.name != screen:
            _section(text, f"{seat.label} screen", of(seat.name), keys, room)
    text.append(
        "\nOther keys: covermaker config edit. The same page with the ids of all actions: docs/keys.md\n"
    )
    return text


def _section(text: Text, title: str, actions: Sequence[Action], keys: Mapping[str, str], room: int) -> None:
    if not actions:
        return
    if title:
        text.append(f"{title}\n", "bold")
    for action in actions:
        written = " ".join(shown(key) for key in keys[action.id].split()) or "ctrl+p"
        text.append(f"  {written:<{_KEY_WIDTH}} ", "bold")
        lines = textwrap.wrap(f"{action.label}: {filled(action.tooltip, keys)}", room)
        text.append(f"\n{'':{_KEY_WIDTH + 3}}".join(lines) + "\n")
    text.append("\n")


class HelpPage(Pane, Reader, inherit_bindings=False):
    """The page."""

    SCREEN = "help"
    PANE = "page"
    TITLE = "Help"
    BINDINGS = bindings("help", "page")


class HelpScreen(Acting, ModalScreen[None], inherit_bindings=False):
    """Help over the screen, or another text that is read and closed."""

    SCREEN = "help"
    BINDINGS = bindings("help")

    def __init__(self, text: Text, title: str = "Help") -> None:
        super().__init__()
        self._text, self._title = text, title

    def compose(self) -> ComposeResult:
        """Build the screen."""
        page = HelpPage()
        page.frame(self._title)
        yield page
        yield Keys()

    def on_mount(self) -> None:
        """Show the text."""
        self.query_one(HelpPage).write(self._text)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()
