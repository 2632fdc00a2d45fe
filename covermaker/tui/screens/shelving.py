"""Which songs there are and how it stands with each, read and looked at on threads, as the Library needs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.message import Message
from textual.worker import get_current_worker

from covermaker.errors import CovermakerError
from covermaker.tui import model
from covermaker.tui.screens.base import StudioScreen
from covermaker.tui.shelf import Shelf
from covermaker.tui.songlist import EMPTY, Songs
from covermaker.tui.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.project.library import Row
    from covermaker.render.state import State
    from covermaker.tui.job_board import Job

_WATCH_SECONDS = 2.0


class ShelvingScreen(StudioScreen, inherit_bindings=False):
    """A screen with a list of the songs of a folder.

    Attributes
    ----------
    stale : int
        How many songs a render of everything stale in the list is about.
    stale_in_all : int
        The same of all songs, those too that the filter hides.
    """

    @dataclass
    class Listed(Message):
        """The folder was read."""

        songs: list[Row]
        select: Path | None = None

    @dataclass
    class Surveyed(Message):
        """The states of some projects were found out."""

        states: dict[Path, State]

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.shelf = Shelf(self.job_of)
        self.stale = self.stale_in_all = 0
        self._survey = Survey(model.state_of, lambda: self.app.is_typing)
        self._listed_once = False
        self._seen: dict[Path, tuple[float, float]] = {}

    def on_mount(self) -> None:
        """Begin to read the folder."""
        self.read_folder()
        self.set_interval(_WATCH_SECONDS, self._watch)

    @property
    def is_read(self) -> bool:
        """Whether it is known which songs there are."""
        return self._listed_once

    @property
    def is_settled(self) -> bool:
        """Whether the folder was read and the state of every song is known."""
        return self._listed_once and set(self.shelf.states) == set(self.shelf.songs)

    @property
    def selected(self) -> Path | None:
        """The song under the cursor."""
        return self.query_one(Songs).selected

    def job_of(self, folder: Path) -> Job | None:
        """Return a song's job: the one that runs or waits, else the last one."""
        return self.app.board.of(str(folder))

    def show(self, selected: Path | None = None) -> None:
        """Show the songs anew; the cursor goes to `selected`."""

    def show_details(self) -> None:
        """Show all about the song under the cursor."""

    def subtitle(self) -> None:
        """Write how many there are."""

    def count_stale(self) -> None:
        """Count what a render of everything stale is about; not at every key, which there may be many of."""
        self.stale, self.stale_in_all = self.shelf.count_stale()

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
        self.show(selected)
        self._listed_once = True
        listing.empty_text = self.app.named(EMPTY)
        self.look_at(wanted)

    def look_at(self, folders: Sequence[Path]) -> None:
        """Ask for states, those in sight first."""
        wanted = set(folders)
        self._survey.want([folder for folder in self.query_one(Songs).items if folder in wanted])
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
            self.show(songs.selected)
        else:
            songs.redraw()
            self.count_stale()
        if songs.selected in known:
            self.show_details()
        self.subtitle()
        self.refresh_bindings()
        self.measure()

    def measure(self) -> None:
        """Have songs in sight listened to whose key nobody knows; not while a render needs the machine."""
        if self.app.board.running:
            return
        states = self.shelf.states
        in_sight = self._in_sight(list(states))
        self.app.measurer.want(
            folder for folder in in_sight if states[folder].song is not None and states[folder].facts is None
        )

    def look_again(self, folder: Path) -> None:
        """Find out anew how it stands with a song of the list."""
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
        for folder in changed:
            self.app.measurer.forget(folder)
        self.read_folder()
        self.look_at(changed)

    def look_at_selected(self) -> None:
        """Ask for the state of the song under the cursor before all others."""
        folder = self.selected
        if folder is not None and folder not in self.shelf.states:
            self._survey.want([folder], first=True)
            if not self._survey.is_idle:
                self._work()
        self.measure()
