"""A question before something is lost, where the safe answer has the focus; and one for a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from covermaker.tui.actions import Acting
from covermaker.tui.keymap import bindings

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Ask(Acting, ModalScreen[bool]):
    """Ask; returns whether the answer was yes."""

    SCREEN = "ask"
    BINDINGS = bindings("ask")

    def __init__(self, question: str, *, yes: str, no: str) -> None:
        super().__init__()
        self._question, self._yes, self._no = question, yes, no

    def compose(self) -> ComposeResult:
        """Build the dialog."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            with Horizontal():
                yield Button(f"{self._no} (n)", id="no", variant="primary")
                yield Button(f"{self._yes} (y)", id="yes")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")

    def action_yes(self) -> None:
        """Answer yes."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Answer no."""
        self.dismiss(False)


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

    def on_input_submitted(self) -> None:
        """Take the name."""
        self.action_yes()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the name, or leave it."""
        if event.button.id == "yes":
            self.action_yes()
        else:
            self.action_no()

    def action_yes(self) -> None:
        """Take the name."""
        self.dismiss(self.query_one(Input).value.strip())

    def action_no(self) -> None:
        """Leave it."""
        self.dismiss(None)
