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
from textual.worker import get_current_worker

from covermaker.errors import CovermakerError
from covermaker.tui import model
from covermaker.tui.changes import Changes, Outcome
from covermaker.tui.details import Look, details
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Listing
from covermaker.tui.paths import dropped
from covermaker.tui.screens.base import StudioScreen
from covermaker.tui.shelf import SORTS, Shelf
from covermaker.tui.songlist import EMPTY, NO_MATCH, Details, Filter, Songs
from covermaker.tui.survey import Survey
from covermaker.tui.words import count, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from covermaker.project.library import Row
    from covermaker.render.state import State
    from covermaker.tui.jobs import Job

_WATCH_SECONDS = 2.0
_TALL = 14
_TONES = ("done", "run", "stale", "failed", "quiet")


class LibraryScreen(StudioScreen, inherit_bindings=False):
    """The songs of a folder."""

    SCREEN = "library"
    BINDINGS = bindings("library")

    @dataclass
    class Listed(Message):
        """The folder was read."""

        songs: list[Row]
        select: Path | None = None

    @dataclass
    class Surveyed(Message):
        """The states of some projects were found out."""

        states: dict[Path, State]

    @dataclass
    class Added(Message):
        """A song was added, or refused."""

        file: Path
        folder: Path | None
        problem: str = ""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.shelf = Shelf(self._job_of)
        self.changes = Changes(root)
        self._survey = Survey(model.state_of, lambda: self.app.is_typing)
        self._picker_place = Path.home()
        self._listed_once = False
        self._stale = 0
        self._seen: dict[Path, tuple[float, float]] = {}

    @property
    def is_settled(self) -> bool:
        """Whether the folder was read and the state of every song is known."""
        return self._listed_once and set(self.shelf.states) == set(self.shelf.songs)

    def compose_body(self) -> ComposeResult:
        """Build list and details."""
        with Container(id="library"):
            yield Songs(lambda folder: self.shelf.cells(folder, self.app.charset), id="songs")
            yield Details(id="details")
            yield Filter(placeholder="filter: title, artist, voice or state", id="filter", compact=True)

    def on_mount(self) -> None:
        """Begin to read the folder."""
        super().on_mount()
        self.query_one(Songs).frame("Songs")
        self.query_one("#filter").display = False
        self.read_folder()
        self.set_interval(_WATCH_SECONDS, self._watch)

    # Reading

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def read_folder(self, select: Path | None = None) -> None:
        """Read the folder of projects; the first time, make it."""
        try:
            if model.first_run(self.root):
                select = self.root / "demo"
        except CovermakerError as error:
            self.app.call_later(self.app.say, str(error), "failed")
        self.post_message(self.Listed(model.list_songs(self.root), select))

    @on(Listed)
    def _listed(self, message: Listed) -> None:
        songs, listing = self.shelf, self.query_one(Songs)
        wanted = songs.put(message.songs)
        selected = message.select or listing.selected
        listing.marked &= set(songs.songs)
        self.app.songs = message.songs
        self._show(selected)
        self._listed_once = True
        listing.empty_text = self.app.named(EMPTY)
        self._look_at(wanted)

    def _look_at(self, folders: Sequence[Path]) -> None:
        """Ask for states, those in sight first."""
        visible = self.query_one(Songs).items
        self._survey.want([folder for folder in visible if folder in set(folders)])
        self._survey.want(self._in_sight(folders), first=True)
        if not self._survey.is_idle:
            self._work()

    def _in_sight(self, folders: Sequence[Path]) -> list[Path]:
        songs = self.query_one(Songs)
        top, wanted = round(songs.scroll_y), set(folders)
        rows = songs.items[top : top + max(1, songs.size.height)]
        first = [songs.selected] if songs.selected is not None else []
        return [folder for folder in dict.fromkeys([*first, *rows]) if folder in wanted]

    @work(thread=True, exclusive=True, group="survey", exit_on_error=False)
    def _work(self) -> None:
        worker = get_current_worker()
        self._survey.work(self._tell, lambda: worker.is_cancelled)

    def _tell(self, states: dict[Path, State]) -> None:
        self.post_message(self.Surveyed(states))

    @on(Surveyed)
    def _surveyed(self, message: Surveyed) -> None:
        songs = self.query_one(Songs)
        known = {folder: state for folder, state in message.states.items() if folder in self.shelf.songs}
        self.shelf.states |= known
        if self.shelf.sort in {"length", "state"} or self.shelf.filter:
            self._show(songs.selected)
        else:
            songs.redraw()
            self._count_stale()
        if songs.selected in known:
            self._show_details()
        self._subtitle()
        self.refresh_bindings()
        self._measure()

    def _measure(self) -> None:
        """Have songs in sight listened to whose key nobody knows; not while a render needs the machine."""
        if self.app.board.running:
            return
        states = self.shelf.states
        in_sight = self._in_sight(list(states))
        self.app.measurer.want(
            folder for folder in in_sight if states[folder].song is not None and states[folder].facts is None
        )

    def measured(self, folder: Path) -> None:
        """Take over what was found out of a song."""
        if folder in self.shelf.songs:
            self._survey.want([folder], first=True)
            self._work()

    @work(thread=True, exclusive=True, group="watch", exit_on_error=False)
    def _watch(self) -> None:
        """Notice what changed on disk behind our back."""
        found = model.look(self.root)
        changed = [folder for folder, times in found.items() if self._seen.get(folder, times) != times]
        is_other = set(found) != set(self.shelf.songs)
        self._seen = found
        if is_other or changed:
            self.app.call_from_thread(self._changed_on_disk, changed)

    def _changed_on_disk(self, changed: list[Path]) -> None:
        self.read_folder()
        self._look_at(changed)

    # Showing

    def _show(self, selected: Path | None = None) -> None:
        self.query_one(Songs).show(self.shelf.visible(), keep=lambda folder: folder == selected)
        self._count_stale()
        self._subtitle()
        self._show_details()

    def _count_stale(self) -> None:
        """Count what a render of everything stale is about; not at every key, which there may be many of."""
        self._stale = len(self.shelf.stale())

    def _subtitle(self) -> None:
        songs = self.query_one(Songs)
        parts = [count(len(songs.items), "song")]
        if self._stale:
            parts.append(f"{self._stale} stale")
        if songs.marked:
            parts.append(f"{len(songs.marked)} marked")
        filtered = f"filter: {self.shelf.filter}  " if self.shelf.filter else ""
        songs.frame("Songs: " + ", ".join(parts), f"{filtered}sort: {self.shelf.sort}")

    def _show_details(self) -> None:
        pane, folder = self.query_one(Details), self.query_one(Songs).selected
        if folder is None or folder not in self.shelf.songs:
            pane.frame("Details")
            pane.write(
                f"No song is selected.\n\nThe library is {self.root}" if self.shelf.songs else self._welcome()
            )
            return
        song = self.shelf.songs[folder]
        pane.frame(one_line(song.title))
        state, job = self.shelf.states.get(folder), self._job_of(folder)
        pane.write(details(song, state, job, self._look(pane)))

    def _welcome(self) -> str:
        return f"The library is {self.root}\n\n" + self.app.named(
            "{library.add} chooses a song, or drop a file here. {library.render} renders it: separates, sings, "
            "mixes and masters.\n{studio.help} shows every key."
        )

    def _look(self, pane: Details) -> Look:
        colors = self.app.theme_variables
        styles = {tone: colors[f"state-{tone}"] for tone in _TONES}
        width = max(20, pane.scrollable_content_region.width)
        return Look(
            self.app.charset,
            styles,
            width,
            self.app.named("{library.render}"),
            tall=pane.size.height >= _TALL,
            now=time.time(),
        )

    @on(events.Resize)
    def _resized(self) -> None:
        self.call_after_refresh(self._show_details)

    def jobs_changed(self) -> None:
        """Draw the rows of what runs."""
        self.query_one(Songs).redraw()
        self._count_stale()
        self._show_details()
        self.refresh_bindings()

    def job_ended(self, job: Job) -> None:
        """Look again at what a job has made."""
        self.measured(Path(job.subject))

    @on(Listing.Moved)
    def _moved(self) -> None:
        self._show_details()
        self._subtitle()
        folder = self.query_one(Songs).selected
        if folder is not None and folder not in self.shelf.states:
            self._survey.want([folder], first=True)
            if not self._survey.is_idle:
                self._work()
        self._measure()
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

    def refusal(self, action_id: str) -> str | None:
        """Say why an action cannot be done now."""
        why = _REFUSALS.get(action_id)
        return why(self) if why else None

    def no_render(self) -> str | None:
        """Say why nothing can be rendered."""
        chosen = self._chosen()
        if not chosen:
            return "there is no song yet: {library.add} adds one"
        if all(self._is_busy(folder) for folder in chosen):
            return "it is being rendered: {library.cancel} cancels"
        problem = self.shelf.songs[chosen[0]].problem
        return problem if problem and len(chosen) == 1 else None

    def no_stale(self) -> str | None:
        """Say why there is nothing stale to render."""
        return None if self._stale else "nothing is stale"

    def no_cancel(self) -> str | None:
        """Say why there is nothing to cancel."""
        return (
            None
            if any(self._is_busy(folder) for folder in self._chosen())
            else "no render of this song runs or waits"
        )

    def no_remove(self) -> str | None:
        """Say why nothing can be removed."""
        chosen = self._chosen()
        if not chosen:
            return "there is no song to remove"
        if any(self._is_busy(folder) for folder in chosen):
            return "it is being rendered: {library.cancel} cancels that first"
        return "this folder is the project itself; open the folder above it" if self.root in chosen else None

    def _chosen(self) -> list[Path]:
        """Return the marked songs, in the order of the list, or the one under the cursor."""
        songs = self.query_one(Songs)
        marked = [folder for folder in songs.items if folder in songs.marked]
        return marked or ([songs.selected] if songs.selected is not None else [])

    def _job_of(self, folder: Path) -> Job | None:
        return self.app.board.of(str(folder))

    def _is_busy(self, folder: Path) -> bool:
        job = self._job_of(folder)
        return job is not None and not job.is_over

    def action_render(self) -> None:
        """Render the selection."""
        self._render_folders([folder for folder in self._chosen() if not self.shelf.songs[folder].problem])

    def action_render_stale(self) -> None:
        """Render everything stale, one after another."""
        self._render_folders(self.shelf.stale())

    def _render_folders(self, folders: Sequence[Path]) -> None:
        free = [folder for folder in folders if not self._is_busy(folder)]
        for folder in free:
            self.app.render_project(folder, self.shelf.songs[folder].title)
        if len(free) > 1:
            self.app.say(f"{count(len(free), 'song')} to render, one after another", "run")
        elif free:
            self.app.say(f"rendering {one_line(self.shelf.songs[free[0]].title)}", "run")
        self._clear_marks()

    def action_cancel(self) -> None:
        """Stop the selection's jobs."""
        for folder in self._chosen():
            job = self._job_of(folder)
            if job is not None and not job.is_over:
                self.app.runner.cancel(job)

    def action_add(self) -> None:
        """Choose a file."""
        from covermaker.tui.picker import SongPicker

        self.app.push_screen(SongPicker(self._picker_place), self._picked)

    def _picked(self, file: Path | None) -> None:
        if file is not None:
            self._picker_place = file.parent
            self.add_files([file])

    def on_paste(self, event: events.Paste) -> None:
        """Add the files whose paths were dropped."""
        event.stop()
        files = dropped(event.text)
        if files:
            self.add_files(files)
        else:
            self.app.say("no file has the path that was dropped", "stale")

    @work(thread=True, group="add", exit_on_error=False)
    def add_files(self, files: Sequence[Path]) -> None:
        """Make a project of each file."""
        for file in files:
            self.app.call_from_thread(self.app.say, f"adding {one_line(file.name)}", "run")
            try:
                self.post_message(self.Added(file, model.add_song(file, self.root)))
            except CovermakerError as error:
                self.post_message(self.Added(file, None, str(error)))

    @on(Added)
    def _added(self, message: Added) -> None:
        if message.folder is None:
            self.app.say(message.problem, "failed")
            self.app.notify(message.problem, severity="error", timeout=12, markup=False)
            return
        words = f"added {one_line(message.file.name)}"
        self.changes.added(message.folder, words)
        self.app.say(f"{words}: {{library.render}} renders it", "done")
        self.read_folder(message.folder)

    def action_remove(self) -> None:
        """Move the selection to the trash."""
        chosen = self._chosen()
        title = one_line(self.shelf.songs[chosen[0]].title)
        words = f"removed {title}" if len(chosen) == 1 else f"removed {count(len(chosen), 'song')}"
        self._clear_marks()
        self._say(self.changes.remove(chosen, words))

    def undo_words(self) -> str:
        """Return what undo takes back."""
        return self.changes.undo_words

    def redo_words(self) -> str:
        """Return what redo does again."""
        return self.changes.redo_words

    def undo(self) -> None:
        """Take the last change back."""
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
        box.focus()

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        selected = self.query_one(Songs).selected
        self.shelf.filter = event.value.strip()
        self.query_one(Songs).empty_text = self.app.named(NO_MATCH)
        self._show(selected)

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
        self._show(self.query_one(Songs).selected)

    def _clear_marks(self) -> None:
        songs = self.query_one(Songs)
        songs.marked.clear()
        songs.redraw()
        self._subtitle()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sort(SORTS[(SORTS.index(self.shelf.sort) + 1) % len(SORTS)])

    def _sort(self, column: str) -> None:
        self.shelf.sort = column
        self._show(self.query_one(Songs).selected)

    def action_reload(self) -> None:
        """Read the folder and every state again."""
        self.read_folder()
        self._look_at(list(self.shelf.songs))

    def select(self, folder: Path) -> None:
        """Put the cursor on a song."""
        if folder not in self.query_one(Songs).items:
            self.action_clear()
        self._show(folder)
        self.query_one(Songs).focus()


_REFUSALS = {
    "library.render": LibraryScreen.no_render,
    "library.render-stale": LibraryScreen.no_stale,
    "library.cancel": LibraryScreen.no_cancel,
    "library.remove": LibraryScreen.no_remove,
}
