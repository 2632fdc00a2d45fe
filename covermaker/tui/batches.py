"""The batches that the studio deals with: the one that it shows, those that it has begun, those that it knows."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Final

from covermaker.batch import detached
from covermaker.batch.changing import left
from covermaker.batch.known import known_batches
from covermaker.batch.queue import LOCK_NAME, Queue
from covermaker.errors import CovermakerError, ExitCode
from covermaker.jobs.spawn import ending
from covermaker.locks import is_held
from covermaker.texts import one_line
from covermaker.tui.batch_state import BatchState, Reading
from covermaker.tui.batch_watch import Answer, Watch
from covermaker.tui.words import about, count

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from covermaker.tui.batch_watch import Deed

_STATUS: Final = "covermaker batch status --follow"
_GO_ON: Final = "it goes on with: covermaker batch go-on"

# With these a batch ended as it should: whatever became of its songs, they tell it.
_ENDS: Final = frozenset({ExitCode.OK, ExitCode.BATCH_PARTLY_FAILED, ExitCode.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Offer:
    """A batch that can be shown: where it is, what it is called, how it stands."""

    folder: Path
    title: str
    words: str


def worked_on() -> Path | None:
    """Return the folder of the last batch that a living process works on."""
    return next((one for one in known_batches() if is_held(one / LOCK_NAME, unknown=False)), None)


def unfinished() -> Path | None:
    """Return the folder of the last batch that nobody has finished."""
    return next((one for one in known_batches() if _is_unfinished(one)), None)


def _is_unfinished(folder: Path) -> bool:
    try:
        with Queue(folder) as queue:
            return left(queue) > 0
    except (CovermakerError, ValueError):
        return False


def offers() -> list[Offer]:
    """List the batches of this user, the last one first; one that cannot be read says so."""
    return [_offer(folder) for folder in known_batches()]


def _offer(folder: Path) -> Offer:
    try:
        with Queue(folder) as queue:
            title, counts = str(queue.fact("title") or folder.name), queue.counts()
            now = _now(queue)
    except (CovermakerError, ValueError) as error:
        return Offer(folder, folder.name, f"cannot be read: {error}")
    failed = f", {counts['failed']} failed" if counts.get("failed") else ""
    done = f"{counts.get('done', 0)} of {count(sum(counts.values()), 'song')} done"
    return Offer(folder, one_line(title), f"{now}{done}{failed}")


def _now(queue: Queue) -> str:
    if queue.is_worked_on:
        return "paused, " if queue.fact("state") == "paused" else "runs, "
    return "stopped, " if left(queue) else ""


class Batches:
    """The batch that is shown, if one is, and the processes that this studio has begun.

    Parameters
    ----------
    wake : callable
        Called in a thread when `hear` has something to take.

    Attributes
    ----------
    state : BatchState or None
        What is known of the batch that is shown; None where the studio's own renders are.
    is_chosen : bool
        Whether a person has chosen what is shown.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.state: BatchState | None = None
        self.is_chosen = False
        self._wake = wake
        self._watch: Watch | None = None
        self._begun: dict[Path, subprocess.Popen[bytes]] = {}
        self._is_attended = False
        self._is_stopping = False
        self._goes_on: Path | None = None

    # What is shown

    @property
    def folder(self) -> Path | None:
        """The folder of the batch that is shown."""
        return self.state.folder if self.state is not None else None

    def show(self, folder: Path | None) -> None:
        """Show a batch, or the studio's own renders."""
        if folder == self.folder:
            return
        self.close()
        self.state = self._watch = None
        if folder is not None:
            self.state = BatchState(folder)
            self._watch = Watch(folder, self._wake)
            self._watch.attend(self._is_attended)

    def attend(self, attended: bool) -> None:
        """Tell whether somebody looks at it; a batch that runs is read anyway."""
        self._is_attended = attended
        if self._watch is not None:
            self._watch.attend(attended)

    def look_at(self, song: int | None) -> None:
        """Read one of its songs more closely."""
        if self._watch is not None:
            self._watch.look_at(song)

    def do(self, deed: Deed) -> None:
        """Have something done to its queue; `hear` returns what came of it."""
        if self._watch is not None:
            self._watch.do(deed)

    def hear(self) -> list[Answer]:
        """Take over what was read; returns what there is to say of it."""
        answers = self._ended()
        state, watch = self.state, self._watch
        while state is not None and watch is not None and watch.heard:
            heard = watch.heard.popleft()
            match heard:
                case Answer():
                    answers.append(self._resumed(heard) if heard.resumes else heard)
                case Reading():
                    was_on, was_asked = state.worked_on and not heard.is_first, state.is_stopping
                    state.take(heard)
                    self._is_stopping = was_on and (self._is_stopping or was_asked)
                    if was_on and not state.worked_on:
                        answers.append(self._ended_or_goes_on(state))
                case _:
                    state.refused(heard)
        if state is not None:
            state.is_beginning = not state.worked_on and self._is_alive(state.folder)
        return answers

    def close(self) -> None:
        """Read no more; batches that run go on."""
        if self._watch is not None:
            self._watch.close()

    # Processes

    def begun(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        """Note a process that works on a batch, or is about to."""
        self._begun[folder] = process
        if self.state is not None and self.state.folder == folder:
            self.state.is_beginning = True

    @property
    def has_begun(self) -> bool:
        """Whether a process that this studio has started may have ended unheard."""
        return bool(self._begun)

    def resume(self, folder: Path) -> None:
        """Have a process go on with a batch; raises as `covermaker.batch.detached.resume` does."""
        self.begun(folder, detached.resume(folder))

    def go_on_after_stop(self, folder: Path) -> None:
        """Have a process go on with a batch as soon as the one that stops has ended."""
        self._goes_on = folder

    def _ended_or_goes_on(self, state: BatchState) -> Answer:
        goes_on, self._goes_on = self._goes_on == state.folder and state.is_left, None
        if not goes_on:
            return _end(state, was_asked=self._is_stopping)
        return self._resumed(Answer("a process begins to work on the batch again", "run"))

    def _resumed(self, answer: Answer) -> Answer:
        """Have a process go on with the batch that is shown, unless one is about to; returns what to say."""
        state = self.state
        if state is not None and not state.worked_on and not self._is_alive(state.folder):
            try:
                self.resume(state.folder)
            except CovermakerError as error:
                return Answer(str(error), "failed")
        return answer

    def _is_alive(self, folder: Path) -> bool:
        process = self._begun.get(folder)
        return process is not None and process.poll() is None

    def _ended(self) -> list[Answer]:
        """Return what there is to say of processes that ended before their time since it was asked last."""
        gone = {folder: one.returncode for folder, one in self._begun.items() if one.poll() is not None}
        for folder in gone:
            del self._begun[folder]
        return [_broken(folder, code) for folder, code in gone.items() if code not in _ENDS]

    # In words

    @property
    def going_on(self) -> list[str]:
        """The batches that go on when the studio ends, in words."""
        state = self.state
        words = {
            folder: f"the batch in {folder} goes on: {_STATUS} {quote(str(folder))}"
            for folder in self._begun
            if self._is_alive(folder)
        }
        if state is not None and state.worked_on:
            done = f"{state.counts['done']} of {count(len(state.songs), 'song')} done"
            how, command = ("is paused", _GO_ON) if state.is_paused else ("goes on", _STATUS)
            words[state.folder] = (
                f"the batch '{one_line(state.title)}' {how}, {done}: {command} {quote(str(state.folder))}"
            )
        return list(words.values())

    def headline(self, room: int | None = None) -> str:
        """Say how far the batch is while it runs, in no more than so many cells: ``3/14  1 failed``."""
        state = self.state
        if state is None or not state.worked_on or not state.songs:
            return ""
        return next((words for words in _headlines(state) if room is None or len(words) <= room), "")


def _headlines(state: BatchState) -> Iterator[str]:
    paused = "paused  " if state.is_paused else ""
    sums = f"{state.counts['done']}/{len(state.songs)}"
    failed = f"  {state.counts['failed']} failed" if state.counts["failed"] else ""
    left = f"  {about(state.seconds_left)} left" if state.seconds_left is not None and not paused else ""
    yield from (
        f"batch {paused}{sums}{failed}{left}",
        f"batch {paused}{sums}{failed}",
        f"{paused}{sums}{failed}",
    )
    yield from (f"{sums}{failed}", f"batch {sums}", sums)


def _end(state: BatchState, *, was_asked: bool) -> Answer:
    """Say how a batch ended."""
    title, failed = one_line(state.title), state.counts["failed"]
    rest = len(state.songs) - state.over
    if state.is_left and was_asked:
        return Answer(f"'{title}' is stopped, {rest} left: {{batch.pause}} goes on", "stale")
    if state.is_left:
        return Answer(f"nobody works on '{title}' any more: {rest} left", "stale", is_news=True)
    sums = f"{state.counts['done']} of {count(len(state.songs), 'song')} done"
    words = f"'{title}' is over: {sums}" + (f", {failed} failed" if failed else "")
    return Answer(words, "failed" if failed else "done", is_news=True)


def _broken(folder: Path, code: int) -> Answer:
    why = detached.failure(folder) if code > 0 else None
    said = str(why) if why is not None else f"its process {ending(code)}; log: {detached.log_of(folder)}"
    return Answer(f"the batch in {one_line(folder.name)}: {said}", "failed", is_news=True)
