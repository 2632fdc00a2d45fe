"""How actions of the keymap table meet the widgets that carry them out, and how a refused one says why.

A node that carries actions derives from `Acting`. Its `refusal` gives the reason why an action cannot be done now;
then the footer shows the action dim and its key shows the reason, instead of doing nothing.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from textual.content import Content

from covermaker.tui.keymap import filled
from covermaker.tui.keytable import ACTIONS, EVERYWHERE, Action

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import App
    from textual.dom import DOMNode
    from textual.screen import Screen


@cache
def _ids(screen: str, pane: str) -> dict[str, str]:
    """Return the ids of a scope's actions by the name that Textual knows."""
    found: dict[str, str] = {}
    for action in ACTIONS:
        if (action.screen, action.pane) == (screen, pane):
            name = action.action.rpartition(".")[2].partition("(")[0]
            found.setdefault(name, action.id)
    return found


class Acting:
    """Mixed into the app, screens and panes: refuses actions with a reason."""

    SCREEN: ClassVar[str] = EVERYWHERE
    PANE: ClassVar[str] = ""
    # Of the actions that cannot always be done: who says why not, called with the node.
    REFUSALS: ClassVar[Mapping[str, Callable[[Any], str | None]]] = {}

    def refusal(self, action_id: str) -> str | None:
        """Return why an action cannot be done now, in one line; None when it can."""
        why = self.REFUSALS.get(action_id)
        return why(self) if why else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell Textual whether an action can be done; None shows it dim."""
        action_id = _ids(self.SCREEN, self.PANE).get(action) or _ids(EVERYWHERE, "").get(action)
        if action_id is not None and self.refusal(action_id):
            return None
        return True


class Pane(Acting):
    """Mixed into a widget that takes the focus: it has a name, a title and a text of help."""

    TITLE: ClassVar[str] = ""
    HELP_TEXT: ClassVar[str] = ""
    DEFAULT_CLASSES: ClassVar[str] = "pane"
    _frame: tuple[str, str] = ("", "")

    def frame(self, title: str, subtitle: str = "") -> None:
        """Write on the border of the pane; Textual draws the whole pane again for it, so only when it is new."""
        if (title, subtitle) == self._frame:
            return
        self._frame = title, subtitle
        pane: Any = self
        pane.border_title, pane.border_subtitle = Content(title), Content(subtitle)


def offered(screen: str) -> Sequence[Action]:
    """Return the actions that can be asked for on a screen, those of every pane included, its own first."""
    found = [action for action in ACTIONS if action.screen in {screen, EVERYWHERE} and not is_move(action)]
    return sorted(found, key=lambda action: action.screen == EVERYWHERE)


def is_move(action: Action) -> bool:
    """Tell whether an action only walks through a list, which nobody looks for by its name."""
    return action.run.startswith("go_")


def node_of(app: App[Any], screen: Screen[Any], action: Action) -> DOMNode | None:
    """Return who carries out an action on a screen; None when it is not there."""
    from textual.widget import Widget

    if action.action.startswith("app."):
        return app
    if not action.pane or action.action.startswith("screen."):
        return screen
    panes = (node for node in screen.query(Widget) if isinstance(node, Pane) and action.pane == node.PANE)
    return next(panes, None)


def why_not(app: App[Any], screen: Screen[Any], action: Action, keys: Mapping[str, str]) -> str | None:
    """Return why an action cannot be done now; None when it can. `keys` are those of all actions by their ids."""
    node = node_of(app, screen, action)
    if node is None:
        return "not on this screen"
    reason = node.refusal(action.id) if isinstance(node, Acting) else None
    return filled(reason, keys) if reason else None
