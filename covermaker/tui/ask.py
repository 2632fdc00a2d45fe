"""A question before something is lost, where the safe answer has the focus; and one for a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input, Static

from covermaker.tui.actions import Acting
from covermaker.tui.chrome import Keys
from covermaker.tui.form import Form
from covermaker.tui.keymap import bindings

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from covermaker.tui.app import Studio
    from covermaker.tui.chrome import Footer


class Question(Acting, ModalScreen[ScreenResultType]):
    """A dialog that is answered with y or n."""

    SCREEN = "ask"
    BINDINGS = bindings("ask")

    def action_yes(self) -> None:
        """Do what was asked."""
        raise NotImplementedError

    def action_no(self) -> None:
        """Change nothing."""
        self.dismiss(None)


class Ask(Question[bool]):
    """Ask; returns whether the answer was yes.

    Enter is for the button with the focus, which at first is the one that changes nothing; dialog and footer say which.
    Where yes loses nothing and can be undone, `harmless`, it is yes.
    """

    app: Studio

    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-short")]  # noqa: RUF012  # as Textual types it

    def __init__(self, question: str, *, yes: str, no: str, harmless: bool = False) -> None:
        super().__init__()
        self._question, self._yes, self._no = question, yes, no
        self._first = "yes" if harmless else "no"
        self.AUTO_FOCUS = f"#{self._first}"  # type: ignore[misc]

    def compose(self) -> ComposeResult:
        """Build the dialog."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            with Horizontal():
                for answer, words in (("no", f"{self._no} (n)"), ("yes", f"{self._yes} (y)")):
                    yield Button(words, id=answer, variant="primary" if answer == self._first else "default")
            yield Static("", id="default", markup=False)

    @property
    def FOOTER(self) -> Footer:  # what the frame reads of every dialog
        """What the keys do: of enter it depends on the button with the focus."""
        return (
            ("{ask.yes}", self._yes),
            ("{ask.no}", self._no),
            ("tab", "Other button"),
            ("enter", self._default),
        )

    @property
    def _default(self) -> str:
        """What enter answers."""
        return self._yes if self.focused is not None and self.focused.id == "yes" else self._no

    def on_descendant_focus(self) -> None:
        """Say what enter does now."""
        self.query_one("#default", Static).update(self.app.named(f"enter: {self._default}"))
        front = self.app.front()
        for keys in front.query(Keys) if front is not None else ():
            keys.refresh()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")

    def action_yes(self) -> None:
        """Answer yes."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Answer no."""
        self.dismiss(False)


class AskName(Form[str]):
    """Ask for a name; returns it, or nothing.

    Parameters
    ----------
    value : str
        Suggested.
    check : callable
        Says what is wrong with a name, "" for nothing; until then it asks.
    """

    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-short")]  # noqa: RUF012  # as Textual types it
    FOOTER: ClassVar = (("enter", "Save"), ("{form.leave}", "Cancel"), ("{form.next}", "Next"))
    DEFAULT_CSS = """
    AskName { align: center middle; }
    AskName #problem { color: $state-failed; display: none; }
    """

    def __init__(self, question: str, value: str, check: Callable[[str], str] = lambda _: "") -> None:
        super().__init__()
        self._question, self._value, self._check = question, value, check

    def compose(self) -> ComposeResult:
        """Build the dialog."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            yield Input(self._value, select_on_focus=True)
            yield Static("", id="problem", markup=False)
            with Horizontal():
                yield Button("Cancel (esc)", id="no")
                yield Button("Save (enter)", id="yes", variant="primary")

    def answer(self) -> None:
        """Take the name, if it is one."""
        name = self.query_one(Input).value.strip()
        problem = self._check(name) if name else "a name is missing"
        if not problem:
            self.dismiss(name)
            return
        said = self.query_one("#problem", Static)
        said.update(problem)
        said.display = True
        self.query_one(Input).focus()
