"""The panes of the Batch screen: the queue, what there is to say of one render, and the sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widget import Widget

from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Column, Listing, Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY = "No renders yet. {batch.add} adds every stale song, {library.render} in the Library one."


class Queue(Pane, Listing[int], inherit_bindings=False):
    """The renders, by their ids."""

    SCREEN = "batch"
    PANE = "jobs"
    TITLE = "Queue"
    HELP_TEXT = (
        "Renders of this session, one after another. {batch.pause} finishes the running one and begins no next. "
        "{batch.earlier} and {batch.later} change the order of those that wait, {batch.retry} does again what failed: "
        "steps that were finished are kept. The list lives as long as the studio."
    )
    BINDINGS = bindings("batch", "jobs")
    COLUMNS = (
        Column("number", "#", 3, right=True, from_width=46),
        Column("song", "Song", 12, flexible=True),
        Column("voice", "Voice", 9, from_width=66),
        Column("state", "State", 27),
        Column("loudness", "Loudness", 10, from_width=62, right=True),
        Column("time", "Time", 5, from_width=52, right=True),
    )

    def refusal(self, action_id: str) -> str | None:
        """Say why nothing can be opened."""
        if action_id == "batch.open" and self.selected is None:
            return "there is no render here: {batch.add} adds every stale song"
        return None

    def action_open(self) -> None:
        """Open the song's project."""
        self.post_message(self.Opened())


class JobDetails(Pane, Reader, inherit_bindings=False):
    """What there is to say of the selected render."""

    SCREEN = "batch"
    PANE = "details"
    TITLE = "Render"
    HELP_TEXT = (
        "How the selected render goes, or went: why it failed, what to do next, which steps are kept, and where the "
        "log is. {studio.log} shows what all jobs said."
    )
    BINDINGS = bindings("batch", "details")


class Sums(Widget):
    """Two lines: a bar with numbers, and how long it takes."""

    DEFAULT_CSS = "Sums { height: 2; padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[tuple[str, str]] = ()

    def show(self, lines: Sequence[tuple[str, str]]) -> None:
        """Take lines with their Rich styles."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render(self) -> Text:
        """Draw the lines."""
        return Text("\n", no_wrap=True, overflow="ellipsis").join(
            Text(text, style, no_wrap=True) for text, style in self._lines
        )
