"""Choosing a song's file: textual-fspicker's dialog with signs of one cell and room on a small screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.widgets import Input
from textual_fspicker import FileOpen, Filters, Icons
from textual_fspicker.parts.current_directory import CurrentDirectory
from textual_fspicker.parts.directory_navigation import DirectoryEntry, DirectoryNavigation

from covermaker.audio.names import is_audio
from covermaker.tui.words import spelt

if TYPE_CHECKING:
    from textual import events

    from covermaker.tui.app import Studio


class SongPicker(FileOpen):
    """Returns the file, or nothing. What is typed goes into the field of the path."""

    app: Studio

    FOOTER: ClassVar = (
        ("up down", "Choose"), ("enter", "Open"), ("type", "A path"), ("backspace", "Above"),
        ("esc", "Cancel"),
    )  # fmt: skip

    def __init__(self, place: Path, title: str = "Add a song") -> None:
        Icons.set_picker(_sign)
        DirectoryEntry.LINK_ICON = Text("@")  # type: ignore[misc]  # there is no setter, as for the others
        filters = Filters(("Sound", is_audio), ("All files", lambda _: True))
        super().__init__(place, title, open_button="Add", filters=filters)

    def on_mount(self) -> None:
        """Spell the ellipsis of a long folder's name in the character set of the terminal."""
        place = self.query_one(CurrentDirectory)
        charset = self.app.charset
        self.watch(place, "current_directory", lambda: place.update(spelt(str(place.content), charset)))

    def on_key(self, event: events.Key) -> None:
        """Go to the field with what is typed in the list, and back to the list with the arrow."""
        field, listing = self.query_one(Input), self.query_one(DirectoryNavigation)
        if self.focused is listing and event.is_printable and event.character and event.character != " ":
            event.stop()
            field.select_on_focus = False  # what is typed next goes behind it
            field.focus()
            field.insert_text_at_cursor(event.character)
        elif self.focused is field and event.key == "down":
            event.stop()
            listing.focus()


def _sign(place: str | Path) -> Text:
    """Return a slash for a folder: emoji are two cells wide in some terminals and one in others."""
    try:
        return Text("/" if Path(place).is_dir() else " ")
    except OSError:
        return Text("!")
