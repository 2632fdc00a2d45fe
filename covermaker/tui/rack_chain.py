"""The pane of a rack's effects, in the order in which the sound goes through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Cell, Column, Listing

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY = "no effects yet: {rack.add} adds one"
READING = "reading the rack"


@dataclass(frozen=True)
class Link:
    """A row: an effect as the list shows it. `down_db` is the most that it turned the loop down, if it does such."""

    number: int
    effect: str
    on: bool
    figure: str
    down_db: float | None = None


class Chain(Pane, Listing[Link], inherit_bindings=False):
    """The list."""

    SCREEN = "rack"
    PANE = "chain"
    TITLE = "Effects"
    HELP_TEXT = (
        "The sound goes through the effects from the first to the last. {rack.add} adds one behind the selected one, "
        "{rack.remove} takes it out, {rack.move-down} and {rack.move-up} move it, {rack.toggle} turns it off and on. "
        "{rack.edit} goes to its parameters. {rack.owner-previous} and {rack.owner-next} go to the racks of the other "
        "tracks, of the buses and of the master. {rack.preset} puts a preset on it, {rack.compare} shows what that "
        "would change. The title names the preset that it began with, or that comes nearest, and counts what that "
        "would change: effects, sends, buses."
    )
    BINDINGS = bindings("rack", "chain")
    COLUMNS = (
        Column("number", "#", 2, right=True),
        Column("effect", "Effect", 10, flexible=True),
        Column("on", "On", 3),
        Column("figure", "Value", 9, right=True),
        Column("down", "Down", 8, from_width=42, right=True),
    )

    is_reading = True
    _ahead = 0

    class Edit(Message):
        """The parameters of the effect are wanted."""

    def refusal(self, action_id: str) -> str | None:
        """Say why there is nothing to go to."""
        if action_id != "rack.edit" or self.selected is not None:
            return None
        return READING if self.is_reading else EMPTY

    def show_read(self, links: Sequence[Link]) -> None:
        """Show the effects; the cursor goes as far as keys have said while they were being read."""
        self.is_reading = False
        self.show(links)
        ahead, self._ahead = self._ahead, 0
        if ahead:
            self.cursor = ahead

    def show_reading(self) -> None:
        """Say that the effects are being read."""
        self.is_reading, self._ahead = True, 0
        self.empty_text = self.app.spelt(f"{READING}…")
        self.show(())

    def action_go_down(self) -> None:
        """Go down; also while there is no row yet."""
        self._ahead += self.is_reading
        super().action_go_down()

    def action_go_up(self) -> None:
        """Go up; also while there is no row yet."""
        self._ahead = max(0, self._ahead - self.is_reading)
        super().action_go_up()

    def action_edit(self) -> None:
        """Go to the parameters."""
        self.post_message(self.Edit())


def cells(link: Link) -> Sequence[Cell]:
    """Return the cells of a row."""
    tone = "" if link.on else "quiet"
    down = "" if link.down_db is None else f"-{link.down_db:.1f} dB" if link.down_db >= 0.05 else "0.0 dB"
    return (
        (str(link.number), tone),
        (link.effect, tone),
        ("on" if link.on else "off", "done" if link.on else "stale"),
        (link.figure, tone),
        (down, "quiet"),
    )
