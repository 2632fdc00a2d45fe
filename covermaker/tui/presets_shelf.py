"""The Presets screen as far as it reads and shows: list, details, the open song, what is applied to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Container
from textual.message import Message
from textual.worker import get_current_worker

from covermaker.effects import preset_users
from covermaker.effects.preset_edits import edit_of, sung_tracks
from covermaker.effects.presets import load_preset
from covermaker.errors import CovermakerError
from covermaker.project.load import load
from covermaker.tui import presets_model
from covermaker.tui.listing import Listing, Reader
from covermaker.tui.presets_list import PresetDetails, Presets
from covermaker.tui.presets_model import Look
from covermaker.tui.screens.saving import SavingScreen
from covermaker.tui.stacks import Stacks
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from textual.app import ComposeResult

    from covermaker.effects.preset_users import Id, Users
    from covermaker.effects.presets import PresetEntry
    from covermaker.project.load import Project
    from covermaker.project.saving import Applied
    from covermaker.tui.listing import Cell
    from covermaker.tui.presets_changes import Change
    from covermaker.tui.presets_model import About


class PresetsShelf(SavingScreen, inherit_bindings=False):
    """The presets, and the open song that they are compared with and applied to."""

    @dataclass
    class Read(Message):
        """The presets were listed and the open project was read, or cannot be."""

        entries: list[PresetEntry]
        project: Project | None
        problem: str
        select: Id | None = None

    @dataclass
    class Looked(Message):
        """A preset was looked at."""

        about: About

    @dataclass
    class Used(Message):
        """It was found out which songs use which preset."""

        users: dict[Id, Users]

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[PresetEntry] = []
        self._folder: Path | None = None
        self._track = ""
        self._about: About | None = None
        self._users: dict[Id, Users] = {}
        # None: an edit of the song
        self.changes: Stacks[Change | None] = Stacks(
            lambda change: change.words if change is not None else ""
        )
        self._is_settled = False

    @property
    def project(self) -> Project | None:
        """The open project, as it was last read or saved."""
        project = self.edits.project
        return project if project is not None and project.root == self._folder else None

    @property
    def is_settled(self) -> bool:
        """Whether the list is read and it is known who uses what."""
        return self._is_settled

    def compose_body(self) -> ComposeResult:
        """Build list and details."""
        with Container(id="presets"):
            yield Presets(self._cells, id="list")
            yield PresetDetails(id="about")

    def on_mount(self) -> None:
        """Frame the panes."""
        self.query_one(Presets).frame("Presets")

    async def on_screen_resume(self) -> None:
        """Read what may have changed meanwhile."""
        if self.app.project != self._folder:
            self._folder, self._track = self.app.project, ""
            self.changes.forget(None)
        self.read()

    # Reading

    @work(thread=True, exclusive=True, group="presets-read", exit_on_error=False)
    def read(self, select: Id | None = None) -> None:
        """List the presets and read the open project, and then look who uses what."""
        worker = get_current_worker()
        folder, project, problem = self._folder, None, ""
        if folder is not None:
            try:
                project = load(folder)
            except CovermakerError as error:
                problem = str(error)
        entries = preset_users.entries()
        self.post_message(self.Read(entries, project, problem, select))
        users = preset_users.users(entries, list(self.app.songs), lambda: worker.is_cancelled)
        if not worker.is_cancelled:
            self.post_message(self.Used(users))

    @on(Read)
    def _was_read(self, message: Read) -> None:
        self.entries = message.entries
        if message.project is not None and message.project.root == self._folder:
            self.edits.open(message.project)
            names = sung_tracks(message.project.cover)
            self._track = self._track if self._track in names else names[0]
        elif message.problem:
            self.app.say(message.problem, "failed")
        shown = self.query_one(Presets)
        before = shown.selected
        wanted = message.select or ((before.kind, before.name) if before is not None else None)
        shown.show(message.entries, keep=lambda entry: (entry.kind, entry.name) == wanted)
        own = sum(not entry.shipped for entry in message.entries)
        shown.frame(f"Presets: {len(message.entries)}, {own} yours")
        self._look()
        self.refresh_bindings()

    @on(Used)
    def _used(self, message: Used) -> None:
        self._users, self._is_settled = message.users, True
        self.query_one(Presets).redraw()
        self._show_details()

    def _look(self) -> None:
        """Look at the preset under the cursor."""
        entry = self.query_one(Presets).selected
        if entry is not None:
            self._look_at(entry, self.project, self._track)

    @work(thread=True, exclusive=True, group="presets-look", exit_on_error=False)
    def _look_at(self, entry: PresetEntry, project: Project | None, track: str) -> None:
        self.post_message(self.Looked(presets_model.about(entry, project, track)))

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        if message.about.entry == self.query_one(Presets).selected:
            self._about = message.about
            self._show_details()

    # Showing

    def _cells(self, entry: PresetEntry) -> Sequence[Cell]:
        first = next(one for one in self.entries if one.kind == entry.kind)
        return presets_model.cells(
            entry, is_first=entry is first, in_use=self._is_in_use(entry), charset=self.app.charset
        )

    def _is_in_use(self, entry: PresetEntry) -> bool:
        users = self._users.get((entry.kind, entry.name))
        return users is not None and any(folder == self._folder for folder, _ in users.same)

    def _show_details(self) -> None:
        found, pane = self._about, self.query_one(PresetDetails)
        if found is None:
            return
        width = max(20, pane.text_width)
        look = Look(self.app.state_styles(), self.app.charset, self.app.named, width)
        entry = found.entry
        pane.frame(f"{one_line(entry.name)}, {entry.kind.removesuffix('s')}", self._heard_words())
        who = self._users.get((entry.kind, entry.name)) if self._is_settled else None
        pane.write(presets_model.details(found, who, look), about=f"{entry.kind} {entry.name}")

    def _heard_words(self) -> str:
        """Return what is heard of the preset; here nothing."""
        return ""

    @on(Reader.Reshaped)
    def _reshaped(self) -> None:
        self._show_details()

    @on(Listing.Moved)
    def _moved(self) -> None:
        self._look()
        self.refresh_bindings()

    @on(Listing.Opened)
    def _opened(self) -> None:
        reason = self.no_apply()
        if reason:
            self.app.say(f"Apply: {reason}", "stale")
        else:
            self._apply()

    @property
    def _entry(self) -> PresetEntry | None:
        return self.query_one(Presets).selected

    def no_preset(self) -> str | None:
        """Say that there is no usable preset under the cursor."""
        return self._no_entry(
            lambda entry: bool(entry.problem), "the file is damaged: {presets.edit} opens it"
        )

    def _no_entry(self, is_barred: Callable[[PresetEntry], bool], why: str) -> str | None:
        entry = self._entry
        if entry is None:
            return "there is no preset here"
        return why if is_barred(entry) else None

    def no_song(self) -> str | None:
        """Say that no song is open."""
        if self._folder is None:
            return "no song is open: {studio.library} shows your songs, {library.open} opens one"
        return None if self.project is not None else "the open song cannot be read"

    def no_apply(self) -> str | None:
        """Say why a preset cannot be applied."""
        return self.no_preset() or self.no_song()

    def no_own(self) -> str | None:
        """Say that a preset is not one's own."""
        return self._no_entry(
            lambda entry: entry.shipped, "it is shipped and stays as it is: {presets.copy} copies it"
        )

    def no_track(self) -> str | None:
        """Say why there is no other track."""
        project = self.project
        if project is None:
            return self.no_song()
        return None if len(project.cover.tracks) > 1 else "the song has one track"

    # The song

    def _apply(self) -> None:
        entry, project = self._entry, self.project
        if entry is None or project is None:
            return
        try:
            self.edits.put(edit_of(load_preset(entry.kind, entry.name), project, self._track))
        except CovermakerError as error:
            self.app.say(str(error), "failed")

    def was_saved(self, done: Applied) -> None:
        """Show what was applied, undone or done again."""
        if done.turned:
            self.changes.turned(None, None, redo=done.turned == "redo")
        elif done.changed:
            self.changes.did(None)
        self.read()
        self.call_later(self.redraw_frame)

    def saved_elsewhere(self, project: Project) -> None:
        """Compare with what another screen has saved; read anew when this one is opened again."""
        if project.root == self._folder:
            self.edits.project = project
            if self.is_current:
                self.read()

    def read_again(self) -> None:
        """Read presets and song anew."""
        self.read()

    def action_track(self) -> None:
        """Compare with the next track."""
        project = self.project
        if project is not None:
            names = sung_tracks(project.cover)
            self._track = names[(names.index(self._track) + 1) % len(names)]
            self.app.say(f"racks are compared with {self._track} and applied to it")
            self._look()
