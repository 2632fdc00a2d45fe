"""The panes of a project's two sounds, A above B: what is made and what it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from covermaker.tui.actions import Pane
from covermaker.tui.keymap import bindings
from covermaker.tui.project_sections import HERE_SECONDS, after, at, before
from covermaker.tui.widgets.ruler import NO_GRID, Grid
from covermaker.tui.widgets.waveform import Waveform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.features.song.music import Music
    from covermaker.tui.project_sections import Section


class Wave(Pane, Waveform, inherit_bindings=False):
    """One sound."""

    SCREEN = "project"
    PANE = "wave"
    TITLE = "Waveform"
    HELP_TEXT = (
        "A is the cover, B the original; {project.switch} hears the other one, equally loud while {project.match} is "
        "on. {project.start} and {project.end} go to the ends of the song. "
        "{project.loop-in} and {project.loop-out} set the ends of the loop, dragging does too, {project.loop} "
        "turns it on and off. {project.zoom-in} and {project.zoom-out} zoom. The line below the wave is the melody, "
        "below it stand the song's sections: {project.section-before} and {project.section-next} go from one to the "
        "other, {project.section-add} begins one here, {project.section-remove} takes it away. What moves of the "
        "channel that is chosen in the mixer is drawn below the melody. {project.bars} counts bars on the ruler in "
        "place of seconds; the ends of loops then go to bars."
    )
    BINDINGS = bindings("project", "wave")

    class Named(Message):
        """A section is to begin here, or the one at hand is to go."""

        def __init__(self, seconds: float, gone: Section | None = None) -> None:
            super().__init__()
            self.seconds, self.gone = seconds, gone

    class BarsWanted(Message):
        """Bars are to be counted, or seconds again."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.sections: tuple[Section, ...] = ()
        self.grid = NO_GRID
        self.by_bars = False
        self.nothing = ""

    def refusal(self, action_id: str) -> str | None:
        """Say that there is no sound yet, or no section."""
        if not self.seconds:
            return self.nothing
        why = "the song has no sections: {project.section-add} begins one at the playhead"
        if action_id == "project.section-next":
            return (
                None
                if after(self.sections, self.position)
                else "no section follows"
                if self.sections
                else why
            )
        if action_id == "project.section-add" and self.position >= self.seconds - HERE_SECONDS:
            return "the song ends here: nothing of it would be in the section"
        if action_id in {"project.section-before", "project.section-remove"}:
            return None if self.sections else why
        return None

    def show_sections(self, sections: Sequence[Section]) -> None:
        """Show where parts of the song begin."""
        if tuple(sections) != self.sections:
            self.sections = tuple(sections)
            super().show_sections(sections)

    def show_music(self, music: Music | None) -> None:
        """Show bars and beats, where they are known."""
        grid = Grid(music.downbeats, music.beats) if music is not None else NO_GRID
        if grid != self.grid:
            self.grid = grid
            self.count_bars(self.by_bars and bool(grid.beats))

    def count_bars(self, wanted: bool) -> None:
        """Count bars on the ruler, or seconds."""
        self.by_bars = wanted
        self.show_grid(self.grid, by_bars=wanted)

    def action_bars(self) -> None:
        """Count bars, or seconds again."""
        self.post_message(self.BarsWanted())

    def action_section_next(self) -> None:
        """Go to the next section."""
        found = after(self.sections, self.position)
        if found is not None:
            self._go(found[0])

    def action_section_before(self) -> None:
        """Go to the beginning of the section, or to the one before."""
        found = before(self.sections, self.position)
        if found is not None:
            self._go(found[0])

    def action_section_add(self) -> None:
        """Begin a section here."""
        self.post_message(self.Named(self.position))

    def action_section_remove(self) -> None:
        """Take the section at hand away."""
        self.post_message(self.Named(self.position, at(self.sections, self.position) or self.sections[0]))

    def action_seek(self, seconds: float = 5.0) -> None:
        """Move the playhead by so much."""
        self._go(min(max(0.0, self.position + seconds), self.seconds))

    def _go(self, seconds: float) -> None:
        """Go to a time: at once on the screen, so that the next key of a burst finds the playhead there."""
        self.position = seconds
        self.post_message(self.Sought(self, seconds))

    def action_zoom_in(self) -> None:
        """Show less, larger."""
        self.action_zoom()

    def action_zoom_out(self) -> None:
        """Show more."""
        self.action_zoom(0.5)

    def action_whole(self) -> None:
        """Show all of it."""
        self.show_view(0.0, self.seconds)

    def action_start(self) -> None:
        """Go to the start of the song."""
        self._go(0.0)

    def action_end(self) -> None:
        """Go to its end."""
        self._go(self.seconds)

    def action_left(self) -> None:
        """Go back a second."""
        self.action_seek(-1.0)

    def action_right(self) -> None:
        """Go on a second."""
        self.action_seek(1.0)
