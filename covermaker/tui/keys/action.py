"""One row of the table of keys: an action of the studio, a screen, and the rows of anything that lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVERYWHERE = "all"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can do.

    Attributes
    ----------
    id : str
        Unique; what a settings file calls it.
    key : str
        Its keys, separated by spaces, the first one shown; empty for what only the palette offers.
    label : str
        One or two words, for the footer.
    tooltip : str
        One sentence, for help, palette and the page of keys; it names other keys by their actions: ``{studio.undo}``.
    screen : str
        The screen it belongs to; `EVERYWHERE`, or the name of a dialog.
    pane : str
        The pane that must have the focus; empty for the whole screen.
    group : str
        Actions of one group stand together in the footer under this label.
    costly : bool
        It costs minutes or cannot be undone: its key is a capital.
    footer : bool
        Shown in the footer where there is room.
    run : str
        Textual's action, where it is not the last part of the id.
    priority : bool
        Heard before anything else, in dialogs and while text is typed, too.
    """

    id: str
    key: str
    label: str
    tooltip: str
    screen: str = EVERYWHERE
    pane: str = ""
    group: str = ""
    costly: bool = False
    footer: bool = False
    run: str = ""
    priority: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Its keys as people write them."""
        return tuple(self.key.split())

    @property
    def action(self) -> str:
        """Textual's name of the action: a method ``action_<name>`` of the pane, the screen or the app."""
        return self.run or self.id.rpartition(".")[2].replace("-", "_")


@dataclass(frozen=True, slots=True)
class Seat:
    """A screen: the digit that opens it, its name, and in one sentence what it holds."""

    name: str
    key: str
    label: str
    sentence: str


_MOVES: Final = (
    ("up", "up k", "Up", "Go to the row above."),
    ("down", "down j", "Down", "Go to the row below."),
    ("page-up", "pageup", "Page up", "Go up by a page."),
    ("page-down", "pagedown", "Page down", "Go down by a page."),
    ("first", "home g", "First", "Go to the first row."),
    ("last", "end G", "Last", "Go to the last row."),
)


def moves(screen: str, pane: str) -> tuple[Action, ...]:
    """Return the actions of anything that lists or scrolls."""
    return tuple(
        Action(f"{screen}.{pane}-{name}", key, label, words, screen, pane, run=f"go_{name.replace('-', '_')}")
        for name, key, label, words in _MOVES
    )
