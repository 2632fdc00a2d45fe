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
        "would change. The title names the preset that comes nearest."
    )
    BINDINGS = bindings("rack", "chain")
    COLUMNS = (
        Column("number", "#", 2, right=True),
        Column("effect", "Effect", 10, flexible=True),
        Column("on", "On", 3),
        Column("figure", "Value", 9, right=True),
        Column("down", "Down", 8, from_width=42, right=True),
    )

    class Edit(Message):
        """The parameters of the effect are wanted."""

    def refusal(self, action_id: str) -> str | None:
        """Say why there is nothing to go to."""
        return EMPTY if action_id == "rack.edit" and self.selected is None else None

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
