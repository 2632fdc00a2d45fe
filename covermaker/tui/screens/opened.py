"""A screen of the open project: reads it, notices what others do to it, finds its sounds, plays them, renders it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from textual import on, work
from textual.message import Message
from textual.widgets import Static

from covermaker.errors import CovermakerError
from covermaker.project.watch import Watch
from covermaker.tui import project_model
from covermaker.tui.project_sound import LOOKING
from covermaker.tui.screens.saving import SavingScreen
from covermaker.tui.toast import begun_words

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.play.messages import Side
    from covermaker.project.load import Project
    from covermaker.project.saving import Applied
    from covermaker.project.watch import News
    from covermaker.tui.job_board import Job
    from covermaker.tui.project_model import Pictures
    from covermaker.tui.project_sound import Sound

NO_PROJECT: Final = "no project is open: {studio.library} shows your songs, {library.open} opens one"
_EMPTY = "No project is open. {studio.library} shows your songs, {library.open} opens one."
_WATCH_SECONDS = 1.0


class OpenedScreen(SavingScreen, inherit_bindings=False):
    """See the module.

    Its body is a container with the name of the screen, with the class ``-empty`` and one ``.seat`` until a project is
    open.

    Attributes
    ----------
    folder : Path or None
        The project.
    pictures : Pictures or None
        Its sounds, drawn, once they were found.
    no_sound_why : str
        Why there are none.
    problem : str
        Why it cannot be read.
    """

    @dataclass
    class Read(Message):
        """The project was read, or cannot be; `beside` is what was read with it."""

        folder: Path
        project: Project | None
        beside: Any = None
        problem: str = ""

    @dataclass
    class Drawn(Message):
        """Its sounds were found and drawn, or cannot be."""

        folder: Path
        pictures: Pictures | None
        problem: str = ""

    @dataclass
    class Surveyed(Message):
        """All of that is found out."""

        folder: Path

    @dataclass
    class Changed(Message):
        """Somebody else changed its document."""

        news: News

    def __init__(self) -> None:
        super().__init__()
        self.folder: Path | None = None
        self.sound: Sound | None = None
        self.pictures: Pictures | None = None
        self.no_sound_why = LOOKING
        self.problem = ""
        self._watch_: Watch | None = None
        self._newer: Project | None = None  # saved by another screen while this one was hidden
        self._seen_job = 0
        self._surveyed: Path | None = None
        self._is_outdated = False
        self._renders: tuple[Path, tuple[int, ...]] | None = None

    def on_mount(self) -> None:
        """Begin to look at the disk."""
        self.query_one(".seat", Static).update(self.app.named(_EMPTY))
        self.set_interval(_WATCH_SECONDS, self._look)

    # What a screen does of its own

    def new_sound(self, folder: Path) -> Sound:
        """Return a player of a project."""
        raise NotImplementedError

    def was_opened(self) -> None:
        """Begin anew: another project is open."""

    def came_back(self) -> None:
        """Take over what happened while another screen was open."""

    def read_beside(self) -> Any:
        """Read what is shown beside the project, on a thread."""

    def look_first(self, folder: Path) -> None:
        """Find out, on a thread, what is to be shown before the sounds."""

    async def take(self, project: Project, beside: Any = None) -> None:
        """Show a document that was read or is another now; `beside` is None where only the document is new."""

    def take_pictures(self, pictures: Pictures | None) -> None:
        """Show the sounds, or that there are none."""

    def show_saved(self, done: Applied) -> None:
        """Show what was saved."""

    def changed_outside(self) -> None:
        """Hear a document that somebody else changed."""

    def refusal(self, action_id: str) -> str | None:
        """Say why an action cannot be done now; without a project only going back can."""
        if self.folder is None:
            return None if action_id == f"{self.SCREEN}.back" else NO_PROJECT
        return super().refusal(action_id)

    def show_problem(self) -> None:
        """Show why the project cannot be read."""

    # Opening

    async def on_screen_resume(self) -> None:
        """Open the project that was chosen meanwhile."""
        if self.app.project is not None and self.app.project != self.folder:
            await self._close_sound()
            self._open(self.app.project)
        elif self.folder is not None:
            if self._newer is not None:
                await self._take_over(self._newer)
            self.came_back()
            self.look_again()
        self.redraw_frame()

    async def on_unmount(self) -> None:
        """End the processes with the screen."""
        await self._close_sound()

    async def _close_sound(self) -> None:
        sound, self.sound = self.sound, None
        if sound is not None:
            await sound.close()

    def _open(self, folder: Path) -> None:
        self.folder, self.pictures, self.no_sound_why, self.problem = folder, None, LOOKING, ""
        self._watch_ = self._newer = None
        self.sound = self.new_sound(folder)
        self.query_one(f"#{self.SCREEN}").remove_class("-empty")
        self.was_opened()
        self._read(folder)

    # Reading

    @work(thread=True, exclusive=True, group="project-read", exit_on_error=False)
    def _read(self, folder: Path) -> None:
        try:
            project = project_model.open_project(folder)
            self.post_message(self.Read(folder, project, self.read_beside()))
        except CovermakerError as error:
            self.post_message(self.Read(folder, None, problem=str(error)))

    @on(Read)
    async def _was_read(self, message: Read) -> None:
        if message.folder != self.folder:
            return
        if message.project is None:
            self._broken(message.problem)
            return
        self._know(message.project)
        await self.take(message.project, message.beside)
        self.look_again()

    def _know(self, project: Project) -> None:
        """Take a document as the one that is on the disk."""
        self.problem, self._newer = "", None
        self._watch_ = Watch(project)
        self.edits.open(project)

    def _broken(self, problem: str) -> None:
        self.problem = problem
        self.show_problem()

    def read_again(self) -> None:
        """Read the document anew."""
        if self.folder is not None:
            self._read(self.folder)

    def look_again(self) -> None:
        """Find out anew what is done and what there is to hear; once more where that is being found out."""
        if self.folder is None:
            return
        self._is_outdated = self._surveyed == self.folder
        if not self._is_outdated:
            self._surveyed = self.folder
            self._survey(self.folder, self.edits.project)

    @work(thread=True, group="project-look", exit_on_error=False)
    def _survey(self, folder: Path, project: Project | None) -> None:
        try:
            self.look_first(folder)
            if project is not None and project.root == folder:
                self.post_message(self.Drawn(folder, project_model.pictures(project)))
        except CovermakerError as error:
            self.post_message(self.Drawn(folder, None, str(error)))
        finally:
            self.post_message(self.Surveyed(folder))

    @on(Surveyed)
    def _was_surveyed(self, message: Surveyed) -> None:
        if message.folder == self._surveyed:
            self._surveyed = None
            if self._is_outdated:
                self.look_again()

    @on(Drawn)
    def _drawn(self, message: Drawn) -> None:
        if message.folder != self.folder or self.sound is None:
            return
        self.no_sound_why = message.problem
        if message.pictures is None:
            self.sound.take_none(message.problem)
        else:
            self.pictures = message.pictures
        self.take_pictures(message.pictures)
        self.refresh_bindings()

    # What others do

    @work(thread=True, exclusive=True, group="project-watch", exit_on_error=False)
    def _look(self) -> None:
        """Notice what others do to the document."""
        watch = self._watch_
        if watch is None or self.edits.is_busy or not self.is_current:
            return
        try:
            news = watch.look()
        except CovermakerError as error:
            self.app.call_from_thread(self._broken_outside, str(error))
            return
        if news is not None:
            self.post_message(self.Changed(news))
        root = watch.project.root
        known, self._renders = self._renders, (root, project_model.marks(root))
        if known is not None and known[0] == root and known != self._renders and not self.is_rendering:
            self.app.call_from_thread(self.look_again)

    def _broken_outside(self, problem: str) -> None:
        self._broken(problem)
        self.app.say(problem, "failed")

    @on(Changed)
    async def _changed_on_disk(self, message: Changed) -> None:
        if message.news.project.root != self.folder:
            return
        self._know(message.news.project)
        await self.take(message.news.project)
        if message.news.words:
            self.app.say(f"changed on disk: {'; '.join(message.news.words)}", "stale")
        self.look_again()
        self.changed_outside()

    def saved_elsewhere(self, project: Project) -> None:
        """Take over what another screen of the studio has saved, once this one is seen again."""
        if project.root == self.folder and self.edits.project is not None:
            self._newer = project
            if self.is_current:
                self.call_later(self._take_over, project)

    async def _take_over(self, project: Project) -> None:
        if project is self._newer:
            self._know(project)
            await self.take(project)

    def was_saved(self, done: Applied) -> None:
        """Show what was saved, unless what is shown is newer than that."""
        self._watch_, self._newer = Watch(done.project), None
        if not self.edits.is_waiting:
            self.show_saved(done)

    # Rendering

    @property
    def job(self) -> Job | None:
        """The song's render: the one that runs or waits, else the last one."""
        return self.app.board.of(str(self.folder)) if self.folder is not None else None

    @property
    def is_rendering(self) -> bool:
        """Whether it is being rendered, or waits to be."""
        return self.job is not None and not self.job.is_over

    def shows(self, job: Job) -> bool:
        """Tell whether it is of the open song."""
        return self.folder is not None and job.subject == str(self.folder)

    def jobs_changed(self) -> None:
        """Look anew when a render of this song is over."""
        job = self.job
        if job is not None and job.is_over and job.id != self._seen_job:
            self._seen_job = job.id
            self.look_again()

    def action_render(self) -> None:
        """Render what is stale."""
        self.render_again()

    def render_again(self, step: str | None = None) -> None:
        """Render what is stale; a step that is named also where it is not."""
        if self.folder is not None:
            title = self.edits.project.cover.title if self.edits.project else self.folder.name
            self.app.say(begun_words(self.app.render_project(self.folder, title, again=step)), "run")

    # Hearing

    def pause(self) -> None:
        """Stop playing: another screen begins to, or this one is left."""
        if self.sound is not None:
            self.sound.pause()

    def action_switch(self) -> None:
        """Hear A or B, and say which of them: while nothing plays that is all there is to notice."""
        if self.sound is None:
            return
        other: Side = "a" if self.sound.player.hearing == "b" else "b"
        self.sound.switch()
        self.say_side(other, is_on=self.sound.is_on)

    def say_side(self, side: Side, *, is_on: bool) -> None:
        """Say what is heard, or would be."""
        words = self.side_words(side)
        self.app.say(f"hearing {words}" if is_on else f"{words} is chosen: {{{self.SCREEN}.play}} plays it")

    def side_words(self, side: Side) -> str:
        """Say what a side of the player is, as people read it."""
        raise NotImplementedError

    def action_match(self) -> None:
        """Make A and B equally loud, or leave them."""
        if self.sound is not None:
            self.sound.match()
