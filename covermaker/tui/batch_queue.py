"""A batch as a queue of the Batch screen: it is worked on by a process of its own, which takes what is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.batch.changing import NOTHING
from covermaker.batch.report_row import cover_of
from covermaker.errors import CovermakerError
from covermaker.render.hearable import Hearable
from covermaker.texts import one_line
from covermaker.tui.batch_shown import Done
from covermaker.tui.batch_songs import (
    called,
    cells,
    details,
    engine_words,
    log_text,
    places_text,
    standing,
    totals,
    word_of,
)
from covermaker.tui.batch_watch import Answer
from covermaker.tui.words import count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from rich.text import Text

    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Asked, Song
    from covermaker.tui.batch_state import BatchState
    from covermaker.tui.batch_sums import Totals
    from covermaker.tui.batches import Batches
    from covermaker.tui.details import Look
    from covermaker.tui.listing import Cell
    from covermaker.tui.words import Charset

_BEGINS: Final = "a process begins to work on the batch"
_NO_SONG: Final = "there is no song here"


class BatchQueue:
    """See `covermaker.tui.batch_shown.Shown`.

    Parameters
    ----------
    batches : Batches
        What reads the batch and takes what is asked.
    state : BatchState
        The batch that they show.
    named : callable
        Puts keys in the place of the actions that a sentence names.
    """

    hidden: AbstractSet[str] = frozenset()
    not_here: AbstractSet[str] = frozenset({"add", "clear"})

    def __init__(self, batches: Batches, state: BatchState, named: Callable[[str], str]) -> None:
        self._batches, self.state, self._named = batches, state, named

    def _song(self, row: int | None) -> Song | None:
        return self.state.songs.get(row) if row is not None else None

    def _the(self, row: int | None) -> Song:
        """Return the song of a row that is there: nothing else gets past `refusal`."""
        assert row is not None
        return self.state.songs[row]

    # Showing

    def rows(self) -> Sequence[int]:
        """Return the songs in the order of their turns."""
        return self.state.order

    def frame(self) -> tuple[str, str]:
        """Return what the batch is called; who works on it, and how."""
        if self.state.problem is not None and not self.state.is_beginning:
            return f"Queue: {one_line(self.state.title)}", "cannot be read"
        words = standing(self.state).partition(":")[0] if self.state.worked_on else standing(self.state)
        engine = "" if self.state.is_left else engine_words(self.state)
        return f"Queue: {one_line(self.state.title)}", self._named(", ".join(filter(None, (engine, words))))

    def empty(self) -> str:
        """Say why there is no song."""
        if self.state.is_beginning:
            return "The batch begins: its list is being read."
        if self.state.problem is not None:
            return "The queue cannot be read. {batch.choose} shows another one."
        return "The batch has no songs." if self.state.is_read else "The batch is being read."

    def cells(self, row: int, charset: Charset, now: float) -> Mapping[str, Cell]:
        """Return a song's row."""
        song = self._song(row)
        return cells(self.state, song, charset=charset, now=now) if song is not None else {}

    def heading(self, row: int | None) -> str:
        """Return the song's title."""
        song = self._song(row)
        if song is None:
            return "Song"
        return called(song) + (": why it failed" if word_of(self.state, song) == "failed" else "")

    def details(self, row: int | None, look: Look) -> Text | str:
        """Return all about a song."""
        song = self._song(row)
        if song is not None:
            return details(self.state, song, look)
        problem = self.state.problem
        if problem is None or self.state.is_beginning:
            return self.empty()
        return "\n\n".join(filter(None, (problem.message, problem.hint)))

    def totals(self, look: Look) -> Totals:
        """Sum them up."""
        return totals(self.state, look)

    def places(self, look: Look) -> Text:
        """Return where songs run."""
        return places_text(self.state, look)

    def log(self, look: Look, rows: int) -> Text:
        """Return the last lines of the batch's log."""
        return log_text(self.state, look, rows)

    def project(self, row: int) -> Path | None:
        """Return the song's project, once it is made."""
        song = self._song(row)
        return Path(song.project) if song is not None and song.project else None

    def heard(self, row: int) -> Hearable | None:
        """Return the song's cover."""
        song = self._song(row)
        cover = cover_of(song.result.get("files") or ()) if song is not None else ""
        if song is None or not cover:
            return None
        is_file = not song.kept and song.place
        return Hearable(Path(song.project), Path(cover), Path(song.place) if is_file else None)

    # What can be done

    def refusal(self, action: str, row: int | None) -> str | None:
        """Say why not."""
        if action in _NOT_OURS:
            return _NOT_OURS[action]
        if self.state.problem is not None:
            return self.state.problem.message
        if action in _OF_A_SONG and self._song(row) is None:
            return _NO_SONG if self.state.is_read else "the batch is being read"
        return _DEEDS[action][0](self, row)

    def do(self, action: str, row: int | None) -> Done:
        """Do it, or have it done: then `Batches.hear` returns what came of it."""
        return _DEEDS[action][1](self, row)

    def _ask(self, what: Asked, songs: Sequence[int], words: str, tone: str = "run") -> Done:
        def deed(queue: Queue) -> Answer:
            from covermaker.batch.asking import leave_ask

            said = leave_ask(queue, what, songs)
            if said.startswith(NOTHING):
                return Answer(said, "stale")
            alone = what == "retry" and not queue.is_worked_on
            return Answer(f"{words}: {_BEGINS}" if alone else words, tone, resumes=alone)

        self._batches.do(deed)
        return Done()

    def _no_retry(self, row: int | None) -> str | None:
        song = self._the(row)
        if self.state.is_asked("retry", song.id):
            return "it was asked to be tried again"
        words = {"running": "it is running", "waiting": "it waits for its turn", "done": "it is done"}
        return words.get(song.state)

    def _retry(self, row: int | None) -> Done:
        song = self._the(row)
        return self._ask("retry", [song.id], f"{called(song)} waits to be tried again")

    def _no_retry_failed(self, row: int | None) -> str | None:
        return None if self.state.counts["failed"] else "nothing failed"

    def _retry_failed(self, row: int | None) -> Done:
        number = self.state.counts["failed"]
        words = f"{count(number, 'song waits', 'songs wait')} to be tried again"
        return self._ask("retry", (), words)

    def _no_cancel(self, row: int | None) -> str | None:
        song = self._the(row)
        if self.state.is_asked("cancel", song.id):
            return "it is being cancelled"
        return "it is over" if song.is_over else None

    def _cancel(self, row: int | None) -> Done:
        song = self._the(row)
        running = self.state.is_running(song)
        words = "is being cancelled: finished steps are kept" if running else "is cancelled"
        return self._ask("cancel", [song.id], f"{called(song)} {words}", "quiet")

    def _no_pause(self, row: int | None) -> str | None:
        if self.state.is_beginning:
            return "a process begins to work on it"
        return None if self.state.worked_on or self.state.is_left else "nothing is left to do"

    @property
    def goes_on(self) -> bool:
        """Whether the key that pauses makes it go on."""
        return self.state.is_left or self.state.is_paused or self.state.is_stopping

    def _pause(self, row: int | None) -> Done:
        if self.state.is_stopping:
            self._batches.go_on_after_stop(self.state.folder)
            return Done("the batch goes on as soon as it has stopped", "run")
        if self.state.is_left:
            try:
                self._batches.resume(self.state.folder)
            except CovermakerError as error:
                return Done(str(error), "failed")
            return Done(f"{_BEGINS}: it goes on when the studio is closed", "run")
        if self.state.is_paused:
            return self._ask("go on", (), "the batch goes on")
        running = ": what runs is finished" if self.state.running else ""
        return self._ask("pause", (), f"the batch is paused{running}", "stale")

    def _no_stop(self, row: int | None) -> str | None:
        if not self.state.worked_on:
            return "nobody works on it"
        return "it stops already" if self.state.is_stopping else None

    def _stop(self, row: int | None) -> Done:
        words = "the batch stops: what runs waits for the next time, {batch.pause} goes on"
        return self._ask("stop", (), words, "stale")

    def _no_order(self, row: int | None) -> str | None:
        if self._the(row).state != "waiting":
            return "only what waits has a turn to change"
        return None if self.state.counts["waiting"] > 1 else "nothing else waits"

    def _move(self, by: int, row: int | None) -> Done:
        song = self._the(row)
        waiting = [number for number in self.state.order if self.state.songs[number].state == "waiting"]
        at = waiting.index(song.id) + by
        if not 0 <= at < len(waiting):
            return Done("it is the last that waits" if by > 0 else "it is the next already", "stale")
        words = f"{called(song)} is {at + 1} of {len(waiting)} that wait"

        def deed(queue: Queue) -> Answer:
            from covermaker.batch.asking import change_turn

            change_turn(queue, song.id, by)
            return Answer(words)

        self._batches.do(deed)
        return Done()

    def _never(self, row: int | None) -> str | None:
        return None

    def _report(self, row: int | None) -> Done:
        self._batches.do(_tell_report)
        return Done()

    def _save(self, row: int | None) -> Done:
        self._batches.do(_save_list)
        return Done()


