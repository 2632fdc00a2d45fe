"""What the Project screen changes: the mixer's values, sections, solo and bypass; undo, conflicts, earlier states."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.message import Message

from covermaker.effects.owners import bypasses
from covermaker.errors import CovermakerError
from covermaker.project.edits import ResetValue, SetValue
from covermaker.project.saved import Saved, go_back, saved_states
from covermaker.tui.ask import AskName
from covermaker.tui.choose import choose
from covermaker.tui.project_mixer import Mixer
from covermaker.tui.project_sections import put, without
from covermaker.tui.project_wave import Wave
from covermaker.tui.screens.hearing import HearingScreen
from covermaker.tui.words import ago, length

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.project.saving import Applied


class EditingScreen(HearingScreen, inherit_bindings=False):
    """A screen that hears a project and changes it."""

    @dataclass
    class States(Message):
        """The states that a document was in were found."""

        folder: Path
        states: list[Saved]

    @dataclass
    class Back(Message):
        """The document went back to one of them, or did not."""

        folder: Path
        words: str
        problem: str = ""

    def __init__(self) -> None:
        super().__init__()
        self._forget_listening()

    def _forget_listening(self) -> None:
        """Begin anew with what is not in the document: solo, bypass, what is being dragged."""
        self._solo: list[str] = []
        self._bypassed: list[str] = []
        self._unsaved: dict[str, Any] = {}

    # Changing

    @on(Mixer.Wanted)
    def _wanted(self, message: Mixer.Wanted) -> None:
        kind, _, name = message.place.partition(".")
        if kind == "solo":
            self._solo = _toggled(self._solo, name, on=message.value)
            self.app.say(f"solo, for listening only: {', '.join(self._solo) or 'none'}")
        elif kind == "bypass":
            self._bypassed = _toggled(self._bypassed, name, on=message.value)
            self._say_bypass()
        else:
            self._unsaved.update(self.changes_of(message.place, message.value))
            if message.settled:
                self._put(message.place, message.value, gesture=self.gesture_of(message.place))
        self._remix()

    def changes_of(self, place: str, value: Any) -> dict[str, Any]:
        """Return what a preview has to be told of a value that is not saved."""
        return {place: value}

    def _say_bypass(self) -> None:
        names = ", ".join(place.partition(".")[2] for place in self._bypassed)
        heard = (
            ""
            if self.sound is not None and self.sound.is_live
            else ": {project.preview} plays a loop of the mix"
        )
        self.app.say(
            f"without its rack, for listening only: {names}{heard}"
            if names
            else "every channel through its rack"
        )

    def _put(self, place: str, value: Any, *, gesture: str | None = None) -> None:
        edit = ResetValue(place) if value is None else SetValue(place, value)
        self.edits.put(edit, gesture=gesture)

    def _remix(self) -> None:
        if self.sound is not None:
            project = self.edits.project
            out = bypasses(project.cover, self._bypassed) if project is not None else {}
            self.sound.mixed(self._solo, {**self._unsaved, **out})

    @on(Wave.Named)
    def _section(self, message: Wave.Named) -> None:
        sections = self.query_one("#a", Wave).sections
        if message.gone is not None:
            self._put("sections", without(sections, message.gone))
            return

        def named(name: str | None) -> None:
            if name:
                self._put("sections", put(sections, message.seconds, name))

        self.app.push_screen(
            AskName(f"A section begins at {length(message.seconds)}. Its name:", f"part {len(sections) + 1}"),
            named,
        )

    # What became of it

    def show_saved(self, done: Applied) -> None:
        """Show what was saved, and hear it where another than the mixer changed it."""
        self._unsaved.clear()
        self.call_later(self.take, done.project)
        self.look_again()
        if done.merged or done.turned:
            self.call_later(self._remix)

    def was_refused(self) -> None:
        """Show the values as they are on the disk."""
        self._unsaved.clear()
        if self.edits.project is not None:
            self.call_later(self.take, self.edits.project)

    def changed_outside(self) -> None:
        """Hear a document that somebody else changed."""
        self._remix()

    # Earlier states

    def action_back_to(self) -> None:
        """Choose one of the states that the document was in."""
        if self.folder is not None:
            self._find_states(self.folder)

    @work(thread=True, exclusive=True, group="project-states", exit_on_error=False)
    def _find_states(self, folder: Path) -> None:
        try:
            self.post_message(self.States(folder, saved_states(folder)))
        except CovermakerError as error:
            self.post_message(self.Back(folder, "", str(error)))

    @on(States)
    def _offer_states(self, message: States) -> None:
        if not message.states:
            self.app.say("there is no earlier state: nothing was changed here yet", "stale")
            return
        now = time.time()
        by_label = {f"{number}  {state.words}": state for number, state in enumerate(message.states, start=1)}
        rows = [(label, ago(now - state.seconds)) for label, state in by_label.items()]

        def chosen(label: str) -> None:
            self._go_back(message.folder, by_label[label])

        choose(self.app, "the state to go back to", rows, chosen)

    @work(thread=True, exclusive=True, group="project-states", exit_on_error=False)
    def _go_back(self, folder: Path, state: Saved) -> None:
        try:
            self.post_message(self.Back(folder, go_back(folder, state).words))
        except CovermakerError as error:
            self.post_message(self.Back(folder, "", str(error)))

    @on(Back)
    def _went_back(self, message: Back) -> None:
        self.app.say(message.words or message.problem, "done" if message.words else "failed")
        if message.words and message.folder == self.folder:
            self.read_again()


def _toggled(names: list[str], name: str, *, on: bool) -> list[str]:
    return [*names, name] if on else [one for one in names if one != name]
