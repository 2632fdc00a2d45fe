"""The Rack screen: the effects of a track, a bus or the master, changed while a loop of it plays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container
from textual.widgets import Static

from covermaker.effects.presets import list_presets
from covermaker.jobs.launch import COMMAND
from covermaker.tui.keymap import bindings
from covermaker.tui.rack_chain import Chain, cells
from covermaker.tui.rack_editing import RackEditing
from covermaker.tui.rack_loop import LoopPane
from covermaker.tui.rack_parameters import Parameters
from covermaker.tui.rack_readings import Readings
from covermaker.tui.rack_sound import RackSound
from covermaker.tui.screens.hearing import HearingScreen
from covermaker.tui.widgets.spectrum import Spectrum

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from covermaker.effects.owners import Owner
    from covermaker.effects.presets import Kind, Preset


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
    Parameters, LoopPane { padding: 0 1; }
    Parameters { scrollbar-size-vertical: 1; overflow-x: hidden; }
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

    def on_screen_suspend(self) -> None:
        """Be quiet on another screen; a dialog over this one leaves the loop running."""
        if self.app.current_mode != self.SCREEN:
            self.pause()

    # Reading

    def new_sound(self, folder: Path) -> RackSound:
        """Return a player of a project's racks."""
        return RackSound(folder, self.app.ears(self._sound_changed), command=COMMAND)

    def was_opened(self) -> None:
        """Begin anew: another project is open."""
        assert self.sound is not None
        assert self.folder is not None
        self.owner, self.effects, self._rack_problem = None, (), ""
        self._chosen_preset, self._were_on = {}, {}
        self.sound.loop = self._last_loop = self._loop_of_project(self.folder)
        chain = self.query_one(Chain)
        chain.show_reading()
        chain.frame(*self._titles())
        chain.focus()

    def came_back(self) -> None:
        """Go to the rack that was chosen meanwhile."""
        if self.app.channel and self.edits.project is not None:
            self._choose_named(self.app.channel)

    def read_beside(self) -> list[Preset]:
        """Read the presets, on a thread."""
        kinds: tuple[Kind, ...] = ("racks", "masters")
        return [entry.preset for kind in kinds for entry in list_presets(kind) if entry.preset is not None]

    def show_problem(self) -> None:
        """Show why the project cannot be read."""
        self._show()

    def _loop_of_project(self, folder: Path) -> tuple[float, float] | None:
        """Return the loop that is on on the Project screen."""
        for other in self.app.others(self):
            if isinstance(other, HearingScreen) and other.folder == folder and other.sound is not None:
                return other.sound.loop
        return None

    # What can be done

    def no_render(self) -> str | None:
        """Say why it cannot be rendered."""
        return "it is being rendered" if self.is_rendering else self.problem or None

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

    def action_back(self) -> None:
        """Go back to the project."""
        self.app.action_show("project" if self.folder is not None else "library")


RackScreen.REFUSALS = {
    "rack.play": RackScreen.no_sound,
    "rack.switch": RackScreen.no_switch,
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
