"""The Project screen: a song's steps, its sound before and after, and its mixer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.containers import Container
from textual.message import Message
from textual.widgets import Static

from covermaker.errors import CovermakerError
from covermaker.project.edits import Conflict, ResetValue, SetValue
from covermaker.project.watch import Watch
from covermaker.tui import model, project_model
from covermaker.tui.ask import Ask
from covermaker.tui.jobs import CHILD
from covermaker.tui.keymap import bindings
from covermaker.tui.project_edits import EditQueue
from covermaker.tui.project_mixer import Mixer, channels
from covermaker.tui.project_sound import Sound
from covermaker.tui.project_steps import Steps
from covermaker.tui.project_wave import Wave
from covermaker.tui.screens.hearing import HearingScreen
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.widget import Widget

    from covermaker.project.load import Project
    from covermaker.project.saving import Applied
    from covermaker.project.watch import News
    from covermaker.render.state import State
    from covermaker.tui.jobs import Job
    from covermaker.tui.project_model import Pictures

_EMPTY = "No project is open. {studio.library} shows your songs, {library.open} opens one."
_WATCH_SECONDS = 1.0
_GESTURE_SECONDS = 2.0


class ProjectScreen(HearingScreen, inherit_bindings=False):
    """One song."""

    SCREEN = "project"
    BINDINGS = bindings("project")
    SCOPED_CSS = False
    CSS = """
    #project { height: 1fr; }
    #project > .seat { display: none; }
    #project.-empty > * { display: none; }
    #project.-empty > .seat { display: block; }
    Steps, Wave, Mixer { border: round $state-quiet; border-title-style: bold; padding: 0 1; background: $background; }
    Steps, Wave, Mixer { border-subtitle-color: $state-quiet; }
    Steps:focus, Wave:focus, Mixer:focus-within { border: round $primary; }
    .-ascii Steps, .-ascii Wave, .-ascii Mixer { border: ascii $state-quiet; }
    .-ascii Steps:focus, .-ascii Wave:focus, .-ascii Mixer:focus-within { border: ascii $primary; }
    Steps { height: 5; }
    .-tall Steps { height: 6; }
    Wave { height: 1fr; min-height: 5; padding: 0; }
    Wave.-other { display: none; }
    .-tall Wave.-other { display: block; }
    Mixer { height: auto; max-height: 10; scrollbar-size-vertical: 1; overflow-x: hidden; }
    .-tall Mixer { max-height: 16; }
    Mixer .rows { height: auto; }
    Mixer .faders { width: 2fr; height: auto; }
    Mixer Meters { width: 1fr; }
    Mixer #channel { height: auto; color: $state-quiet; }
    .-tiny #project > *, .-flat #project > * { display: none; height: 1fr; max-height: 100%; }
    .-tiny #project > .-current, .-flat #project > .-current { display: block; }
    """

    @dataclass
    class Read(Message):
        """The project was read, or cannot be."""

        folder: Path
        project: Project | None
        problem: str = ""

    @dataclass
    class Known(Message):
        """Its state was found out."""

        folder: Path
        state: State

    @dataclass
    class Drawn(Message):
        """Its sounds were found and drawn."""

        folder: Path
        pictures: Pictures

    @dataclass
    class Changed(Message):
        """Somebody else changed its document."""

        news: News

    def __init__(self) -> None:
        super().__init__()
        self.folder: Path | None = None
        self.edits = EditQueue(self._saved, self._not_saved)
        self.state: State | None = None
        self._problem = ""
        self._watch_: Watch | None = None
        self._solo: list[str] = []
        self._unsaved: dict[str, Any] = {}
        self._gesture = ("", 0.0, 0)
        self._seen_job = 0

    def compose_body(self) -> ComposeResult:
        """Build the panes."""
        with Container(id="project", classes="-empty"):
            yield Static(classes="seat", markup=False)
            yield Steps(id="steps")
            yield Wave(id="a")
            yield Wave(id="b", classes="-other")
            yield Mixer(id="mixer")

    def on_mount(self) -> None:
        """Begin to look at the disk."""
        super().on_mount()
        self.query_one(".seat", Static).update(self.app.named(_EMPTY))
        self.set_interval(_WATCH_SECONDS, self._look)

    def panes(self) -> list[Widget]:
        """Return the panes that this window has room for: in a low one, one wave shows what is heard."""
        return [pane for pane in super().panes() if pane.id != "b" or self._is_tall]

    async def on_screen_resume(self) -> None:
        """Open the project that was chosen meanwhile."""
        if self.app.project is not None and self.app.project != self.folder:
            await self._close_sound()
            self._open(self.app.project)
        elif self.folder is not None:
            self.look_again()

    async def on_unmount(self) -> None:
        """End the processes with the screen."""
        await self._close_sound()

    async def _close_sound(self) -> None:
        sound, self.sound = self.sound, None
        if sound is not None:
            await sound.close()

    # Reading

    def _open(self, folder: Path) -> None:
        self.folder, self.state, self.pictures, self._problem = folder, None, None, ""
        self._solo, self._unsaved, self._watch_ = [], {}, None
        self.sound = Sound(
            folder,
            device=self.app.settings.audio_device or None,
            fps=self.app.settings.fps,
            on_change=self._sound_changed,
            say=self.app.say,
            command=CHILD,
        )
        for wave in self.query(Wave):
            wave.loop, wave.looping, wave.position = None, False, 0.0
        self.query_one("#project").remove_class("-empty")
        self.query_one(Steps).border_title = one_line(folder.name).replace("[", "\\[")
        self._draw_waves()
        self._write_steps()
        self.query_one(Steps).focus()
        self._read(folder)

    @work(thread=True, exclusive=True, group="project-read", exit_on_error=False)
    def _read(self, folder: Path) -> None:
        try:
            self.post_message(self.Read(folder, project_model.open_project(folder)))
        except CovermakerError as error:
            self.post_message(self.Read(folder, None, str(error)))

    @on(Read)
    async def _was_read(self, message: Read) -> None:
        if message.folder != self.folder:
            return
        self._problem = message.problem
        if message.project is None:
            self._write_steps()
            return
        self.edits.open(message.project)
        self._watch_ = Watch(message.project)
        await self._show_project(message.project)
        self.look_again()

    async def _show_project(self, project: Project) -> None:
        self.query_one(Steps).border_title = one_line(project.cover.title).replace("[", "\\[") + ": steps"
        rows = channels(project.cover, self._solo)
        await self.query_one(Mixer).show(rows, self.app.settings.meters)
        self.refresh_bindings()

    def look_again(self) -> None:
        """Find out anew what is done and what there is to hear."""
        if self.folder is not None:
            self._survey(self.folder, self.edits.project)

    @work(thread=True, exclusive=True, group="project-look", exit_on_error=False)
    def _survey(self, folder: Path, project: Project | None) -> None:
        self.post_message(self.Known(folder, model.state_of(folder)))
        if project is None:
            return
        try:
            self.post_message(self.Drawn(folder, project_model.pictures(project)))
        except CovermakerError:
            return  # the state says what is wrong

    @on(Known)
    def _known(self, message: Known) -> None:
        if message.folder == self.folder:
            self.state = message.state
            self._write_steps()
            self.refresh_bindings()

    @on(Drawn)
    def _drawn(self, message: Drawn) -> None:
        if message.folder != self.folder or self.sound is None:
            return
        self.pictures = message.pictures
        self.sound.take(message.pictures.sounds)
        self._draw_waves()
        self.refresh_bindings()

    @work(thread=True, exclusive=True, group="project-watch", exit_on_error=False)
    def _look(self) -> None:
        """Notice what others do to the document."""
        watch = self._watch_
        if watch is None or self.edits.is_busy:
            return
        try:
            news = watch.look()
        except CovermakerError as error:
            self.app.call_from_thread(self._broken, str(error))
            return
        if news is not None:
            self.post_message(self.Changed(news))

    def _broken(self, problem: str) -> None:
        self._problem = problem
        self._write_steps()
        self.app.say(problem, "failed")

    @on(Changed)
    async def _changed_outside(self, message: Changed) -> None:
        project, words = message.news.project, message.news.words
        if project.root != self.folder:
            return
        self._problem = ""
        self.edits.open(project)
        await self._show_project(project)
        if words:
            self.app.say(f"changed on disk: {'; '.join(words)}", "stale")
        self.look_again()
        self._remix()

    # Showing

    def _write_steps(self) -> None:
        self.query_one(Steps).show(self.state, self._job, self._problem)

    @property
    def _job(self) -> Job | None:
        return self.app.board.of(str(self.folder)) if self.folder is not None else None

    def jobs_changed(self) -> None:
        """Show what runs."""
        job = self._job
        self._write_steps()
        self.refresh_bindings()
        if job is not None and job.is_over and job.id != self._seen_job:
            self._seen_job = job.id
            self.look_again()

    # Mixing

    @on(Mixer.Wanted)
    def _wanted(self, message: Mixer.Wanted) -> None:
        if message.place.startswith("solo."):
            name = message.place.removeprefix("solo.")
            self._solo = [*self._solo, name] if message.value else [one for one in self._solo if one != name]
            self.app.say(f"solo, for listening only: {', '.join(self._solo) or 'none'}")
        else:
            self._unsaved[message.place] = message.value
            if message.settled:
                edit = (
                    ResetValue(message.place)
                    if message.value is None
                    else SetValue(message.place, message.value)
                )
                self.edits.put(edit, gesture=self._gesture_of(message.place))
        self._remix()

    def _gesture_of(self, place: str) -> str:
        """Return a name for changes of one place that follow each other closely: they are undone together."""
        now = time.monotonic()
        before, when, number = self._gesture
        if before != place or now - when > _GESTURE_SECONDS:
            number += 1
        self._gesture = (place, now, number)
        return f"{place} {id(self)} {number}"

    def _remix(self) -> None:
        if self.sound is not None:
            self.sound.mixed(self._solo, self._unsaved)

    def _saved(self, done: Applied) -> None:
        self._watch_ = Watch(done.project)
        merged = f"; also changed on disk: {'; '.join(done.merged)}" if done.merged else ""
        self.app.say(done.words + merged)
        if self.edits.is_waiting:
            return  # what is shown is newer than what was saved
        self._unsaved.clear()
        self.call_later(self._show_project, done.project)
        self.look_again()
        if done.merged or done.words.startswith(("undo:", "redo:")):
            self.call_later(self._remix)

    def _not_saved(self, error: CovermakerError, anyway: Callable[[], None]) -> None:
        self._unsaved.clear()
        self.app.say(str(error), "failed")
        if self.edits.project is not None:
            self.call_later(self._show_project, self.edits.project)
        if isinstance(error, Conflict):
            question = f"{error.theirs} (on disk, meanwhile)\n\nDo it all the same: {error.yours}?"
            self.app.push_screen(
                Ask(question, yes="Do it", no="Leave it"),
                lambda yes: anyway() if yes else self._take_theirs(),
            )

    def _take_theirs(self) -> None:
        if self.folder is not None:
            self._read(self.folder)

    def undo_words(self) -> str:
        """Return what undo takes back."""
        return self.edits.undo_words if self.folder is not None else ""

    def redo_words(self) -> str:
        """Return what redo does again."""
        return self.edits.redo_words if self.folder is not None else ""

    def undo(self) -> None:
        """Take the last edit back."""
        self.edits.undo()

    def redo(self) -> None:
        """Do again what was undone."""
        self.edits.redo()

    # Hearing

    def on_resize(self) -> None:
        """Draw as many waves as there is room for."""
        super().on_resize()
        self.call_after_refresh(self._draw_waves)

    def refusal(self, action_id: str) -> str | None:
        """Say why an action cannot be done now."""
        if self.folder is None:
            return (
                None
                if action_id == "project.back"
                else "no project is open: {studio.library} shows your songs"
            )
        why = _REFUSALS.get(action_id)
        return why(self) if why else None

    def no_sound(self) -> str | None:
        """Say why nothing can be heard."""
        if self.app.is_web:
            return "in a browser there is no sound: {project.export} downloads the last render"
        return self.sound.no_play() if self.sound is not None else "there is no sound"

    def no_wave(self) -> str | None:
        """Say why there is no place in the song."""
        return (
            None
            if self.query_one("#a", Wave).seconds
            else "there is no sound yet: {project.render} renders it"
        )

    def no_render(self) -> str | None:
        """Say why it cannot be rendered."""
        if self._job is not None and not self._job.is_over:
            return "it is being rendered: {project.cancel} cancels"
        return self._problem or None

    def no_cancel(self) -> str | None:
        """Say why there is nothing to cancel."""
        return (
            None
            if self._job is not None and not self._job.is_over
            else "no render of this song runs or waits"
        )

    def no_export(self) -> str | None:
        """Say why there is no file."""
        return (
            None
            if self.state is not None and self.state.outputs
            else "no file yet: {project.render} makes it"
        )

    # Rendering

    def action_render(self) -> None:
        """Render what is stale."""
        if self.folder is not None:
            title = self.edits.project.cover.title if self.edits.project else self.folder.name
            self.app.render_project(self.folder, title)
            self.app.say(f"rendering {one_line(title)}", "run")

    def action_cancel(self) -> None:
        """Stop the render."""
        if self._job is not None:
            self.app.runner.cancel(self._job)

    def action_export(self) -> None:
        """Say where the files are; in a browser, download the first."""
        if self.state is None or not self.state.outputs:
            return
        files = [output.file for output in self.state.outputs]
        names = ", ".join(one_line(file.name) for file in files)
        old = "" if self.state.word == "done" else " (of the last render; what you hear now is newer)"
        self.app.say(f"{files[0].parent}: {names}{old}", "done")
        if self.app.is_web:
            self.app.deliver_binary(str(files[0]))

    def action_back(self) -> None:
        """Go back to the library."""
        self.app.action_show("library")


_REFUSALS = {
    "project.play": ProjectScreen.no_sound,
    "project.preview": ProjectScreen.no_sound,
    "project.switch": ProjectScreen.no_sound,
    "project.listen": ProjectScreen.no_wave,
    "project.rewind": ProjectScreen.no_wave,
    "project.forward": ProjectScreen.no_wave,
    "project.loop-in": ProjectScreen.no_wave,
    "project.loop-out": ProjectScreen.no_wave,
    "project.loop": ProjectScreen.no_wave,
    "project.render": ProjectScreen.no_render,
    "project.cancel": ProjectScreen.no_cancel,
    "project.export": ProjectScreen.no_export,
}
