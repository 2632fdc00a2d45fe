"""The panes of a project's two sounds, A above B: what is made and what it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.widgets.waveform import Waveform

if TYPE_CHECKING:
    from covermaker.tui.widgets.waveform import Loop


class Wave(Pane, Waveform, inherit_bindings=False):
    """One sound."""

    SCREEN = "project"
    PANE = "wave"
    TITLE = "Waveform"
    HELP_TEXT = (
        "A is the cover, B the original; {project.switch} hears the other one, equally loud while {project.match} is "
        "on. {project.loop-in} and {project.loop-out} set the ends of the loop, dragging does too, {project.loop} "
        "turns it on and off. {project.zoom-in} and {project.zoom-out} zoom. The line below the wave is the melody."
    )
    BINDINGS = bindings("project", "wave")

    def refusal(self, action_id: str) -> str | None:
        """Say that there is no sound yet."""
        return None if self.seconds else "there is no sound yet: {project.render} renders it"

    def action_zoom_in(self) -> None:
        """Show less, larger."""
        self.action_zoom()

    def action_zoom_out(self) -> None:
        """Show more."""
        self.action_zoom(0.5)

    def action_whole(self) -> None:
        """Show all of it."""
        self.show_view(0.0, self.seconds)

    def action_left(self) -> None:
        """Go back a second."""
        self.action_seek(-1.0)

    def action_right(self) -> None:
        """Go on a second."""
        self.action_seek(1.0)

    def follow_of(self, loop: Loop | None, *, looping: bool, position: float) -> None:
        """Show loop and playhead."""
        self.loop, self.looping, self.position = loop, looping, position
