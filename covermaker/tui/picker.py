"""Choosing songs: textual-fspicker's dialog with signs of one cell, marks, and room on a small screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.widgets import Button, Input
from textual_fspicker import FileOpen, Filters, Icons
from textual_fspicker.base_dialog import Dialog
from textual_fspicker.parts.current_directory import CurrentDirectory
from textual_fspicker.parts.directory_navigation import DirectoryEntry, DirectoryNavigation

from covermaker.audio.names import is_audio
from covermaker.tui.actions import Acting
from covermaker.tui.keymap import bindings
from covermaker.tui.words import count, spelt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events

    from covermaker.tui.app import Studio


def pick(
    app: Studio,
    place: Path,
    title: str,
    then: Callable[[Sequence[Path]], object],
    *,
    sought: tuple[str, Callable[[Path], bool]] = ("Sound", is_audio),
    is_whole: Callable[[Path], bool] = lambda _: False,
) -> None:
    """Let files and folders be chosen; `then` gets them, at least one.

    `sought` is what is shown of files first. A folder that `is_whole` is taken where its path is typed; others open.
    """
    picker = SongPicker(place, title, sought, is_whole)

    def picked(file: Path | None) -> None:
        if file is not None:
            then([*(one for one in picker.marked if one != file), file])

    app.push_screen(picker, picked)


class SongPicker(Acting, FileOpen):
    """Returns the last of the chosen files and folders, or nothing; `marked` holds the others.

    What is typed goes into the field of the path.
    """

    app: Studio

    SCREEN = "picker"
    BINDINGS = bindings("picker")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-short")]  # noqa: RUF012  # as Textual types it
    FOOTER: ClassVar = (
        ("enter", "Open"), ("{picker.mark}", "Mark"), ("{picker.add}", "Add"), ("{picker.here}", "This folder"),
        ("type", "A path"), ("backspace", "Up"), ("esc", "Cancel"),
    )  # fmt: skip

    def __init__(
        self,
        place: Path,
        title: str = "Add songs",
        sought: tuple[str, Callable[[Path], bool]] = ("Sound", is_audio),
        is_whole: Callable[[Path], bool] = lambda _: False,
    ) -> None:
        self.marked: list[Path] = []
        self._is_whole = is_whole
        Icons.set_picker(self._sign)
        DirectoryEntry.LINK_ICON = Text("@")  # type: ignore[misc]  # there is no setter, as for the others
        filters = Filters(sought, ("All files", lambda _: True))
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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the letters of a path to its field."""
        if action in ("up", "down", "mark", "add", "here"):
            return isinstance(self.focused, DirectoryNavigation)
        return super().check_action(action, parameters)

    def _selected(self) -> Path | None:
        """Return the file or folder under the cursor; None for the way up."""
        listing = self.query_one(DirectoryNavigation)
        entry = listing.highlighted_option
        return entry.location if isinstance(entry, DirectoryEntry) and entry.location.name != ".." else None

    def action_up(self) -> None:
        """Go up: at once, so that a key that follows in the same moment is for the row that is gone to."""
        self.query_one(DirectoryNavigation).action_cursor_up()

    def action_down(self) -> None:
        """Go down, as at once."""
        self.query_one(DirectoryNavigation).action_cursor_down()

    def action_mark(self) -> None:
        """Mark the file or folder under the cursor, or not, and go on to the next."""
        path, listing = self._selected(), self.query_one(DirectoryNavigation)
        if path is None:
            self._set_error("only what is in this folder can be marked")
            return
        self.marked.remove(path) if path in self.marked else self.marked.append(path)
        entry, at = listing.highlighted_option, listing.highlighted
        assert isinstance(entry, DirectoryEntry)
        assert at is not None
        listing.replace_option_prompt_at_index(at, entry._as_renderable(path))
        listing.action_cursor_down() if at + 1 < listing.option_count else None
        self._tell_marked()

    def action_add(self) -> None:
        """Choose what is marked, else what is under the cursor: of a folder, what is in it."""
        path = self.marked[-1] if self.marked else self._selected()
        if path is None:
            self._set_error("go to a file or a folder first, or mark some")
        else:
            self.dismiss(path)

    def action_here(self) -> None:
        """Choose the folder that is open."""
        self.dismiss(self.query_one(DirectoryNavigation).location)

    @on(Input.Submitted)
    def _take_whole(self, event: Input.Submitted) -> None:
        """Take a typed folder that is wanted as a whole; any other one is opened."""
        typed = event.value.strip()
        if not typed:
            return
        try:
            path = (self.query_one(DirectoryNavigation).location / Path(typed).expanduser()).resolve()
        except (OSError, RuntimeError, ValueError):
            return  # said by who opens it
        if self._is_whole(path):
            event.stop()
            event.prevent_default()
            self.dismiss(path)

    @on(Button.Pressed, "#select")
    def _add_marked(self, event: Button.Pressed) -> None:
        """Add what is marked where no path was typed."""
        if self.marked and not self.query_one(Input).value:
            event.stop()
            event.prevent_default()
            self.action_add()

    def _tell_marked(self) -> None:
        dialog = self.query_one(Dialog)
        add = self.app.named("{picker.add} adds")
        them = "it" if len(self.marked) == 1 else "them"
        marked = f", {count(len(self.marked), 'marked', 'marked')}: {add} {them}" if self.marked else ""
        dialog.border_title = f"{self._title}{marked}"
        self._set_error()

    def _sign(self, place: str | Path) -> Text:
        """Return a star for what is marked and a slash for a folder: emoji are one cell wide or two."""
        path = Path(place)
        star = "*" if path in self.marked else " "
        try:
            return Text(star + ("/" if path.is_dir() else " "))
        except OSError:
            return Text(f"{star}!")
