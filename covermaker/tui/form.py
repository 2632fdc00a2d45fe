"""A dialog with fields: letters are for them, and what is typed after enter or tab is in the next one."""

from __future__ import annotations

from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input, RadioSet

from covermaker.tui.actions import Acting
from covermaker.tui.keymap import bindings


class Form(Acting, ModalScreen[ScreenResultType]):
    """See the module."""

    SCREEN = "form"
    BINDINGS = bindings("form")

    def on_mount(self) -> None:
        """Begin to type."""
        self.set_focus(self.begins_at())

    def begins_at(self) -> Input:
        """Return the field in which typing begins."""
        return self.query(Input).first()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer, or leave it."""
        if event.button.id == "yes":
            self.answer()
        else:
            self.action_leave()

    def answer(self) -> None:
        """Answer with what the form says, or say what is missing."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave enter to what is no text field."""
        if action == "enter":
            return isinstance(self.focused, (Input, RadioSet))
        return super().check_action(action, parameters)

    def action_enter(self) -> None:
        """Go to the next field; in the last one, answer once all that was typed has come there."""
        last = self.query(Input).last()
        if self.focused is last:
            last.call_later(self.answer)
        else:
            self.focus_next()

    def action_next(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_previous(self) -> None:
        """Go to the field before."""
        self.focus_previous()

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)
