"""The Project screen: a song's steps, its sound before and after, and its mixer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Container
from textual.message import Message
from textual.widgets import Static

from covermaker.jobs.launch import COMMAND
from covermaker.tui import model
from covermaker.tui.keymap import bindings
from covermaker.tui.project_channels import channels
from covermaker.tui.project_controllers import Controlled
from covermaker.tui.project_mixer import Mixer
from covermaker.tui.project_refusals import REFUSALS
from covermaker.tui.project_sections import sections
from covermaker.tui.project_sound import Sound
from covermaker.tui.project_steps import Steps
from covermaker.tui.project_wave import Wave
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.widget import Widget

    from covermaker.project.load import Project
    from covermaker.render.state import State
    from covermaker.tui.project_model import Pictures


class ProjectScreen(Controlled, inherit_bindings=False):
    """One song."""

    SCREEN = "project"
    REFUSALS = REFUSALS
    BINDINGS = bindings("project")
    CSS_PATH = "../project.tcss"

    @dataclass
    class Known(Message):
        """Its state was found out."""

        folder: Path
        state: State

    def __init__(self) -> None:
        super().__init__()
        self.state: State | None = None

    def compose_body(self) -> ComposeResult:
        """Build the panes."""
        with Container(id="project", classes="-empty"):
            yield Static(classes="seat", markup=False)
            yield Steps(id="steps")
            yield Wave(id="a")
            yield Wave(id="b", classes="pane -other")
            yield Mixer(id="mixer")

    def panes(self) -> list[Widget]:
        """Return the panes that this window has room for: in a low one, one wave shows what is heard."""
        return [pane for pane in super().panes() if pane.id != "b" or self._is_tall]

    # Reading

    def new_sound(self, folder: Path) -> Sound:
        """Return a player of a project."""
        return Sound(folder, self.app.ears(self._sound_changed), command=COMMAND)

    def was_opened(self) -> None:
        """Begin anew: another project is open."""
        self.state = None
        self._forget_listening()
        for wave in self.query(Wave):
            wave.loop, wave.looping, wave.position = None, False, 0.0
            wave.show_sections(())
            wave.show_moves(None)
            wave.show_music(None)
        assert self.folder is not None
        self.query_one(Steps).border_title = one_line(self.folder.name).replace("[", "\\[")
        self._draw_waves()
        self._write_steps()
        self.query_one(Steps).focus()

    async def take(self, project: Project, beside: Any = None) -> None:
        """Show a project as it is now."""
        self.query_one(Steps).border_title = one_line(project.cover.title).replace("[", "\\[") + ": steps"
        for wave in self.query(Wave):
            wave.show_sections(sections(project.cover, self.music))
        rows = channels(project.cover, self._solo, self._bypassed)
        await self.query_one(Mixer).show(rows, self.app.settings.meters)
        self.show_moves()
        self.show_singing()
        self.refresh_bindings()

    def look_first(self, folder: Path) -> None:
        """Find out, on a thread, what is done."""
        self.post_message(self.Known(folder, model.state_of(folder)))

    @on(Known)
    def _known(self, message: Known) -> None:
        if message.folder == self.folder:
            self.state = message.state
            self._write_steps()
            self.refresh_bindings()

    def take_pictures(self, pictures: Pictures | None) -> None:
        """Draw the sounds."""
        if pictures is not None and self.sound is not None:
            self.sound.take(pictures.sounds)
            self.show_music()
        self._draw_waves()

    def show_problem(self) -> None:
        """Show why the project cannot be read."""
        self._write_steps()
        self._draw_waves()

    # Showing

    def _write_steps(self) -> None:
        self.query_one(Steps).show(self.state, self.job, self.problem)

    def jobs_changed(self) -> None:
        """Show what runs."""
        super().jobs_changed()
        self._write_steps()
        self.refresh_bindings()

    # Hearing

    def on_resize(self) -> None:
        """Draw as many waves as there is room for."""
        self.call_after_refresh(self._draw_waves)
        self.call_after_refresh(self.query_one(Mixer).fit)

    # Rendering

    @on(Steps.Again)
    def _again(self, message: Steps.Again) -> None:
        self.render_again(message.step)

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
