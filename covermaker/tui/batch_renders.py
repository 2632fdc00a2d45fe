"""The studio's own renders as a queue of the Batch screen: they live as long as the studio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.render.hearable import Hearable
from covermaker.tui.batch_model import cells, details, renders, totals, word_of
from covermaker.tui.batch_shown import Done
from covermaker.tui.job_kinds import RENDER
from covermaker.tui.words import count, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from rich.text import Text

    from covermaker.tui.app import Studio
    from covermaker.tui.batch_sums import Totals
    from covermaker.tui.details import Look
    from covermaker.tui.job_board import Job
    from covermaker.tui.listing import Cell
    from covermaker.tui.words import Charset

_NO_RENDER: Final = "there is no render here: {batch.add} adds every stale song"
_NO_BATCH: Final = "that is for a batch: {batch.choose} shows one, {batch.begin} begins one"
_EMPTY: Final = "No renders yet. {batch.add} adds every stale song, {library.render} in the Library one."
_NOTHING: Final = (
    "Renders run one after another, each in a process of its own, and go on when you leave this screen. {batch.add} "
    "adds every stale song; in the library, {library.mark} marks some and {library.render} renders them.\n\n"
    "{batch.begin} begins a batch: a playlist becomes covers, also while the studio is closed. {batch.choose} "
    "shows the batches there are."
)


class Renders:
    """See `covermaker.tui.batch_shown.Shown`."""

    hidden: AbstractSet[str] = frozenset({"preset", "where", "tries"})
    not_here: AbstractSet[str] = frozenset({"stop", "report", "save"})

    def __init__(self, app: Studio) -> None:
        self._app = app
        self._numbers: dict[int, int] = {}
        self._voices: dict[str, str] = {}

    @property
    def _is_paused(self) -> bool:
        return RENDER in self._app.board.held

    @property
    def goes_on(self) -> bool:
        """Whether the renders are paused."""
        return self._is_paused

    def _job(self, row: int | None) -> Job | None:
        return self._app.board.jobs.get(row) if row is not None else None

    # Showing

    def rows(self) -> list[int]:
        """Return the renders in the order in which they are done."""
        if self._app.library is not None:
            self._app.library.count_stale()  # while it is not in front, nobody else does
        rows = [job.id for job in renders(self._app.board)]
        self._numbers = {row: number for number, row in enumerate(rows, start=1)}
        self._voices = {str(song.folder): song.voice for song in self._app.songs}
        return rows

    def frame(self) -> tuple[str, str]:
        """Return how many there are, and whether they are paused."""
        number = len(renders(self._app.board))
        paused = ""
        if self._is_paused:
            paused = "paused: the running one is finished" if self._running() else "paused"
        return "Queue: " + (count(number, "render") if number else "empty"), paused

    def empty(self) -> str:
        """Say how renders come here."""
        return _EMPTY

    def cells(self, row: int, charset: Charset, now: float) -> Mapping[str, Cell]:
        """Return a render's row."""
        job = self._job(row)
        if job is None:
            return {}
        voice = self._voices.get(job.subject, "")
        return cells(job, self._numbers.get(row, 0), voice, charset=charset, now=now, paused=self._is_paused)

    def heading(self, row: int | None) -> str:
        """Return the song's title."""
        job = self._job(row)
        if job is None:
            return "Render"
        return one_line(job.title) + (": why it failed" if word_of(job) == "failed" else "")

    def details(self, row: int | None, look: Look) -> Text | str:
        """Return all about a render."""
        job = self._job(row)
        return look.named(_NOTHING) if job is None else details(job, look, paused=self._is_paused)

    def totals(self, look: Look) -> Totals:
        """Sum them up."""
        return totals(self._app.board, self._estimates(), look.now)

    def _estimates(self) -> dict[str, float]:
        """Return how long the songs of the queue will take, where that is known."""
        library = self._app.library
        states = library.shelf.states if library is not None else {}
        found = ((job.subject, states.get(Path(job.subject))) for job in renders(self._app.board))
        return {
            subject: state.estimate_seconds for subject, state in found if state and state.estimate_seconds
        }

    def places(self, look: Look) -> None:
        """Tell of none: they run here, one after another."""

    def log(self, look: Look, rows: int) -> None:
        """Tell of none: the studio's log has their lines."""

    def project(self, row: int) -> Path | None:
        """Return the project that is rendered."""
        job = self._job(row)
        return Path(job.subject) if job is not None else None

    def heard(self, row: int) -> Hearable | None:
        """Return what was rendered."""
        job = self._job(row)
        files = job.result.get("files", []) if job is not None else []
        cover = next((Path(job.subject) / file for file in files), None) if job is not None else None
        return Hearable(Path(job.subject), cover, None) if job is not None and cover is not None else None

    # What can be done

    def refusal(self, action: str, row: int | None) -> str | None:
        """Say why not."""
        return _DEEDS[action][0](self, row) if action in _DEEDS else _NO_BATCH

    def do(self, action: str, row: int | None) -> Done:
        """Do it."""
        return _DEEDS[action][1](self, row)

    def _running(self) -> bool:
        return any(job.kind == RENDER for job in self._app.board.running)

    def _waiting(self) -> list[Job]:
        return [job for job in self._app.board.waiting if job.kind == RENDER]

    def _no_add(self, row: int | None) -> str | None:
        library = self._app.library
        return library.no_stale_at_all() if library is not None else "the library is not read yet"

    def _add(self, row: int | None) -> Done:
        if self._app.library is not None:
            self._app.library.render_all_stale()
        return Done()

    def _no_retry(self, row: int | None) -> str | None:
        job = self._job(row)
        if job is None:
            return _NO_RENDER
        if job.state not in {"failed", "stopped"}:
            words = {"run": "it is running", "wait": "it waits for its turn", "done": "it is done"}
            return words[job.state]
        return self._in_queue(job)

    def _in_queue(self, job: Job) -> str | None:
        other = self._app.board.of(job.subject)
        return None if other is None or other.is_over else "the song is in the queue again already"

    def _retry(self, row: int | None) -> Done:
        job = self._job(row)
        if job is None:
            return Done()
        new = self._app.runner.retry(job)
        return Done(f"{one_line(job.title)}: try {new.tries}, {self._turn(new)}", "run", new.id)

    def _turn(self, job: Job) -> str:
        if job.state == "run":
            return "running"
        return "waits: the queue is paused" if self._is_paused else f"{len(self._waiting())} wait"

    def _failed(self) -> list[Job]:
        return [job for job in renders(self._app.board) if job.state == "failed" and not self._in_queue(job)]

    def _no_retry_failed(self, row: int | None) -> str | None:
        return None if self._failed() else "nothing failed"

    def _retry_failed(self, row: int | None) -> Done:
        failed = self._failed()
        for job in failed:
            self._app.runner.retry(job)
        return Done(f"{count(len(failed), 'render')} to do again", "run")

    def _no_cancel(self, row: int | None) -> str | None:
        job = self._job(row)
        if job is None:
            return _NO_RENDER
        return "it is over" if job.is_over else None

    def _cancel(self, row: int | None) -> Done:
        job = self._job(row)
        if job is not None:
            self._app.runner.cancel(job)
        return Done()

    def _never(self, row: int | None) -> str | None:
        return None

    def _pause(self, row: int | None) -> Done:
        if self._is_paused:
            self._app.runner.release(RENDER)
            return Done("the queue goes on", "run")
        self._app.runner.hold(RENDER)
        return Done(
            "the queue is paused" + (": the running song is finished" if self._running() else ""), "stale"
        )

    def _no_order(self, row: int | None) -> str | None:
        job = self._job(row)
        if job is None:
            return _NO_RENDER
        if job.state != "wait":
            return "only what waits has a turn to change"
        return None if len(self._waiting()) > 1 else "nothing else waits"

    def _later(self, row: int | None) -> Done:
        return self._move(row, 1)

    def _earlier(self, row: int | None) -> Done:
        return self._move(row, -1)

    def _move(self, row: int | None, by: int) -> Done:
        job = self._job(row)
        if job is None:
            return Done()
        if not self._app.board.move(job, by):
            return Done("it is the last that waits" if by > 0 else "it is the next already", "stale")
        at = self._waiting().index(job) + 1
        return Done(f"{one_line(job.title)} is {at} of {len(self._waiting())} that wait", select=job.id)

    def _no_clear(self, row: int | None) -> str | None:
        return None if any(job.is_over for job in renders(self._app.board)) else "nothing is over yet"

    def _clear(self, row: int | None) -> Done:
        over = [job for job in renders(self._app.board) if job.is_over]
        for job in over:
            self._app.board.forget(job)
        return Done(f"took {count(len(over), 'render')} from the list; the log keeps what they said")


_DEEDS: Final[
    dict[str, tuple[Callable[[Renders, int | None], str | None], Callable[[Renders, int | None], Done]]]
] = {
    "add": (Renders._no_add, Renders._add),
    "retry": (Renders._no_retry, Renders._retry),
    "retry-failed": (Renders._no_retry_failed, Renders._retry_failed),
    "cancel": (Renders._no_cancel, Renders._cancel),
    "pause": (Renders._never, Renders._pause),
    "later": (Renders._no_order, Renders._later),
    "earlier": (Renders._no_order, Renders._earlier),
    "clear": (Renders._no_clear, Renders._clear),
}
