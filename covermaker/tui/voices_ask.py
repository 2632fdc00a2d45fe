"""The questions of the Voices screen: which of several ways, and whose voice a new one is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Checkbox, Input, Label, RadioButton, RadioSet, Static

from covermaker.tui.ask import Question
from covermaker.tui.form import Form
from covermaker.tui.words import count, one_line
from covermaker.voices.rights import RIGHTS, needs_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


class Radio(RadioButton):
    """One of several, whose sign says without colour whether it is chosen."""

    @property
    def _button(self) -> Content:
        return Content("(*)" if self.value else "( )")


class RightsSet(RadioSet, inherit_bindings=False):
    """Enter goes on and chooses nothing: whose voice it is, is said on purpose."""

    BINDINGS: ClassVar = [
        Binding("down,right", "next_button", show=False),
        Binding("up,left", "previous_button", show=False),
        Binding("space", "toggle_button", show=False),
    ]


class _Check(Checkbox):
    """Yes or no, in signs of every terminal."""

    @property
    def _button(self) -> Content:
        return Content("[x]" if self.value else "[ ]")


@dataclass(frozen=True)
class Choice:
    """Something to choose: its button, a sentence, and what the choice stands for."""

    label: str
    words: str
    value: Any


class ChooseAsk(Question[Any]):
    """Ask which; y takes the first choice, escape none."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]  # noqa: RUF012  # as Textual types it
    FOOTER: ClassVar = (
        ("up down", "Choose"),
        ("enter", "Press it"),
        ("{ask.yes}", "Yes"),
        ("{ask.no}", "No"),
    )

    def __init__(self, question: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._question, self._choices = question, list(choices)

    def compose(self) -> ComposeResult:
        """Build the dialog."""
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Static(self._question, markup=False)
            yield Button("No (n)", id="no", variant="primary", compact=True)
            for index, choice in enumerate(self._choices):
                key = " (y)" if index == 0 else ""
                yield Button(f"{choice.label}{key}", id=f"choice-{index}", compact=True)
                yield Static(choice.words, markup=False, classes="choice")

    def on_key(self, event: events.Key) -> None:
        """Walk through the choices with the arrows, too."""
        if event.key in ("up", "down"):
            event.stop()
            (self.focus_next if event.key == "down" else self.focus_previous)()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        name = event.button.id or ""
        self.dismiss(self._choices[int(name.removeprefix("choice-"))].value if name != "no" else None)

    def action_yes(self) -> None:
        """Take the first choice."""
        self.dismiss(self._choices[0].value)


@dataclass(frozen=True)
class NewVoice:
    """What a new voice is made of."""

    name: str
    paths: tuple[Path, ...]
    rights: str
    statement: str
    languages: tuple[str, ...] = ()


class NewVoiceAsk(Form["NewVoice"]):
    """Ask for a new voice's name and for the rights to it, which nobody can leave out.

    Parameters
    ----------
    paths : sequence of Path
        What was chosen or dropped.
    folder : Path or None
        Offered in place of it: all recordings of this folder, of which there are `beside`.
    whole : bool
        Whether that is suggested.
    name : str
        Suggested.
    taken : collection of str
        Names that are taken.
    filled : NewVoice or None
        What was answered before, and refused.
    problem : str
        Why.
    """

    FOOTER: ClassVar = (
        ("{form.next}", "Next field"), ("space", "Choose"), ("enter", "Next, or take in"), ("{form.leave}", "Cancel"),
    )  # fmt: skip

    def __init__(
        self,
        paths: Sequence[Path],
        name: str,
        taken: Sequence[str],
        *,
        folder: Path | None = None,
        beside: int = 0,
        whole: bool = False,
        filled: NewVoice | None = None,
        problem: str = "",
    ) -> None:
        super().__init__()
        self._filled, self._why = filled, problem
        self._paths, self._proposal, self._taken = tuple(paths), name, set(taken)
        self._folder, self._beside, self._whole = folder, beside, whole

    def compose(self) -> ComposeResult:
        """Build the form."""
        what = (
            one_line(self._paths[0].name) if len(self._paths) == 1 else count(len(self._paths), "recording")
        )
        before = self._filled or NewVoice(self._proposal, (), "", "")
        whole = self._whole if self._filled is None else self._filled.paths == (self._folder,)
        with VerticalScroll(classes="dialog form", can_focus=False):
            yield Static(f"A new voice from {what}", markup=False)
            if self._folder is not None and self._beside > 1:
                yield _Check(f"all {self._beside} recordings of its folder", whole, id="beside", compact=True)
            yield Label("Name")
            yield Input(before.name, id="name", compact=True)
            yield Label("Whose voice is it?")
            with RightsSet(id="rights", compact=True):
                for rights, words in RIGHTS.items():
                    yield Radio(f"{rights}: {words}", rights == before.rights, name=rights)
            yield Label("Who agreed to what (one sentence)")
            yield Input(
                before.statement,
                id="statement",
                compact=True,
                placeholder="for example: I am the singer, for my songs",
            )
            yield Label("Sung in (as en, de; may be left out)")
            yield Input(", ".join(before.languages), id="languages", compact=True)
            yield Static(self._why, id="problem", markup=False)
            with Horizontal():
                yield Button("Cancel (esc)", id="no", compact=True)
                yield Button("Take them in", id="yes", variant="primary", compact=True)

    def answer(self) -> None:
        """Answer with what the form says, or go to what is missing."""
        problem, field = self._problem()
        if problem:
            self.query_one("#problem", Static).update(problem)
            self.set_focus(self.query_one(field))
            return
        whole = (
            self._folder is not None
            and bool(self.query("#beside"))
            and self.query_one("#beside", Checkbox).value
        )
        paths = (self._folder,) if whole and self._folder is not None else self._paths
        languages = self.query_one("#languages", Input).value.replace(",", " ").split()
        self.dismiss(
            NewVoice(self._typed("name"), paths, self._rights(), self._typed("statement"), tuple(languages))
        )

    def _typed(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _rights(self) -> str:
        pressed = self.query_one(RadioSet).pressed_button
        return (pressed.name or "") if pressed is not None else ""

    def _problem(self) -> tuple[str, str]:
        """Return what is missing, and where; the rest is refused by whoever takes the recordings in."""
        name, rights = self._typed("name"), self._rights()
        if not name or "/" in name or name.startswith((".", "~")):
            return "a name is missing: letters and digits, no slash", "#name"
        if name in self._taken:
            return f"there is a voice '{name}' already", "#name"
        if not rights:
            return "say whose voice it is: nothing is made without it", "#rights"
        if needs_statement(rights) and not self._typed("statement"):
            return f"'{rights}' needs a sentence: who agreed, to what", "#statement"
        return "", ""
