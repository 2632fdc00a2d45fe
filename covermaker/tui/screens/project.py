"""The Project screen: a song's steps, its sound before and after, and its mixer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Container
from textual.message import Message
from textual.widgets import Static

from covermaker.errors import CovermakerError
from covermaker.project.watch import Watch
from covermaker.tui import model, project_model, project_refusals
from covermaker.tui.jobs import CHILD
from covermaker.tui.keymap import bindings
from covermaker.tui.project_channels import channels
from covermaker.tui.project_mixer import Mixer
from covermaker.tui.project_sections import sections
from covermaker.tui.project_sound import Sound
from covermaker.tui.project_steps import Steps
from covermaker.tui.project_wave import Wave
from covermaker.tui.screens.editing import EditingScreen
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.widget import Widget

    from covermaker.project.load import Project
    from covermaker.project.watch import News
    from covermaker.render.state import State
    from covermaker.tui.jobs import Job
    from covermaker.tui.project_model import Pictures

_EMPTY = "No project is open. {studio.library} shows your songs, {library.open} opens one."
_WATCH_SECONDS = 1.0


class ProjectScreen(EditingScreen, inherit_bindings=False):
    """One song."""

    SCREEN = "project"
    BINDINGS = bindings("project")
    CSS_PATH = "../project.tcss"

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
        self.state: State | None = None
        self.problem = ""
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
        self.folder, self.state, self.pictures, self.problem = folder, None, None, ""
        self._watch_ = None
        self._forget_listening()
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
            wave.show_sections(())
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
        self.problem = message.problem
        if message.project is None:
            self._write_steps()
            return
        self.edits.open(message.project)
        self._watch_ = Watch(message.project)
        await self.show_project(message.project)
        self.look_again()

    def read_again(self) -> None:
        """Read the document anew."""
        if self.folder is not None:
            self._read(self.folder)

    async def show_project(self, project: Project) -> None:
        """Show a project as it is now."""
        self.query_one(Steps).border_title = one_line(project.cover.title).replace("[", "\\[") + ": steps"
        for wave in self.query(Wave):
            wave.show_sections(sections(project.cover))
        rows = channels(project.cover, self._solo, self._bypassed)
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

    def saved_elsewhere(self, project: Project) -> None:
        """Take over what another screen of the studio has saved."""
        if project.root == self.folder and self.edits.project is not None:
            self._watch_ = Watch(project)
            self.edits.open(project)
            self.call_later(self.show_project, project)

    def _broken(self, problem: str) -> None:
        self.problem = problem
        self._write_steps()
        self.app.say(problem, "failed")

    @on(Changed)
    async def _changed_outside(self, message: Changed) -> None:
        project, words = message.news.project, message.news.words
        if project.root != self.folder:
            return
        self.problem = ""
        self.edits.open(project)
        await self.show_project(project)
        if words:
            self.app.say(f"changed on disk: {'; '.join(words)}", "stale")
        self.look_again()
        self._remix()

    # Showing

    def _write_steps(self) -> None:
        self.query_one(Steps).show(self.state, self.job, self.problem)

    @property
    def job(self) -> Job | None:
        """The song's render: the one that runs or waits, else the last one."""
        return self.app.board.of(str(self.folder)) if self.folder is not None else None

    def jobs_changed(self) -> None:
        """Show what runs."""
        job = self.job
        self._write_steps()
        self.refresh_bindings()
        if job is not None and job.is_over and job.id != self._seen_job:
            self._seen_job = job.id
            self.look_again()

    # Hearing

    def on_resize(self) -> None:
        """Draw as many waves as there is room for."""
        super().on_resize()
        self.call_after_refresh(self._draw_waves)
        self.call_after_refresh(self.query_one(Mixer).fit)

    def refusal(self, action_id: str) -> str | None:
        """Say why an action cannot be done now."""
        return project_refusals.refusal(self, action_id)

    # Rendering

    def action_render(self) -> None:
        """Render what is stale."""
        self._queue_render()

    @on(Steps.Again)
    def _again(self, message: Steps.Again) -> None:
        self._queue_render(message.step)

    def _queue_render(self, again: str | None = None) -> None:
        if self.folder is not None:
            title = self.edits.project.cover.title if self.edits.project else self.folder.name
            self.app.render_project(self.folder, title, again=again)
            self.app.say(f"rendering {one_line(title)}" + (f", again from {again}" if again else ""), "run")

    @on(Mixer.Opened)
    def _open_rack(self, message: Mixer.Opened) -> None:
        if self.folder is not None:
            self.app.open_rack(self.folder, message.owner)

    def action_cancel(self) -> None:
        """Stop the render."""
        if self.job is not None:
            self.app.runner.cancel(self.job)

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
