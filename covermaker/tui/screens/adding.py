"""Songs come into the library: chosen from a list of files, or dropped; undo takes them away again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.message import Message

from covermaker.audio.names import each_song
from covermaker.errors import CovermakerError
from covermaker.project.library import read_row
from covermaker.tui import model
from covermaker.tui.ask import Ask
from covermaker.tui.changes import Changes
from covermaker.tui.paths import dropped, start_folder
from covermaker.tui.screens.auditioning import AuditioningScreen
from covermaker.tui.voices_dropped import is_of_voice
from covermaker.tui.words import count, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.project.library import Row


class AddingScreen(AuditioningScreen, inherit_bindings=False):
    """A list of songs to which others can be added."""

    @dataclass
    class Found(Message):
        """What was chosen, and the songs that it stands for."""

        paths: Sequence[Path]
        files: list[Path]

    @dataclass
    class Added(Message):
        """A song was added, or refused; those of one `batch` were asked for together."""

        file: Path
        folder: Path | None
        problem: str = ""
        batch: str = ""

    @dataclass
    class Twins(Message):
        """Files that are the songs of projects already."""

        found: list[tuple[Path, Row]]

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.changes = Changes(root)
        self._picker_place = start_folder()

    def action_add(self) -> None:
        """Choose files and folders."""
        from covermaker.tui.picker import pick

        pick(self.app, self._picker_place, "Add songs", self._picked)

    def _picked(self, paths: Sequence[Path]) -> None:
        self._picker_place = paths[-1].parent
        self.add_paths(paths)

    def on_paste(self, event: events.Paste) -> None:
        """Add the files and folders whose paths were dropped."""
        event.stop()
        paths = dropped(event.text, folders=True)
        if paths:
            self.add_paths(paths)
        else:
            first = next(iter(event.text.strip().splitlines()), "")
            self.app.say(
                f"there is no such file: {one_line(first)}" if first else "nothing was dropped", "stale"
            )

    @work(thread=True, group="add", exit_on_error=False)
    def add_paths(self, paths: Sequence[Path]) -> None:
        """Add files, and what is in folders; of more than one song in a folder only when that is meant."""
        voices = [path for path in paths if is_of_voice(path)]
        if voices:
            words = "is of a voice and no song: {studio.voices} opens Voices, drop it there"
            self.app.call_from_thread(self.app.say, f"{one_line(voices[0].name)} {words}", "stale")
            paths = [path for path in paths if path not in voices]
        if not paths:
            return
        try:
            self.post_message(self.Found(paths, each_song(paths)))
        except CovermakerError as error:
            self.app.call_from_thread(self.app.say, str(error), "failed")

    @on(Found)
    def _found(self, message: Found) -> None:
        folders = [path for path in message.paths if path not in message.files]
        if not folders or len(message.files) < 2:
            self.add_files(message.files)
            return
        names = ", ".join(one_line(folder.name or str(folder)) for folder in folders)
        where = names if len(folders) <= 3 else count(len(folders), "folder")
        beside = len(message.paths) - len(folders)
        more = f" and {count(beside, 'file')}" if beside else ""
        number = count(len(message.files), "song")

        def answered(yes: bool | None) -> None:
            if yes:
                self.add_files(message.files)

        question = f"Add {number} from {where}{more}?\n\nThey are copied into the library."
        self.app.push_screen(Ask(question, yes=f"Add {number}", no="Cancel", harmless=True), answered)

    @work(thread=True, group="add", exit_on_error=False)
    def add_files(self, files: Sequence[Path], *, again: bool = False) -> None:
        """Make a project of each file; of one that is there already only `again`."""
        twins, batch = [], uuid.uuid4().hex
        songs = [] if again else model.list_songs(self.root)
        for file in files:
            twin = None if again else model.same_song(file, songs)
            if twin is not None:
                twins.append((file, twin))
                continue
            self.app.call_from_thread(self.app.say, f"adding {one_line(file.name)}", "run")
            try:
                folder = model.add_song(file, self.root)
                songs.append(read_row(folder))
                self.post_message(self.Added(file, folder, batch=batch))
            except CovermakerError as error:
                self.post_message(self.Added(file, None, str(error)))
        if twins:
            self.post_message(self.Twins(twins))

    @on(Twins)
    def _ask_again(self, message: Twins) -> None:
        """Ask whether to add once more what is there."""
        there = [
            f"{one_line(file.name)} is in the library already: {one_line(song.title)}, in {one_line(song.folder.name)}."
            for file, song in message.found
        ]
        files = [file for file, _ in message.found]
        self.app.say(there[0], "stale")

        def answered(yes: bool | None) -> None:
            if yes:
                self.add_files(files, again=True)

        again = "Add it once more?" if len(there) == 1 else f"Add these {len(there)} once more?"
        question = "\n".join([*there[:5], "", again])
        self.app.push_screen(Ask(question, yes="Add", no="Leave it"), answered)

    @on(Added)
    def _added(self, message: Added) -> None:
        if message.folder is None:
            self.app.say(message.problem, "failed")
            self.app.notify(message.problem, severity="error", timeout=12, markup=False)
            return
        words = f"added {one_line(message.file.name)}"
        self.changes.added(message.folder, words, message.batch)
        several = "{library.mark} marks songs, {library.render} renders the marked ones"
        renders = several if len(self.changes.undo_removes) > 1 else "{library.render} renders it"
        self.app.say(f"{self.changes.undo_words}: {renders}", "done")
        self.read_folder(message.folder)