def _save_list(queue: Queue) -> Answer:
    from covermaker.batch.saving import save

    return Answer(f"the list: {save(queue)}", "done")


def _tell_report(queue: Queue) -> Answer:
    """Tell where the report is; of a batch that nobody works on it is written where it is missing."""
    from covermaker.batch.report import PAGE_NAME, write_report

    page = queue.folder / PAGE_NAME
    if not page.is_file() and queue.is_worked_on:
        return Answer("the report is written when the batch is over", "stale")
    if not page.is_file():
        write_report(queue)
    return Answer(f"the report: {page}", "done")


_NOT_OURS: Final = {
    "add": "a batch has the songs of its list: {batch.begin} begins another one",
    "clear": "a batch keeps what became of its songs",
}
_OF_A_SONG: Final = frozenset({"retry", "cancel", "later", "earlier"})
_DEEDS: Final[
    dict[str, tuple[Callable[[BatchQueue, int | None], str | None], Callable[[BatchQueue, int | None], Done]]]
] = {
    "retry": (BatchQueue._no_retry, BatchQueue._retry),
    "retry-failed": (BatchQueue._no_retry_failed, BatchQueue._retry_failed),
    "cancel": (BatchQueue._no_cancel, BatchQueue._cancel),
    "pause": (BatchQueue._no_pause, BatchQueue._pause),
    "stop": (BatchQueue._no_stop, BatchQueue._stop),
    "later": (BatchQueue._no_order, lambda queue, row: queue._move(1, row)),
    "earlier": (BatchQueue._no_order, lambda queue, row: queue._move(-1, row)),
    "report": (BatchQueue._never, BatchQueue._report),
    "save": (BatchQueue._never, BatchQueue._save),
}
