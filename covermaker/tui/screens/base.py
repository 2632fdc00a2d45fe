"""What every screen shares: tabs above, one line of words and one of keys below, panes that tab walks through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from covermaker.tui.actions import Acting, Pane
from covermaker.tui.chrome import Keys, StatusLine, Tabs

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from covermaker.project.load import Project
    from covermaker.tui.app import Studio
    from covermaker.tui.job_board import Job
    from covermaker.tui.keytable import Action

NOTHING_TO_UNDO: Final = "there is nothing to undo here"


class StudioScreen(Acting, Screen[None], inherit_bindings=False):
    """A screen of the studio. In a window below 80 by 20 it shows one pane at a time."""

    app: Studio

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (80, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    _bound_for: Widget | None = None
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-short"), (32, "-tall")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        """Build the frame around what the screen is."""
        yield Tabs()
        yield from self.compose_body()
        yield StatusLine()
        yield Keys()

    def compose_body(self) -> ComposeResult:
        """Build what is between tabs and words."""
        yield from ()

    def on_resize(self) -> None:
        """Say in a small window that there is more to see."""
        self.call_after_refresh(self.redraw_frame)

    def on_screen_suspend(self) -> None:
        """Show the keys of what lies over it."""
        for keys in self.query(Keys):
            keys.refresh()

    def on_mount(self) -> None:
        """Give the first pane the focus."""
        panes = self.panes()
        if panes:
            panes[0].focus()

    def panes(self) -> list[Widget]:
        """Return the panes, in the order of the screen."""
        return [widget for widget in self.query(Widget) if isinstance(widget, Pane)]

    def pane(self) -> Widget | None:
        """Return the pane that has the focus, or holds what has it."""
        focused = self.focused
        panes = self.panes()
        nodes = focused.ancestors_with_self if focused is not None else []
        return next((pane for node in nodes for pane in panes if pane is node), None)

    def watch_focused(self) -> None:
        """In a small window, show the pane that has the focus alone."""
        current = self.pane()
        if current is not None:
            for pane in self.panes():
                pane.set_class(pane is current, "-current")

    def go_to(self, pane: Widget) -> None:
        """Give a pane the focus, though it may be hidden in a small window."""
        for other in self.panes():
            other.set_class(other is pane, "-current")
        self._bound_for = pane
        if pane.display:
            self._arrive(pane)
        else:
            self.call_after_refresh(self._arrive, pane)

    def _arrive(self, pane: Widget) -> None:
        """Give a pane the focus at once, so that the next key of a burst is for it."""
        if pane is not self._bound_for:
            return
        self._bound_for = None
        if pane.can_focus:
            self.set_focus(pane)
        else:
            pane.focus()

    def action_pane_next(self) -> None:
        """Go to the next pane."""
        self._step(1)

    def action_pane_previous(self) -> None:
        """Go to the pane before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        panes, current = self.panes(), self._bound_for or self.pane()
        if panes:
            at = panes.index(current) if current in panes else -1
            self.go_to(panes[(at + by) % len(panes)])

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Turn a thread of ours that broke into a line and a toast."""
        if event.state is WorkerState.ERROR:
            self.app.broke(event.worker.error)

    def label_of(self, action: Action) -> str:
        """Return what the footer calls an action now; "" where it has no use for it."""
        return action.group or action.label

    def redraw_frame(self) -> None:
        """Draw tabs and words again."""
        for widget in self.query(Tabs):
            widget.refresh()
        for line in self.query(StatusLine):
            line.refresh()

    def jobs_changed(self) -> None:
        """Take over what jobs tell; called a few times a second at most."""

    def shows(self, job: Job) -> bool:
        """Tell whether it shows all that there is to say of a job that has ended."""
        return False

    def answers(self, job: Job) -> bool:
        """Tell whether it says itself what became of a job that has ended."""
        return False

    async def finish(self) -> list[str]:
        """Wait until what was changed here is saved; returns what cannot be, in words."""
        return []

    def save_now(self, seconds: float) -> None:
        """Save what waits, within so many seconds and without a word: the studio ends."""

    def pause(self) -> None:
        """Stop what it plays: another screen begins to."""

    def saved_elsewhere(self, project: Project) -> None:
        """Take over a project that another screen has saved."""

    def undo_words(self) -> str:
        """Return what undo would take back; "" for nothing."""
        return ""

    def redo_words(self) -> str:
        """Return what redo would do again; "" for nothing."""
        return ""

    def nothing_to_undo(self) -> str:
        """Say that there is nothing to take back on this screen, and where there is."""
        return NOTHING_TO_UNDO

    def no_undo(self) -> str | None:
        """Return why the last change cannot be taken back now; None when it can."""
        return None

    def no_redo(self) -> str | None:
        """Return why what was taken back cannot be done again now; None when it can."""
        return None

    def undo(self) -> None:
        """Take the last change back."""

    def redo(self) -> None:
        """Do again what was taken back."""
