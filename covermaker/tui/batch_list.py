"""The panes of the Batch screen: the queue, what there is to say of one song, where songs run, the log, the sums."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rich.text import Text
from textual.widget import Widget

from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Column, Listing, Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.tui.batch_shown import Shown
    from covermaker.tui.listing import Cell


# Cells of a title that are enough, and those that a state has use for beside its own.
_TITLE: Final = 20
_MORE: Final = 22


class Queue(Pane, Listing[int], inherit_bindings=False):
    """The songs of a queue, by their numbers."""

    SCREEN = "batch"
    PANE = "jobs"
    TITLE = "Queue"
    HELP_TEXT = (
        "This studio's renders, one after another, which end with it; or a batch, which a process of its own works on, "
        "also while the studio is closed. {batch.choose} chooses which queue is shown, {batch.begin} begins a batch. "
        "{batch.pause} finishes what runs and begins no next; where nobody works on a batch it goes on. "
        "{batch.earlier} and {batch.later} change the order of those that wait, {batch.retry} does again what failed, "
        "in a new process where nobody works on the batch: steps that were finished are kept."
    )
    BINDINGS = bindings("batch", "jobs")
    COLUMNS = (
        Column("number", "#", 5, right=True, from_width=46),
        Column("song", "Song", 12, flexible=True),
        Column("voice", "Voice", 9, from_width=66),
        Column("preset", "Preset", 10, from_width=98),
        Column("where", "Where", 9, from_width=98),
        Column("state", "State", 26),
        Column("loudness", "Loudness", 10, from_width=62, right=True),
        Column("time", "Time", 5, from_width=52, right=True),
        Column("tries", "Try", 3, from_width=98, right=True),
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(self._cells, id=id)
        self.shown: Shown | None = None

    def widths(self) -> list[tuple[Column, int]]:
        """Give the state what titles do not need: it tells why something failed."""
        found = super().widths()
        spare = max(0, sum(width - _TITLE for column, width in found if column.flexible))
        more = {"song": -min(spare, _MORE), "state": min(spare, _MORE)}
        return [(column, width + more.get(column.name, 0)) for column, width in found]

    def _cells(self, row: int) -> Sequence[Cell]:
        found = self.shown.cells(row, self.app.charset, time.time()) if self.shown is not None else {}
        return [found.get(column.name, ("", "")) for column in self.COLUMNS]

    def refusal(self, action_id: str) -> str | None:
        """Say why nothing can be opened."""
        if action_id != "batch.open":
            return None
        if self.selected is None or self.shown is None:
            return "there is no song here"
        return None if self.shown.project(self.selected) is not None else "its project is not made yet"

    def action_open(self) -> None:
        """Open the song's project."""
        self.post_message(self.Opened())


class JobDetails(Pane, Reader, inherit_bindings=False):
    """What there is to say of the selected song."""

    SCREEN = "batch"
    PANE = "details"
    TITLE = "Details"
    HELP_TEXT = (
        "How it stands with the selected song: why it failed, what to do next, which steps are kept, each try, and "
        "where the log is. {studio.log} shows what all jobs of this studio said."
    )
    BINDINGS = bindings("batch", "details")


class Places(Pane, Reader, inherit_bindings=False):
    """Where the songs of a batch run."""

    SCREEN = "batch"
    PANE = "places"
    TITLE = "Places"
    HELP_TEXT = (
        "Workers of this machine, or nodes of a cluster, and what runs on each. How many there are is said when a "
        "batch is begun: covermaker batch --help."
    )
    BINDINGS = bindings("batch", "places")


class Lines(Pane, Reader, inherit_bindings=False):
    """The last lines of a batch's log."""

    SCREEN = "batch"
    PANE = "log"
    TITLE = "Log"
    HELP_TEXT = "What the batch said last. All of it: covermaker batch status --follow."
    BINDINGS = bindings("batch", "log")


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
