"""The Batch screen: many songs one after another, be they this studio's renders or a batch with its own process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from textual import on
from textual.containers import Container

from covermaker.tui import batch_style
from covermaker.tui.batch_list import JobDetails, Lines, Places, Queue, Sums
from covermaker.tui.batch_queue import BatchQueue
from covermaker.tui.batch_renders import Renders
from covermaker.tui.batch_shown import label
from covermaker.tui.batch_sums import totals_words
from covermaker.tui.details import Look
from covermaker.tui.job_kinds import RENDER
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Listing, Reader
from covermaker.tui.screens.beginning import BeginningScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from covermaker.render.hearable import Hearable
    from covermaker.tui.batch_shown import Shown
    from covermaker.tui.job_board import Job
    from covermaker.tui.keytable import Action

# Actions that are another thing in another queue: each says itself when it can be done.
_OF_QUEUE: Final = frozenset(
    {"add", "retry", "retry-failed", "cancel", "pause", "stop", "later", "earlier", "clear", "report", "save"}
)


class BatchScreen(BeginningScreen, inherit_bindings=False):
    """The queue."""

    SCREEN = "batch"
    BINDINGS = bindings("batch")
    SCOPED_CSS = False
    CSS = batch_style.CSS

    def __init__(self) -> None:
        super().__init__()
        self._renders: Renders | None = None
        self._batch: BatchQueue | None = None

    def compose_body(self) -> ComposeResult:
        """Build the panes."""
        with Container(id="batch", classes="at-queue renders"):
            yield Queue(id="queue")
            with Container(id="below"):
                yield JobDetails(id="job")
                yield Places(id="places")
            yield Sums(id="sums")
            yield Lines(id="lines")

    def on_mount(self) -> None:
        """Show what there is."""
        self.query_one(Places).frame("Places")
        self.query_one(Lines).frame("Log")
        self.app.batches.attend(True)
        self.jobs_changed()

    def on_screen_resume(self) -> None:
        """Show what happened meanwhile; where nothing was chosen, a batch that runs or is not finished."""
        self.app.batches.attend(True)
        self.app.leave_idle_batch()
        self.app.look_for_batch(idle=True)
        self.jobs_changed()

    def on_screen_suspend(self) -> None:
        """Read a batch on only while it runs."""
        self.app.batches.attend(False)

    def on_resize(self) -> None:
        """Lay the texts out anew."""
        self.call_after_refresh(self._show_all)

    @on(Reader.Reshaped)
    def _reshaped(self) -> None:
        self._show_all()

    def panes(self) -> list[Widget]:
        """Return the panes; this studio's renders have neither places nor a log of their own."""
        only = isinstance(self.shown, Renders)
        return [pane for pane in super().panes() if not only or isinstance(pane, (Queue, JobDetails))]

    def watch_focused(self) -> None:
        """In a window that does not hold all panes, show the one that has the focus."""
        super().watch_focused()
        if self.is_mounted:
            self._at(self.pane())

    def go_to(self, pane: Widget) -> None:
        """Give a pane the focus, though it may be hidden."""
        self._at(pane)
        super().go_to(pane)

    def _at(self, pane: Widget | None) -> None:
        if pane is not None and pane.id:
            body = self.query_one("#batch")
            body.set_classes([f"at-{pane.id}", *(["renders"] if isinstance(self.shown, Renders) else [])])
            self.call_after_refresh(self._show_all)  # what was hidden has another width now

    def shows(self, job: Job) -> bool:
        """Tell whether a row is about it, and the details where it failed."""
        if job.kind != RENDER or not isinstance(self.shown, Renders):
            return False
        return job.state != "failed" or self.query_one(Queue).selected == job.id

    # Showing

    @property
    def shown(self) -> Shown:
        """The queue that is shown."""
        state = self.app.batches.state
        if state is None:
            if self._renders is None:
                self._renders = Renders(self.app)
            return self._renders
        if self._batch is None or self._batch.state is not state:
            self._batch = BatchQueue(self.app.batches, state, self.app.named)
        return self._batch

    @property
    def _row(self) -> int | None:
        return self.query_one(Queue).selected if self.is_mounted else None

    def jobs_changed(self, select: int | None = None) -> None:
        """Show the queue as it is."""
        queue, shown = self.query_one(Queue), self.shown
        rows = shown.rows()
        if queue.shown is not shown:
            self._turn_to(shown)
            queue.show(rows)
            queue.cursor = 0
        elif rows != queue.items or select is not None:
            wanted = select if select is not None else queue.selected
            queue.show(rows, keep=lambda row: row == wanted)
        else:
            queue.redraw()
        queue.empty_text = self.app.named(shown.empty())
        queue.frame(*shown.frame())
        self._show_all()
        self.refresh_bindings()

    def _turn_to(self, shown: Shown) -> None:
        """Show another queue from now on."""
        queue = self.query_one(Queue)
        queue.shown, queue.hidden = shown, shown.hidden
        is_renders = isinstance(shown, Renders)
        self.query_one("#batch").set_class(is_renders, "renders")
        if is_renders and self.pane() not in (None, *self.panes()):
            self.go_to(queue)

    def _show_all(self) -> None:
        """Write the texts beside the list."""
        if not self.is_mounted or self.query_one(Queue).shown is not self.shown:
            return
        shown, row = self.shown, self._row
        pane, places, lines = self.query_one(JobDetails), self.query_one(Places), self.query_one(Lines)
        pane.frame(shown.heading(row), self.sound_words)
        pane.write(shown.details(row, self._look(pane)), about=f"{id(shown)} {row}")
        places.write(shown.places(self._look(places)) or "", about=str(id(shown)))
        log = shown.log(self._look(lines), max(1, lines.size.height))
        lines.write(log if log is not None else "")
        look = self._look(pane)
        sums = shown.totals(look)
        words = totals_words(sums, self.size.width - 2, self.app.charset) if sums.of else []
        self.query_one(Sums).show([(text, look.styles.get(tone, "")) for text, tone in words])

    def _look(self, pane: Reader) -> Look:
        width = max(20, pane.text_width)
        return Look(
            self.app.charset, self.app.state_styles(), width, self.app.named, tall=True, now=time.time()
        )

    @on(Listing.Moved)
    def _moved(self) -> None:
        self.app.batches.look_at(self._row)
        self._show_all()
        self.refresh_bindings()

    @on(Listing.Opened)
    def _opened(self) -> None:
        folder = self.shown.project(self._row) if self._row is not None else None
        if folder is not None:
            self.app.open_project(folder)

    # Actions

    def refusal(self, action_id: str) -> str | None:
        """Say why an action cannot be done now."""
        name = action_id.rpartition(".")[2]
        if action_id.startswith("batch.") and name in _OF_QUEUE:
            return self.shown.refusal(name, self._row) if self.is_mounted else None
        return super().refusal(action_id)

    def label_of(self, action: Action) -> str:
        """Return what an action is called in the queue that is shown."""
        usual = super().label_of(action)
        if action.screen != self.SCREEN or not self.is_mounted:
            return usual
        return label(self.shown, action.id.rpartition(".")[2], self._row, usual)

    def _do(self, name: str) -> None:
        done = self.shown.do(name, self._row)
        if done.words:
            self.app.say(done.words, done.tone)
        self.jobs_changed(done.select)

    def action_add(self) -> None:
        """Queue every stale song."""
        self._do("add")

    def action_retry(self) -> None:
        """Do the selected song again."""
        self._do("retry")

    def action_retry_failed(self) -> None:
        """Do everything again that failed."""
        self._do("retry-failed")

    def action_cancel(self) -> None:
        """Stop the selected song."""
        self._do("cancel")

    def action_pause(self) -> None:
        """Begin no next one, or go on."""
        self._do("pause")

    def action_stop(self) -> None:
        """End the process of a batch."""
        self._do("stop")

    def action_later(self) -> None:
        """Go after the next one."""
        self._do("later")

    def action_earlier(self) -> None:
        """Go before the one before."""
        self._do("earlier")

    def action_clear(self) -> None:
        """Take from the list what is over."""
        self._do("clear")

    def action_report(self) -> None:
        """Tell where the report is."""
        self._do("report")

    def action_save(self) -> None:
        """Write the batch as a list."""
        self._do("save")

    # Hearing

    def heard(self) -> Hearable | None:
        """Return the cover of the selected song."""
        return self.shown.heard(self._row) if self._row is not None else None

    def sound_changed(self) -> None:
        """Say what is heard at the details."""
        self.query_one(JobDetails).frame(self.shown.heading(self._row), self.sound_words)


BatchScreen.REFUSALS = {
    "batch.play": BatchScreen.no_play,
    "batch.switch": BatchScreen.no_switch,
}
