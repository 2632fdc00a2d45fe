"""The dialog of `[convert]`: how the voice sings, each setting with its value, its default and what it does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from covermaker.errors import CovermakerError
from covermaker.project.edits import ResetValue, SetValue
from covermaker.tui.actions import Acting, Pane
from covermaker.tui.choose import choose
from covermaker.tui.chrome import Keys
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Column, Listing
from covermaker.tui.singing_model import Setting, Singing, settings
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from covermaker.project.operations import Edit
    from covermaker.tui.app import Studio
    from covermaker.tui.chrome import Footer
    from covermaker.tui.listing import Cell


class Settings(Pane, Listing[str], inherit_bindings=False):
    """The settings by their names; a star is at what differs from its default."""

    SCREEN = "singing"
    PANE = "settings"
    TITLE = "Voice settings"
    BINDINGS = bindings("singing", "settings")
    COLUMNS = (
        Column("setting", "Setting", 22),
        Column("value", "Value", 20, flexible=True),
        Column("default", "Default", 16),
    )


class SingingScreen(Acting, ModalScreen[None], inherit_bindings=False):
    """See the module.

    Parameters
    ----------
    voice : str
        Who sings.
    put : callable
        Saves an edit, under the name of its gesture; what became of it comes back by `take` or `refused`.
    turn : callable
        Takes the last edit back; with True does it again.
    """

    app: Studio

    SCREEN = "singing"
    BINDINGS = bindings("singing")
    DEFAULT_CSS = """
    SingingScreen { align: center middle; }
    SingingScreen #box { width: 100; max-width: 100%; height: 29; max-height: 100%; margin: 1 0 2 0; }
    SingingScreen #box, SingingScreen Settings { background: $surface; }
    SingingScreen Settings { height: 1fr; }
    SingingScreen #about { height: 4; padding: 0 2; }
    SingingScreen #refused { height: auto; max-height: 8; padding: 0 2; color: $state-failed; display: none; }
    SingingScreen Input { display: none; }
    """

    def __init__(
        self, voice: str, put: Callable[[Edit, str | None], None], turn: Callable[[bool], None]
    ) -> None:
        super().__init__()
        self._voice, self._put, self._turn = voice, put, turn
        self._by_name = {one.name: one for one in settings()}
        self._singing = Singing({one.name: one.default for one in settings()})
        self._is_built = self._is_asked = False

    def compose(self) -> ComposeResult:
        """Build the dialog."""
        with Vertical(id="box"):
            yield Settings(self._cells, id="settings")
            yield Static("", id="about", markup=False)
            yield Static("", id="refused", markup=False)
            yield Input("", compact=True, select_on_focus=True)

    def on_mount(self) -> None:
        """List the settings."""
        listing = self.query_one(Settings)
        listing.frame(f"How {one_line(self._voice)} sings in this song", "* differs from its default")
        listing.show(list(self._by_name))
        self._is_built = True
        self._show()
        listing.focus()

    # Showing

    def take(self, singing: Singing) -> None:
        """Show the settings as they are now."""
        if singing != self._singing:
            self._singing = singing
            self._refuse("")
            self._show()

    def saved(self) -> None:
        """Close the field: what was typed is in the document."""
        if self._is_asked:
            self._end_typing()

    def refused(self, words: str) -> None:
        """Say why a value was not taken, where it was asked for; what was typed stays to be mended."""
        self._is_asked = False
        self._refuse(words)

    def _refuse(self, words: str) -> None:
        if self._is_built:
            said = self.query_one("#refused", Static)
            said.update(words)
            said.display = bool(words)

    def _show(self) -> None:
        if not self._is_built:
            return
        listing = self.query_one(Settings)
        listing.marked = set(self._singing.changed)
        listing.redraw()
        self._tell()

    def _cells(self, name: str) -> Sequence[Cell]:
        setting = self._by_name[name]
        value = self._singing.text(setting, self._singing.values[name])
        is_without = name in self._singing.without
        tone = "quiet" if is_without else ""
        return (
            (setting.label, tone),
            (f"{value} (no effect)" if is_without else value, tone),
            (setting.text(setting.default), "quiet"),
        )

    @property
    def setting(self) -> Setting:
        """The setting under the cursor."""
        return self._by_name[self.query_one(Settings).selected or next(iter(self._by_name))]

    def _tell(self) -> None:
        setting = self.setting
        text = Text(setting.help)
        if setting.allowed:
            text.append(f" Allowed: {setting.allowed}.")
        why = self._singing.without.get(setting.name)
        if why:
            text.append(f"\n{why}", self.app.theme_variables.get("state-stale", ""))
        self.query_one("#about", Static).update(text)

    @property
    def FOOTER(self) -> Footer:  # what the frame reads of every dialog
        """What the keys do now."""
        if self._is_typing:
            return (("enter", "Take"), ("{singing.close}", "Leave it"))
        return (
            ("{singing.less} {singing.more}", "Value"),
            ("{singing.choose}", "Choose"),
            ("{singing.type}", "Type"),
            ("{singing.default}", "Default"),
            ("{singing.undo} {singing.redo}", "Undo, redo"),
            ("{singing.close}", "Back"),
        )

    @property
    def _is_typing(self) -> bool:
        return self._is_built and bool(self.query_one(Input).display)

    @on(Listing.Moved)
    def _moved(self) -> None:
        self._refuse("")
        self._tell()

    # Changing

    def refusal(self, action_id: str) -> str | None:
        """Leave the keys to the field while a value is typed."""
        return "a value is being typed" if self._is_typing and action_id != "singing.close" else None

    def _set(self, value: Any, *, gesture: bool = False) -> None:
        self._refuse("")
        setting = self.setting
        edit: Edit = SetValue(setting.place, value)
        if value == setting.default:
            edit = ResetValue(setting.place)
        self._put(edit, setting.place if gesture else None)

    def action_less(self) -> None:
        """Go a step down, or to the choice before."""
        self._step(-1)

    def action_more(self) -> None:
        """Go a step up, or to the next choice."""
        self._step(1)

    def _step(self, by: int) -> None:
        setting, value = self.setting, self._singing.values[self.setting.name]
        if setting.is_switch:
            self._set(not value)
        elif setting.choices:
            at = setting.choices.index(value) if value in setting.choices else 0
            self._set(setting.choices[(at + by) % len(setting.choices)])
        elif setting.is_stepped:
            start = self._singing.own.get(setting.name) if value is None else value
            if start is None:
                words = f"the voice's own {setting.label} is no number that is known here: {{singing.type}} types one"
                self._refuse(self.app.named(words))
                return
            self._shown_ahead(setting.stepped(start, by))
        else:
            self._refuse(self.app.named(f"{setting.label} is typed: {{singing.type}}"))

    def _shown_ahead(self, value: Any) -> None:
        """Save a step, and let the next key, which may come before that is done, go on from it."""
        name = self.setting.name
        self._singing = replace(self._singing, values={**self._singing.values, name: value})
        self.query_one(Settings).redraw()
        self._set(value, gesture=True)

    @on(Listing.Opened)
    def _opened(self) -> None:
        self.action_choose()

    def action_choose(self) -> None:
        """Turn a switch, choose from a list, or type."""
        setting = self.setting
        if setting.is_switch:
            self._step(1)
        elif setting.choices:
            choose(self.app, setting.label, setting.offered, self._set)
        else:
            self.action_type()

    def action_type(self) -> None:
        """Type a value."""
        value, field = self._singing.values[self.setting.name], self.query_one(Input)
        field.value = "" if value is None or value == {} else self.setting.text(value)
        field.placeholder = self.setting.allowed
        field.display = True
        self.set_focus(field)  # at once: what is typed next is the value
        self._keys_changed()

    def action_default(self) -> None:
        """Give the setting its default back."""
        self._refuse("")
        self._put(ResetValue(self.setting.place), None)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            self._end_typing()
            self.action_default()
            return
        try:
            value = self.setting.read(event.value)
        except CovermakerError as error:
            self._refuse(str(error))
            return
        self._is_asked = True
        self._set(value)

    def _end_typing(self) -> None:
        self._is_asked = False
        self.query_one(Input).display = False
        self.set_focus(self.query_one(Settings))
        self._keys_changed()

    def _keys_changed(self) -> None:
        self.refresh_bindings()
        front = self.app.front()
        for keys in front.query(Keys) if front is not None else ():
            keys.refresh()

    def action_undo(self) -> None:
        """Take the last change of the song back."""
        self._turn(False)

    def action_redo(self) -> None:
        """Do again what was taken back."""
        self._turn(True)

    def action_close(self) -> None:
        """Leave the field, or the dialog."""
        if self._is_typing:
            self._refuse("")
            self._end_typing()
        else:
            self.dismiss()
