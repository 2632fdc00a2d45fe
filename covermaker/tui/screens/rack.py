"""The Rack screen: the effects of a track, a bus or the master, changed while a loop of it plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Container
from textual.message import Message
from textual.widgets import Static

from covermaker.errors import CovermakerError
from covermaker.project.watch import Watch
from covermaker.tui import project_model, rack_model
from covermaker.tui.jobs import CHILD
from covermaker.tui.keymap import bindings
from covermaker.tui.rack_chain import EMPTY, Chain, cells
from covermaker.tui.rack_editing import RackEditing
from covermaker.tui.rack_loop import LoopPane
from covermaker.tui.rack_parameters import Parameters
from covermaker.tui.rack_readings import Readings
from covermaker.tui.rack_sound import RackSound
from covermaker.tui.screens.hearing import HearingScreen
from covermaker.tui.widgets.spectrum import Spectrum
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from covermaker.effects.presets import Preset
    from covermaker.project.load import Project
    from covermaker.project.watch import News
    from covermaker.tui.project_model import Pictures
    from covermaker.tui.rack_model import Owner

_NO_PROJECT = "No project is open. {studio.library} shows your songs, {library.open} opens one."
_WATCH_SECONDS = 1.0


class RackScreen(RackEditing, inherit_bindings=False):
    """One rack."""

    SCREEN = "rack"
    BINDINGS = bindings("rack")
    SCOPED_CSS = False
    CSS = """
    #rack { height: 1fr; layout: grid; grid-size: 2; grid-columns: 32 1fr; grid-rows: 1fr 3 3 5; }
    #rack > .seat { display: none; column-span: 2; row-span: 4; }
    #rack.-empty > * { display: none; }
    #rack.-empty > .seat { display: block; }
    #chain { row-span: 3; height: 1fr; }
    #rack Spectrum { display: none; padding: 0 1; row-span: 2; min-height: 3; }
    #about { padding: 0 2; color: $state-quiet; }
    Parameters, LoopPane { border: round $state-quiet; border-title-style: bold; border-subtitle-color: $state-quiet; }
    Parameters, LoopPane { padding: 0 1; background: $background; }
    Parameters { scrollbar-size-vertical: 1; overflow-x: hidden; }
    Parameters:focus-within, LoopPane:focus { border: round $primary; }
    .-ascii Parameters, .-ascii LoopPane { border: ascii $state-quiet; }
    .-ascii Parameters:focus-within, .-ascii LoopPane:focus { border: ascii $primary; }
    LoopPane { column-span: 2; height: 5; }
    LoopPane .side { height: 1; }
    LoopPane .side-label { width: 8; color: $state-quiet; }
    LoopPane Picture { height: 1; min-height: 1; }
    LoopPane #heard { height: 1; color: $state-quiet; }
    #rack.-spectral Spectrum { display: block; }
    #rack.-spectral Readings, #rack.-spectral #about { display: none; }
    .-tall #rack { grid-rows: 1fr 7 5 7; }
    .-tall #rack #chain { row-span: 1; }
    .-tall #rack Spectrum { display: block; }
    .-tall #rack Readings { height: 100%; }
    .-tall #rack #about { padding: 1 2 0 2; }
    .-tall #rack LoopPane { height: 7; }
    .-tall #rack LoopPane .side, .-tall #rack LoopPane Picture { height: 2; }
    .-wide #rack { grid-columns: 48 1fr; }
    .-huge #rack { grid-columns: 64 1fr; }
    .-tiny #rack, .-flat #rack { layout: vertical; }
    .-tiny #rack > *, .-flat #rack > * { display: none; height: 1fr; max-height: 100%; }
    .-tiny #rack > .-current, .-flat #rack > .-current { display: block; }
    .-tiny #rack.-empty > *, .-flat #rack.-empty > * { display: none; }
    .-tiny #rack.-empty > .seat, .-flat #rack.-empty > .seat { display: block; }
    """

    @dataclass
    class Read(Message):
        """The project and the presets were read, or cannot be."""

        folder: Path
        project: Project | None
        presets: list[Preset]
        problem: str = ""

    @dataclass
    class Drawn(Message):
        """Its sounds were found, or cannot be."""

        folder: Path
        pictures: Pictures | None
        problem: str = ""

    @dataclass
    class Changed(Message):
        """Somebody else changed its document."""

        news: News

    def __init__(self) -> None:
        super().__init__()
        self.folder: Path | None = None
        self._watch_: Watch | None = None
        self._seen_job = 0

    def compose_body(self) -> ComposeResult:
        """Build the panes."""
        with Container(id="rack", classes="-empty"):
            yield Static(classes="seat", markup=False)
            yield Chain(cells, id="chain")
            yield Parameters(id="parameters")
            yield Spectrum()
            yield Readings()
            yield Static(id="about", markup=False)
            yield LoopPane(id="loop")

    def on_mount(self) -> None:
        """Begin to look at the disk."""
        super().on_mount()
        self.query_one(".seat", Static).update(self.app.named(_NO_PROJECT))
        self.query_one(Chain).empty_text = self.app.named(EMPTY)
        self.set_interval(_WATCH_SECONDS, self._look)

    async def on_screen_resume(self) -> None:
        """Open the project and the rack that were chosen meanwhile."""
        if self.app.project is not None and self.app.project != self.folder:
            sound, self.sound = self.sound, None
            if sound is not None:
                await sound.close()
            self._open(self.app.project)
        elif self.folder is not None:
            if self.app.channel and self.edits.project is not None:
                self._choose_named(self.app.channel)
            self._survey(self.folder, self.edits.project)
        self.redraw_frame()

    def on_screen_suspend(self) -> None:
        """Be quiet on another screen; a dialog over this one leaves the loop running."""
        if self.app.current_mode != self.SCREEN:
            self.pause()

    async def on_unmount(self) -> None:
        """End the processes with the screen."""
        sound, self.sound = self.sound, None
        if sound is not None:
            await sound.close()

    # Reading

    def _open(self, folder: Path) -> None:
        self.folder, self.owner, self.pictures = folder, None, None
        self._problem = self._no_sounds = ""
        self._watch_, self._last_loop = None, self._loop_of_project(folder)
        self._chosen_preset, self._were_off = {}, {}
        settings = self.app.settings
        self.sound = RackSound(
            folder,
            device=settings.audio_device or None,
            fps=settings.fps,
            on_change=self._sound_changed,
            say=self.app.say,
            command=CHILD,
        )
        self.sound.loop = self._last_loop
        self.query_one("#rack").remove_class("-empty")
        self.query_one(Chain).focus()
        self._read(folder)

    def _loop_of_project(self, folder: Path) -> tuple[float, float] | None:
        """Return the loop that is on on the Project screen."""
        for other in self.app.others(self):
            if isinstance(other, HearingScreen) and other.folder == folder and other.sound is not None:
                return other.sound.loop
        return None

    @work(thread=True, exclusive=True, group="rack-read", exit_on_error=False)
    def _read(self, folder: Path) -> None:
        known: list[Preset] = []
        try:
            project = project_model.open_project(folder)
            known = [*rack_model.presets("racks"), *rack_model.presets("masters")]
            self.post_message(self.Read(folder, project, known))
        except CovermakerError as error:
            self.post_message(self.Read(folder, None, known, str(error)))

    @on(Read)
    def _was_read(self, message: Read) -> None:
        if message.folder != self.folder:
            return
        self._problem, self._presets = message.problem, message.presets
        if message.project is None:
            self._show()
            return
        self.edits.open(message.project)
        self._watch_ = Watch(message.project)
        self._values = message.project.document.values
        self._choose_named(self.app.channel or (self.owner.name if self.owner else ""))
        self._survey(message.folder, message.project)

    @work(thread=True, exclusive=True, group="rack-look", exit_on_error=False)
    def _survey(self, folder: Path, project: Project | None) -> None:
        if project is None:
            return
        try:
            self.post_message(self.Drawn(folder, project_model.pictures(project)))
        except CovermakerError as error:
            self.post_message(self.Drawn(folder, None, str(error)))

    @on(Drawn)
    def _drawn(self, message: Drawn) -> None:
        if message.folder != self.folder:
            return
        self._no_sounds = message.problem
        if message.pictures is not None:
            self._take_pictures(message.pictures)
        self._sound_changed()

    @work(thread=True, exclusive=True, group="rack-watch", exit_on_error=False)
    def _look(self) -> None:
        """Notice what others do to the document."""
        watch = self._watch_
        if watch is None or self.edits.is_busy or not self.is_current:
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
        self._show()
        self.app.say(problem, "failed")

    @on(Changed)
    def _changed_outside(self, message: Changed) -> None:
        if message.news.project.root == self.folder:
            self._take(message.news.project)
            if message.news.words:
                self.app.say(f"changed on disk: {'; '.join(message.news.words)}", "stale")

    def saved_elsewhere(self, project: Project) -> None:
        """Take over what another screen of the studio has saved."""
        if project.root == self.folder and self.edits.project is not None:
            self._watch_ = Watch(project)
            self._take(project)

    def _take(self, project: Project) -> None:
        """Show and hear a document that is another now."""
        self._problem = ""
        self.edits.open(project)
        self._values = project.document.values
        self._choose_named(self.owner.name if self.owner else "")

    def read_again(self) -> None:
        """Read the project and the presets from the disk."""
        if self.folder is not None:
            self._read(self.folder)

    def watch_from(self, project: Project) -> None:
        """Take a saved document as the one that is known."""
        self._watch_ = Watch(project)

    def jobs_changed(self) -> None:
        """Look anew when a render of this song is over."""
        job = self.app.board.of(str(self.folder)) if self.folder is not None else None
        if job is not None and job.is_over and job.id != self._seen_job and self.folder is not None:
            self._seen_job = job.id
            self._survey(self.folder, self.edits.project)

    # What can be done

    def refusal(self, action_id: str) -> str | None:
        """Say why an action cannot be done now."""
        if self.folder is None:
            return (
                None if action_id == "rack.back" else "no project is open: {studio.library} shows your songs"
            )
        why = _REFUSALS.get(action_id)
        return why(self) if why else None

    def no_render(self) -> str | None:
        """Say why it cannot be rendered."""
        job = self.app.board.of(str(self.folder))
        return "it is being rendered" if job is not None and not job.is_over else self._problem or None

    def no_spectrum(self) -> str | None:
        """Say why the spectrum needs no key."""
        return "there is room for both: the spectrum is shown" if "-tall" in self.classes else None

    def action_owner_next(self) -> None:
        """Go to the next channel."""
        self._step_owner(1)

    def action_owner_previous(self) -> None:
        """Go to the channel before."""
        self._step_owner(-1)

    def _step_owner(self, by: int) -> None:
        known: list[Owner] = self._owners
        places = [one.place for one in known]
        if self.owner is not None and self.owner.place in places:
            self._choose(known[(places.index(self.owner.place) + by) % len(known)])

    def action_spectrum(self) -> None:
        """Show the spectrum, or the levels."""
        self.query_one("#rack").toggle_class("-spectral")

    def action_render(self) -> None:
        """Render what is stale."""
        if self.folder is not None:
            title = self.edits.project.cover.title if self.edits.project else self.folder.name
            self.app.render_project(self.folder, title)
            self.app.say(f"rendering {one_line(title)}", "run")

    def action_back(self) -> None:
        """Go back to the project."""
        self.app.action_show("project" if self.folder is not None else "library")


_REFUSALS = {
    "rack.play": RackScreen.no_sound,
    "rack.switch": RackScreen.no_sound,
    "rack.match": RackScreen.no_sound,
    "rack.difference": RackScreen.no_sound,
    "rack.earlier": RackScreen.no_loop,
    "rack.later": RackScreen.no_loop,
    "rack.loop-in": RackScreen.no_loop,
    "rack.loop-out": RackScreen.no_loop,
    "rack.loop": RackScreen.no_loop,
    "rack.add": RackScreen.no_owner,
    "rack.save": RackScreen.no_effect,
    "rack.preset": RackScreen.no_preset,
    "rack.compare": RackScreen.no_preset,
    "rack.owner-next": RackScreen.no_owner,
    "rack.owner-previous": RackScreen.no_owner,
    "rack.remove": RackScreen.no_effect,
    "rack.toggle": RackScreen.no_effect,
    "rack.bypass-all": RackScreen.no_effect,
    "rack.move-up": RackScreen.no_earlier,
    "rack.move-down": RackScreen.no_later,
    "rack.spectrum": RackScreen.no_spectrum,
    "rack.render": RackScreen.no_render,
}
