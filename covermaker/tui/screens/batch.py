"""The Batch screen: the queue that renders many songs one after another."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container

from covermaker.tui.batch_list import EMPTY, JobDetails, Queue, Sums
from covermaker.tui.batch_model import cells, details, renders, totals, totals_words, word_of
from covermaker.tui.details import Look
from covermaker.tui.job_kinds import RENDER
from covermaker.tui.keymap import bindings
from covermaker.tui.listing import Listing, Reader
from covermaker.tui.screens.base import StudioScreen
from covermaker.tui.words import count, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from covermaker.tui.job_board import Job
    from covermaker.tui.listing import Cell


class BatchScreen(StudioScreen, inherit_bindings=False):
    """The queue."""

    SCREEN = "batch"
    BINDINGS = bindings("batch")
    SCOPED_CSS = False
    CSS = """
    #batch { height: 1fr; layout: vertical; }
    #queue-row { height: 1fr; layout: vertical; }
    Queue { height: 1fr; }
    JobDetails { height: 9; }
    .-tall.-narrow JobDetails { height: 14; }
    .-wide #queue-row, .-huge #queue-row { layout: horizontal; }
    .-wide Queue, .-huge Queue { width: 1fr; }
    .-wide JobDetails { width: 40; height: 1fr; }
    .-huge JobDetails { width: 64; height: 1fr; }
    .-tiny Queue, .-tiny JobDetails, .-flat Queue, .-flat JobDetails { display: none; height: 1fr; width: 1fr; }
    .-tiny #queue-row > .-current, .-flat #queue-row > .-current { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[int, int] = {}
        self._voices: dict[str, str] = {}

    def compose_body(self) -> ComposeResult:
        """Build queue, details and sums."""
        with Container(id="batch"):
            with Container(id="queue-row"):
                yield Queue(self._cells, id="queue")
                yield JobDetails(id="render")
            yield Sums(id="sums")

    def on_mount(self) -> None:
        """Show what there is."""
        self.query_one(Queue).empty_text = self.app.named(EMPTY)
        self.jobs_changed()

    def on_screen_resume(self) -> None:
        """Show what happened meanwhile."""
        self.jobs_changed()

    def on_resize(self) -> None:
        """Lay the sums out anew."""
        self.call_after_refresh(self._show_sums)

    @on(Reader.Reshaped)
    def _reshaped(self) -> None:
        self._show_details()

    def shows(self, job: Job) -> bool:
        """Tell whether a row is about it, and the details where it failed."""
        return job.kind == RENDER and (job.state != "failed" or self._job is job)

    @property
    def _is_paused(self) -> bool:
        return RENDER in self.app.board.held

    @property
    def _job(self) -> Job | None:
        """The render under the cursor."""
        selected = self.query_one(Queue).selected
        return self.app.board.jobs.get(selected) if selected is not None else None

    # Showing

    def _cells(self, id_: int) -> Sequence[Cell]:
        job = self.app.board.jobs.get(id_)
        if job is None:
            return [("", "")] * len(Queue.COLUMNS)
        return cells(
            job,
            self._numbers.get(id_, 0),
            self._voices.get(job.subject, ""),
            charset=self.app.charset,
            now=time.time(),
            paused=self._is_paused,
        )

    def jobs_changed(self, select: Job | None = None) -> None:
        """Show the queue as it is."""
        queue, library = self.query_one(Queue), self.app.library
        if library is not None:
            library.count_stale()  # while it is not in front, nobody else does
        ids = [job.id for job in renders(self.app.board)]
        self._numbers = {id_: number for number, id_ in enumerate(ids, start=1)}
        self._voices = {str(song.folder): song.voice for song in self.app.songs}
        wanted = select.id if select is not None else queue.selected
        if ids != queue.items or select is not None:
            queue.show(ids, keep=lambda id_: id_ == wanted)
        else:
            queue.redraw()
        running = [job.id for job in self.app.board.running if job.kind == RENDER]
        queue.frame(
            "Queue: " + (count(len(ids), "render") if ids else "empty"), self._subtitle(bool(running))
        )
        self._show_details()
        self._show_sums()
        self.refresh_bindings()

    def _subtitle(self, running: bool) -> str:
        if not self._is_paused:
            return ""
        return "paused: the running one is finished" if running else "paused"

    def _show_details(self) -> None:
        pane, job = self.query_one(JobDetails), self._job
        if job is None:
            pane.frame("Render")
            pane.write(self.app.named(_NOTHING))
        else:
            pane.frame(one_line(job.title) + (": why it failed" if word_of(job) == "failed" else ""))
            width = max(20, pane.text_width)
            styles = self.app.state_styles()
            look = Look(self.app.charset, styles, width, self.app.named, tall=True, now=time.time())
            pane.write(details(job, look, paused=self._is_paused), about=str(job.id))

    def _show_sums(self) -> None:
        styles = self.app.state_styles()
        sums = totals(self.app.board, self._estimates(), time.time())
        lines = totals_words(sums, self.size.width - 2, self.app.charset) if sums.of else []
        self.query_one(Sums).show([(text, styles.get(tone, "")) for text, tone in lines])

    def _estimates(self) -> dict[str, float]:
        """Return how long the songs of the queue will take, where that is known."""
        library = self.app.library
        states = library.shelf.states if library is not None else {}
        found = ((job.subject, states.get(Path(job.subject))) for job in renders(self.app.board))
        return {
            subject: state.estimate_seconds for subject, state in found if state and state.estimate_seconds
        }

    @on(Listing.Moved)
    def _moved(self) -> None:
        self._show_details()
        self.refresh_bindings()

    @on(Listing.Opened)
    def _opened(self) -> None:
        job = self._job
        if job is not None:
            self.app.open_project(Path(job.subject))

    # Actions

    def no_add(self) -> str | None:
        """Say why nothing can be added."""
        library = self.app.library
        return library.no_stale_at_all() if library is not None else "the library is not read yet"

    def no_retry(self) -> str | None:
        """Say why the selected render is not done again."""
        job = self._job
        if job is None:
            return _NO_RENDER
        if job.state not in {"failed", "stopped"}:
            words = {"run": "it is running", "wait": "it waits for its turn", "done": "it is done"}
            return words[job.state]
        return self._in_queue(job)

    def _in_queue(self, job: Job) -> str | None:
        other = self.app.board.of(job.subject)
        return None if other is None or other.is_over else "the song is in the queue again already"

    def no_retry_failed(self) -> str | None:
        """Say why there is nothing to do again."""
        return None if self._failed() else "nothing failed"

    def no_cancel(self) -> str | None:
        """Say why there is nothing to cancel."""
        job = self._job
        if job is None:
            return _NO_RENDER
        return "it is over" if job.is_over else None

    def no_order(self) -> str | None:
        """Say why the selected render has no turn to change."""
        job = self._job
        if job is None:
            return _NO_RENDER
        if job.state != "wait":
            return "only what waits has a turn to change"
        return None if len(self._waiting()) > 1 else "nothing else waits"

    def no_clear(self) -> str | None:
        """Say why there is nothing to clear."""
        return None if any(job.is_over for job in renders(self.app.board)) else "nothing is over yet"

    def _failed(self) -> list[Job]:
        return [job for job in renders(self.app.board) if job.state == "failed" and not self._in_queue(job)]

    def _waiting(self) -> list[Job]:
        return [job for job in self.app.board.waiting if job.kind == RENDER]

    def action_add(self) -> None:
        """Queue every stale song."""
        if self.app.library is not None:
            self.app.library.render_all_stale()
            self.jobs_changed()

    def action_retry(self) -> None:
        """Do the selected render again."""
        job = self._job
        if job is not None:
            new = self.app.runner.retry(job)
            self.app.say(f"{one_line(job.title)}: try {new.tries}, {self._turn(new)}", "run")
            self.jobs_changed(new)

    def _turn(self, job: Job) -> str:
        if job.state == "run":
            return "running"
        return "waits: the queue is paused" if self._is_paused else f"{len(self._waiting())} wait"

    def action_retry_failed(self) -> None:
        """Do everything again that failed."""
        failed = self._failed()
        for job in failed:
            self.app.runner.retry(job)
        self.app.say(f"{count(len(failed), 'render')} to do again", "run")
        self.jobs_changed()

    def action_cancel(self) -> None:
        """Stop the selected render."""
        job = self._job
        if job is not None:
            self.app.runner.cancel(job)
            self.jobs_changed()

    def action_pause(self) -> None:
        """Begin no next one, or go on."""
        if self._is_paused:
            self.app.runner.release(RENDER)
            self.app.say("the queue goes on", "run")
        else:
            self.app.runner.hold(RENDER)
            running = any(job.kind == RENDER for job in self.app.board.running)
            self.app.say(
                "the queue is paused" + (": the running song is finished" if running else ""), "stale"
            )
        self.jobs_changed()

    def action_later(self) -> None:
        """Go after the next one."""
        self._move(1)

    def action_earlier(self) -> None:
        """Go before the one before."""
        self._move(-1)

    def _move(self, by: int) -> None:
        job = self._job
        if job is None:
            return
        if self.app.board.move(job, by):
            at = self._waiting().index(job) + 1
            self.app.say(f"{one_line(job.title)} is {at} of {len(self._waiting())} that wait")
            self.jobs_changed(job)
        else:
            self.app.say("it is the last that waits" if by > 0 else "it is the next already", "stale")

    def action_clear(self) -> None:
        """Take from the list what is over."""
        over = [job for job in renders(self.app.board) if job.is_over]
        for job in over:
            self.app.board.forget(job)
        self.app.say(f"took {count(len(over), 'render')} from the list; the log keeps what they said")
        self.jobs_changed()


_NO_RENDER = "there is no render here: {batch.add} adds every stale song"
_NOTHING = (
    "Renders run one after another, each in a process of its own, and go on when you leave this screen.\n\n"
    "{batch.add} adds every stale song of the library. In the library, {library.mark} marks some and "
    "{library.render} renders them."
)
BatchScreen.REFUSALS = {
    "batch.add": BatchScreen.no_add,
    "batch.retry": BatchScreen.no_retry,
    "batch.retry-failed": BatchScreen.no_retry_failed,
    "batch.cancel": BatchScreen.no_cancel,
    "batch.later": BatchScreen.no_order,
    "batch.earlier": BatchScreen.no_order,
    "batch.clear": BatchScreen.no_clear,
}
