"""The panes of the library: the list of songs, and what there is to say of one."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.widgets import Input

from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Column, Listing, Reader

EMPTY = "No songs yet. {library.add} adds a file, or drop a path here."
NO_MATCH = "No song matches. {library.clear} shows all."


class Songs(Pane, Listing[Path], inherit_bindings=False):
    """The list."""

    SCREEN = "library"
    PANE = "songs"
    TITLE = "Songs"
    HELP_TEXT = (
        "One line a song. Done: the last render is what the project says. Stale: something changed since, the pane "
        "beside or below says what. {library.mark} marks "
        "several for {library.render} (render) and {library.remove} (remove)."
    )
    BINDINGS = bindings("library", "songs")
    COLUMNS = (
        Column("title", "Title", 12, flexible=True),
        Column("artist", "Artist", 11, from_width=76),
        Column("length", "Len", 5, right=True),
        Column("key", "Key", 4, from_width=66),
        Column("tempo", "BPM", 4, from_width=66, right=True),
        Column("stems", "Stems", 5, from_width=72),
        Column("voice", "Voice", 8, from_width=60),
        Column("state", "State", 17),
    )

    def refusal(self, action_id: str) -> str | None:
        """Say why a song cannot be opened."""
        if action_id in {"library.open", "library.mark"} and self.selected is None:
            return "there is no song here: {library.add} adds one"
        return None

    def action_open(self) -> None:
        """Open the song's project."""
        self.post_message(self.Opened())

    def action_mark(self) -> None:
        """Mark the song or take the mark away, and go to the next."""
        if self.selected is not None:
            self.marked ^= {self.selected}
            self.redraw(self.cursor)
            self.cursor += 1
            self.post_message(self.Moved())


class Details(Pane, Reader, inherit_bindings=False):
    """What there is to say of the selected song."""

    SCREEN = "library"
    PANE = "details"
    TITLE = "Details"
    HELP_TEXT = "The song, what changed since its last render, what a render would make again, and what came out last."
    BINDINGS = bindings("library", "details")


class Filter(Input):
    """Where the filter is typed; hidden until it is asked for."""

    BINDINGS: ClassVar = []
