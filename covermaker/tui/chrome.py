"""What frames every screen: the tabs above, the line of words and the keys below, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from rich.cells import cell_len
from rich.text import Text
from textual.screen import ModalScreen
from textual.widget import Widget

from covermaker.tui.keymap import BY_ID, shown, textual_key
from covermaker.tui.keytable import ACTIONS, EVERYWHERE, SEATS
from covermaker.tui.words import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import ActiveBinding

    from covermaker.tui.app import Studio
    from covermaker.tui.keytable import Action

MOST_KEYS = 9

# Keys, which may be named by their actions, and what they do.
Footer: TypeAlias = "Sequence[tuple[str, str]]"
_CHOOSING: Footer = (("type", "Find"), ("up down", "Choose"), ("enter", "Take"), ("esc", "Back"))

_ORDER = {action.id: index for index, action in enumerate(ACTIONS)}


def _place(action_id: str) -> tuple[bool, bool, int]:
    """Return what sorts actions: those of a pane, then of a screen, then those of everywhere."""
    action = BY_ID[action_id]
    return action.screen == EVERYWHERE, not action.pane, _ORDER[action_id]


def _usual_label(action: Action) -> str:
    return action.group or action.label


class Line(Widget):
    """One line with places that can be clicked."""

    app: Studio

    DEFAULT_CSS = "Line { height: 1; width: 100%; }"
    ALLOW_SELECT = False
    can_focus = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[tuple[int, int, str, str]] = []

    def on_mount(self) -> None:
        """Be drawn anew when the screen is in front again: other words and keys may hold by then."""
        self.watch(self.screen, "stack_updates", self._in_front_again, init=False)

    def _in_front_again(self) -> None:
        self.refresh()

    def place(self, start: int, text: str, key: str, tooltip: str) -> None:
        """Make a stretch of the line press a key when it is clicked."""
        self._places.append((start, start + cell_len(text), key, tooltip))

    def _at(self, x: int) -> tuple[str, str] | None:
        return next(((key, tip) for start, stop, key, tip in self._places if start <= x < stop), None)

    def on_click(self, event: events.Click) -> None:
        """Press the key that is shown there."""
        found = self._at(event.x)
        if found:
            self.app.simulate_key(found[0])

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell what the key does."""
        found = self._at(event.x)
        tooltip = self.app.named(found[1]) if found else None
        if tooltip != self.tooltip:
            self.tooltip = tooltip


class Tabs(Line):
    """The screens by their digits, and what runs."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tabs--here", "tabs--status"}

    def render(self) -> Text:
        """Draw the line."""
        self._places.clear()
        width = self.size.width
        here = self.app.current_mode
        tabs = Text(" ")
        if width >= 100:
            tabs.append("covermaker ", "bold")
        # Below 60 columns the names do not fit: the digits alone, and the name of the screen that is open.
        for seat in SEATS:
            label = f"{seat.key} {seat.label}" if width >= 60 or seat.name == here else seat.key
            text = f"[{label}]" if seat.name == here else f" {label} " if width >= 66 else f" {label}"
            style = self.get_component_rich_style("tabs--here", partial=True) if seat.name == here else ""
            self.place(tabs.cell_len, text, seat.key, BY_ID[f"studio.{seat.name}"].tooltip)
            tabs.append(text, style)
        room = width - tabs.cell_len - 2
        status = self.app.status(room)
        if status and room > 6:
            shown_ = cut(status, room, self.app.charset)
            tabs.append(" " * (width - tabs.cell_len - cell_len(shown_) - 1))
            tabs.append(shown_, self.get_component_rich_style("tabs--status", partial=True))
        tabs.truncate(width)
        return tabs


class StatusLine(Line):
    """What happened last, and how to take it back."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status--quiet",
        "status--failed",
        "status--stale",
        "status--done",
        "status--run",
    }

    def render(self) -> Text:
        """Draw the line."""
        self._places.clear()
        width = self.size.width
        words, tone = self.app.last_words()
        undo = self.app.undo_words()
        key = self.app.named("{studio.undo}")
        right = f"{key} Undo: {undo} " if undo else ""
        if undo in words or cell_len(words) + cell_len(right) + 2 > width:  # what is new goes first
            right = f"{key} Undo " if undo else ""
        room = max(0, width - cell_len(right) - 2)
        text = cut(words, room, self.app.charset)
        style = self.get_component_rich_style(f"status--{tone or 'quiet'}", partial=True)
        line = Text(" ").append(text, style)
        if right:
            line.append(" " * max(1, width - line.cell_len - cell_len(right)))
            self.place(line.cell_len, right, textual_key(key), BY_ID["studio.undo"].tooltip)
            line.append(right, self.get_component_rich_style("status--quiet", partial=True))
        line.truncate(width)
        return line


