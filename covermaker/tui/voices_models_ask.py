"""The question before a voice of another program is taken in: what it is called, and whose voice it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, RadioSet, Static

from covermaker.tui.form import Form
from covermaker.tui.voices_ask import Radio, RightsSet
from covermaker.tui.words import one_line
from covermaker.voices.rights import RIGHTS, needs_statement

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from textual.app import ComposeResult

UNKNOWN: Final = "unknown"
_WHOSE: Final = {UNKNOWN: "nobody has said", **{str(rights): words for rights, words in RIGHTS.items()}}


_BESIDE: Final = " (as the file beside it says)"


@dataclass(frozen=True)
class ModelWish:
    """What a person says of a voice that is taken in; `is_said_beside` where a file beside it says whose it is."""

    path: Path
    name: str
    rights: str = UNKNOWN
    statement: str = ""
    index: Path | None = None
    is_said_beside: bool = False


class ModelAsk(Form["ModelWish"]):
    """Ask; of a published voice it is rarely known who agreed, so that may stay unknown.

    Parameters
    ----------
    filled : ModelWish
        Suggested, or answered before and refused.
    taken : collection of str
        Names that are taken.
    problem : str
        Why it was refused.
    """

    FOOTER: ClassVar = (
        ("{form.next}", "Next field"), ("space", "Choose"), ("enter", "Next, or import"), ("{form.leave}", "Cancel"),
    )  # fmt: skip

    def __init__(self, filled: ModelWish, taken: Collection[str], problem: str = "") -> None:
        super().__init__()
        self._filled, self._taken, self._why = filled, set(taken), problem

    def compose(self) -> ComposeResult:
        """Build the form."""
        with VerticalScroll(classes="dialog form", can_focus=False):
            yield Static(f"A voice from {one_line(self._filled.path.name)}", markup=False)
            yield Label("Name")
            yield Input(self._filled.name, id="name", compact=True)
            yield Label("Whose voice is it?" + (_BESIDE if self._filled.is_said_beside else ""))
            with RightsSet(id="rights", compact=True):
                for rights, words in _WHOSE.items():
                    yield Radio(f"{rights}: {words}", rights == self._filled.rights, name=rights)
            yield Label("Who agreed to what (one sentence)")
            yield Input(self._filled.statement, id="statement", compact=True)
            yield Static(self._why, id="problem", markup=False)
            with Horizontal():
                yield Button("Cancel (esc)", id="no", compact=True)
                yield Button("Import", id="yes", variant="primary", compact=True)

    def answer(self) -> None:
        """Answer with what the form says, or go to what is missing."""
        name, statement = (
            self.query_one(f"#{field}", Input).value.strip() for field in ("name", "statement")
        )
        pressed = self.query_one(RadioSet).pressed_button
        rights = (pressed.name or UNKNOWN) if pressed is not None else UNKNOWN
        problem, field = self._problem(name, rights, statement)
        if problem:
            self.query_one("#problem", Static).update(problem)
            self.set_focus(self.query_one(field))
            return
        self.dismiss(replace(self._filled, name=name, rights=rights, statement=statement))

    def _problem(self, name: str, rights: str, statement: str) -> tuple[str, str]:
        """Return what is missing, and where; the rest is refused by whoever takes the voice in."""
        if not name or "/" in name or name.startswith((".", "~")):
            return "a name is missing: letters and digits, no slash", "#name"
        if name in self._taken:
            return f"there is a voice '{name}' already", "#name"
        if needs_statement(rights) and not statement:
            return f"'{rights}' needs a sentence: who agreed, to what", "#statement"
        return "", ""
