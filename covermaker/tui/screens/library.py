"""The Library: which songs there are, which are stale and why; adding, rendering and removing them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.containers import Container
from textual.message import Message
from textual.widgets import Input

from covermaker.tui import library_refusals
from covermaker.tui.changes import Change, Outcome, removed_words
from covermaker.tui.choose import choose
from covermaker.tui.details import Look, details
from covermaker.tui.job_board import PAUSED
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Listing, Reader
from covermaker.tui.screens.adding import AddingScreen
from covermaker.tui.shelf import SORTS
from covermaker.tui.songlist import EMPTY, NO_MATCH, Details, Filter, Songs
from covermaker.tui.toast import begun_words
from covermaker.tui.words import ago, count, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from covermaker.project.library import Trashed
    from covermaker.project.load import Project
    from covermaker.tui.job_board import Job

_TALL = 14


class LibraryScreen(AddingScreen, inherit_bindings=False):
    """The songs of a folder."""

    SCREEN = "library"
    REFUSALS = library_refusals.REFUSALS
    BINDINGS = bindings("library")

    @dataclass
    class TrashRead(Message):
        """The trash was read: as the studio begins, or for a choice of what comes back."""

        found: list[Trashed]
        is_first: bool

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        # The song that was changed last on another screen, and what undo would take back here then.
        self._edited: tuple[str, Change | None] = ("", None)

    def compose_body(self) -> ComposeResult:
        """Build list and details."""
        with Container(id="library"):
            yield Songs(lambda folder: self.shelf.cells(folder, self.app.charset), id="songs")
            yield Details(id="details")
        yield Container(id="hearing")
        yield Filter(placeholder="filter: title, artist, voice or state", id="filter", compact=True)

    def on_mount(self) -> None:
        """Begin to read the folder."""
        self.query_one("#filter").display = False
        self.query_one(Songs).frame("Songs")
        self._read_trash(is_first=True)

    # Showing

    def show(self, selected: Path | None = None) -> None:
        """Show the songs anew; the cursor goes to `selected`."""
        songs = self.query_one(Songs)
        songs.hidden = self.shelf.empty()
        songs.show(self.shelf.visible(), keep=lambda folder: folder == selected)
        self.count_stale()
        self.subtitle()
        self.show_details()

    def subtitle(self) -> None:
        """Write how many there are."""
        songs = self.query_one(Songs)
        parts = [count(len(songs.items), "song")]
        if self.stale:
            parts.append(f"{self.stale} stale")
        if songs.marked:
            parts.append(f"{len(songs.marked)} marked")
        filtered = f"filter: {self.shelf.filter}  " if self.shelf.filter else ""
        songs.frame("Songs: " + ", ".join(parts), f"{filtered}sort: {self.shelf.sort}")

    def show_details(self) -> None:
        """Show all about the song under the cursor."""
        pane, folder = self.query_one(Details), self.query_one(Songs).selected
        self.show_hearing()
        if folder is None or folder not in self.shelf.songs:
            pane.write(
                f"No song is selected.\n\nThe library is {self.root}" if self.shelf.songs else self._welcome()
            )
            return
        song = self.shelf.songs[folder]
        state, job = self.shelf.states.get(folder), self.job_of(folder)
        pane.write(details(song, state, job, self._look(pane)), about=str(folder))

    def _welcome(self) -> str:
        return f"The library is {self.root}\n\n" + self.app.named(
            "{library.add} chooses a song, or drop a file here. {library.render} renders it: separates, sings, "
            "mixes and masters.\n{studio.help} shows every key."
        )

    def _look(self, pane: Details) -> Look:
        width = max(20, pane.text_width)
        return Look(
            self.app.charset,
            self.app.state_styles(),
            width,
            self.app.named,
            tall=pane.size.height >= _TALL,
            now=time.time(),
        )

    @on(Reader.Reshaped)
    def _reshaped(self) -> None:
        self.show_details()

    @on(events.Resize)
    def _resized(self) -> None:
        self.call_after_refresh(self.show_details)
        self.call_after_refresh(self._want_wave)

    def jobs_changed(self) -> None:
        """Draw the rows of what runs."""
        self.query_one(Songs).redraw()
        self.count_stale()
        self.show_details()
        self.refresh_bindings()

    def shows(self, job: Job) -> bool:
        """Tell whether a row is about it, and the details where it failed."""
        folder = Path(job.subject)
        return folder == self.selected or (job.state != "failed" and folder in self.query_one(Songs).items)

    @on(Listing.Moved)
    def _moved(self) -> None:
        self.show_details()
        self.subtitle()
        self.look_at_selected()
        self.refresh_bindings()

    @on(Listing.Opened)
    def _opened(self) -> None:
        folder = self.query_one(Songs).selected
        if folder is not None:
            self.app.open_project(folder)

    @on(Listing.HeaderClicked)
    def _header(self, message: Listing.HeaderClicked) -> None:
        if message.column in SORTS:
            self._sort(message.column)

    # Actions

    def no_stale_at_all(self) -> str | None:
        """Say why there is nothing stale to render, in the list or hidden by the filter."""
        return None if self.stale_in_all else library_refusals.NOTHING_STALE

    def chosen(self) -> list[Path]:
        """Return the marked songs, in the order of the list, or the one under the cursor."""
        songs = self.query_one(Songs)
        marked = [folder for folder in songs.items if folder in songs.marked]
        return marked or ([songs.selected] if songs.selected is not None else [])

    def is_busy(self, folder: Path) -> bool:
        """Whether a song is being rendered, or waits for it."""
        job = self.job_of(folder)
        return job is not None and not job.is_over

    def action_render(self) -> None:
        """Render the selection."""
        sound = [folder for folder in self.chosen() if not self.shelf.songs[folder].problem]
        self._render_folders(sound, "none of these songs can be rendered")

    def action_render_stale(self) -> None:
        """Render everything stale in the list, one after another."""
        self._render_folders(self.shelf.stale(), library_refusals.NOTHING_STALE)

    def render_all_stale(self) -> None:
        """Render everything stale, what the filter hides too."""
        self._render_folders(self.shelf.stale(hidden=True), library_refusals.NOTHING_STALE)

    def _render_folders(self, folders: Sequence[Path], why_none: str) -> None:
        free = [folder for folder in folders if not self.is_busy(folder)]
        jobs = [self.app.render_project(folder, self.shelf.songs[folder].title) for folder in free]
        if len(jobs) > 1:
            how = PAUSED if jobs[0].is_held else "one after another"
            self.app.say(f"{count(len(jobs), 'song')} to render, {how}", "run")
        elif jobs:
            self.app.say(begun_words(jobs[0]), "run")
        else:
            self.app.say(why_none, "stale")
        self.count_stale()
        self._clear_marks()

    def action_cancel(self) -> None:
        """Stop the selection's jobs."""
        for folder in self.chosen():
            job = self.job_of(folder)
            if job is not None and not job.is_over:
                self.app.runner.cancel(job)

    def action_remove(self) -> None:
        """Move the selection to the trash."""
        chosen = self.chosen()
        words = removed_words([self.shelf.songs[folder].title for folder in chosen])
        self._clear_marks()
        self._say(self.changes.remove(chosen, words))

    def action_trash(self) -> None:
        """Choose what comes back from the trash."""
        self._read_trash(is_first=False)

    @work(thread=True, group="trash", exit_on_error=False)
    def _read_trash(self, *, is_first: bool) -> None:
        self.post_message(self.TrashRead(self.changes.contents(), is_first))

    @on(TrashRead)
    def _trash_read(self, message: TrashRead) -> None:
        if message.is_first:
            self.changes.know(message.found)
            self.redraw_frame()
        else:
            self._choose_from(message.found)

    def _choose_from(self, found: list[Trashed]) -> None:
        if not found:
            self.app.say("the trash is empty", "stale")
            return
        now = time.time()
        by_label = {f"{one_line(one.title)}  ({one_line(one.name)})": one for one in reversed(found)}
        rows = [(label, f"removed {ago(now - one.seconds)}") for label, one in reversed(by_label.items())]
        choose(
            self.app, "what to bring back from the trash", rows, lambda label: self._restore(by_label[label])
        )

    def _restore(self, one: Trashed) -> None:
        self._say(self.changes.restore(one))

    def undo_words(self) -> str:
        """Return what undo takes back."""
        return self.changes.undo_words

    def redo_words(self) -> str:
        """Return what redo does again."""
        return self.changes.redo_words

    def no_undo(self) -> str | None:
        """Say that a song stays where it is while it is rendered."""
        busy = any(self.is_busy(folder) for folder in self.changes.undo_removes)
        return library_refusals.BUSY if busy else None

    def no_redo(self) -> str | None:
        """Say that a song stays where it is while it is rendered."""
        busy = any(self.is_busy(folder) for folder in self.changes.redo_removes)
        return library_refusals.BUSY if busy else None

    def saved_elsewhere(self, project: Project) -> None:
        """Remember which song was changed on another screen: whoever presses undo may mean that."""
        self._edited = (project.cover.title, self.changes.last)

    def _elsewhere(self) -> str:
        """Say where the last change is undone that was made on another screen, after all that undo knows here."""
        title, last = self._edited
        is_last = bool(title) and last is self.changes.last
        return f"what was changed in {one_line(title)} is undone on its own screen" if is_last else ""

    def nothing_to_undo(self) -> str:
        """Say where the last change can be taken back, when it was made on another screen."""
        elsewhere = self._elsewhere()
        return f"nothing to undo here: {elsewhere}" if elsewhere else super().nothing_to_undo()

    def undo(self) -> None:
        """Take the last change back; after one on another screen, which may be meant, only the second time."""
        elsewhere = self._elsewhere()
        if elsewhere:
            self._edited = ("", None)
            words = f"{{studio.undo}} again undoes here: {self.changes.undo_words}; {elsewhere}"
            self.app.say(words, "stale")
            self.app.notify(self.app.named(words), severity="warning", markup=False)
            return
        self._say(self.changes.undo())

    def redo(self) -> None:
        """Do again what was undone."""
        self._say(self.changes.redo())

    def _say(self, outcome: Outcome) -> None:
        """Show what became of a change."""
        if outcome.words:
            self.app.say(outcome.words)
            self.read_folder(outcome.select)
        if outcome.problem:
            self.app.say(outcome.problem, "failed")
            self.app.notify(outcome.problem, severity="error", markup=False)

    def action_filter(self) -> None:
        """Type a filter."""
        box = self.query_one("#filter", Filter)
        box.display = True
        self.set_focus(box)  # at once: what is typed next is the filter

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        selected = self.query_one(Songs).selected
        self.shelf.filter = event.value.strip()
        self.query_one(Songs).empty_text = self.app.named(NO_MATCH)
        self.show(selected)

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.query_one("#filter").display = bool(self.shelf.filter)
        self.query_one(Songs).focus()

    def action_clear(self) -> None:
        """Clear filter and marks."""
        box = self.query_one("#filter", Filter)
        with box.prevent(Input.Changed):
            box.value = ""
        box.display = False
        self.shelf.filter = ""
        self.query_one(Songs).empty_text = self.app.named(EMPTY)
        self.query_one(Songs).focus()
        self._clear_marks()
        self.show(self.query_one(Songs).selected)

    def _clear_marks(self) -> None:
        songs = self.query_one(Songs)
        songs.marked.clear()
        songs.redraw()
        self.subtitle()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sort(SORTS[(SORTS.index(self.shelf.sort) + 1) % len(SORTS)])

    def _sort(self, column: str) -> None:
        self.shelf.sort = column
        self.show(self.query_one(Songs).selected)

    def action_reload(self) -> None:
        """Read the folder and every state again."""
        self.read_folder()
        self.look_at(list(self.shelf.songs))

    def select(self, folder: Path) -> None:
        """Put the cursor on a song."""
        if folder not in self.query_one(Songs).items:
            self.action_clear()
        self.show(folder)
        self.query_one(Songs).focus()