class Keys(Line):
    """The keys that can be pressed now: those of the focused pane first, help always last."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key", "keys--label", "keys--off"}

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> Text:
        """Draw the line."""
        self._places.clear()
        line, width = Text(" "), self.size.width
        said = self._of_dialog()
        if said:
            for key, label in said:
                line.append(self.app.named(key), self.get_component_rich_style("keys--key", partial=True))
                line.append(f" {label}  ", self.get_component_rich_style("keys--label", partial=True))
            line.truncate(width)
            return line
        items = self._items()
        help_ = next((item for item in items if item.binding.id == "studio.help"), None)
        rest = [item for item in items if item is not help_]
        tail = self._texts([help_]) if help_ else []
        room = width - 2 - sum(cell_len(key + label) + 2 for key, label, _, _ in tail)
        for key, label, binding, tooltip in self._texts(rest)[: MOST_KEYS - len(tail)]:
            size = cell_len(key + label) + 2
            if size <= room:
                room -= size
                self._put(line, key, label, binding, tooltip)
        for key, label, binding, tooltip in tail:
            self._put(line, key, label, binding, tooltip)
        line.truncate(width)
        return line

    def _of_dialog(self) -> Footer:
        """Return what the keys do while a dialog lies over the screen, or while a value is typed; else nothing."""
        top: object = self.app.screen
        if top is not self.screen and isinstance(top, ModalScreen):
            return getattr(top, "FOOTER", _CHOOSING)
        return getattr(self.screen.focused, "footer", ())

    def _items(self) -> list[ActiveBinding]:
        """Return what is shown, once an action, in the order of the table: a user's own keys change no place."""
        found: dict[str, ActiveBinding] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.id in BY_ID and self._label(binding.id):
                found.setdefault(binding.id, active)
        return [found[name] for name in sorted(found, key=_place)]

    def _texts(self, items: list[ActiveBinding]) -> list[tuple[str, str, ActiveBinding, str]]:
        """Return key, label, binding and tooltip of each action; a group's keys stand together."""
        texts: list[tuple[str, str, ActiveBinding, str]] = []
        for active in items:
            binding = active.binding
            key, action = shown(binding.key), BY_ID[binding.id or ""]
            label = self._label(action.id)
            if action.group and texts and texts[-1][1] == f" {label}":
                first = texts[-1]
                texts[-1] = (f"{first[0]} {key}", first[1], first[2], first[3])
                continue
            texts.append((key, f" {label}", active, action.tooltip))
        return texts

    def _label(self, action_id: str) -> str:
        """Return what the screen calls an action now; "" leaves it out."""
        label: str = getattr(self.screen, "label_of", _usual_label)(BY_ID[action_id])
        return label

    def _put(self, line: Text, key: str, label: str, active: ActiveBinding, tooltip: str) -> None:
        off = not active.enabled
        self.place(line.cell_len, key + label, active.binding.key, tooltip)
        dim = self.get_component_rich_style("keys--off", partial=True)
        line.append(key, dim if off else self.get_component_rich_style("keys--key", partial=True))
        line.append(label, dim if off else self.get_component_rich_style("keys--label", partial=True))
        line.append("  ")
