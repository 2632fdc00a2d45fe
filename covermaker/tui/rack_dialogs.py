"""Choosing one of several names, and typing one: which effect, which preset, under which name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text
from textual.command import CommandPalette, DiscoveryHit, Hit, Provider
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from covermaker.tui.actions import Acting
from covermaker.tui.help import HelpScreen
from covermaker.tui.keymap import bindings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App, ComposeResult
    from textual.command import Hits

    from covermaker.effects.preset_edits import Line


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


def comparison(title: str, lines: Sequence[Line]) -> HelpScreen:
    """Return a page with what a preset would change."""
    words = {"~": "changes", "+": "adds", "-": "removes"}
    text = Text()
    for line in lines:
        text.append(f"{words[line.sign]:>7}  ", "bold")
        text.append(f"{line.words}\n")
    if not lines:
        text.append("Nothing: the rack is as in the preset.\n")
    return HelpScreen(text, title)


class AskName(Acting, ModalScreen[str]):
    """Ask for a name; returns it, or nothing."""

    SCREEN = "ask"
    BINDINGS = bindings("ask")
    DEFAULT_CSS = "AskName { align: center middle; }"

    def __init__(self, question: str, value: str) -> None:
        super().__init__()
        self._question, self._value = question, value

    def compose(self) -> ComposeResult:
        """Build the dialog."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            yield Input(self._value, select_on_focus=True)
            with Horizontal():
                yield Button("Leave it", id="no")
                yield Button("Take it (enter)", id="yes", variant="primary")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the name."""
        self.dismiss(event.value.strip())

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the name, or leave it."""
        self.dismiss(self.query_one(Input).value.strip() if event.button.id == "yes" else None)

    def action_yes(self) -> None:
        """Take the name."""
        self.dismiss(self.query_one(Input).value.strip())

    def action_no(self) -> None:
        """Leave it."""
        self.dismiss(None)
