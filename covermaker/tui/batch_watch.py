"""Reading a batch's queue in a thread: what changed, for as long as somebody looks or the batch runs."""

from __future__ import annotations

import queue as queues
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from covermaker.batch.queue import Queue
from covermaker.errors import CovermakerError, ProjectError
from covermaker.tui.batch_state import Close, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

LOOK_SECONDS: Final = 0.5
# So many songs are read at once, however many there are: the screen takes them over between two keys.
MOST_SONGS: Final = 500
_MOST_LINES: Final = 200
# A coordinator that has not told for so long may be dead: then its lock is asked for. To ask is to hold it for a
# moment, in which a coordinator that begins would be refused; so not at every look.
_SILENT_SECONDS: Final = 10.0
_LOCK_SECONDS: Final = 2.5


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of something that was done to a queue, or to a batch, in words with their tone.

    `is_news` tells that nobody asked for it: it is said over other screens, too. `resumes` tells that a process has to
    go on with the batch, for nobody works on it.
    """

    words: str
    tone: str = "quiet"
    is_news: bool = False
    resumes: bool = False


Deed: TypeAlias = "Callable[[Queue], Answer | None]"
Heard: TypeAlias = "Reading | Answer | CovermakerError"


class Watch:
    """A thread that reads one queue and writes into it what it is told to.

    Parameters
    ----------
    folder : Path
        Of the batch.
    wake : callable
        Called in the thread when there is something in `heard`.

    Attributes
    ----------
    heard : deque
        Readings, answers, and why the queue cannot be read; the event loop takes them from the left.
    """

    def __init__(self, folder: Path, wake: Callable[[], None]) -> None:
        self.folder = folder
        self.heard: deque[Heard] = deque()
        self._wake = wake
        self._deeds: queues.SimpleQueue[Deed | None] = queues.SimpleQueue()
        self._attended = True
        self._song: int | None = None
        self._closed = False
        self._queue: Queue | None = None
        self._file: tuple[int, int] | None = None
        self._problem = ""
        self._begin_anew()
        self._thread = threading.Thread(target=self._work, name=f"batch {folder.name}", daemon=True)
        self._thread.start()

    # Called on the event loop

    def do(self, deed: Deed) -> None:
        """Have something done to the queue; what comes of it is heard."""
        self._deeds.put(deed)

    def look_at(self, song: int | None) -> None:
        """Read one song more closely from now on."""
        if song != self._song:
            self._song = song
            self._deeds.put(None)

    def attend(self, attended: bool) -> None:
        """Look on while nothing runs, too, or not."""
        self._attended = attended
        self._deeds.put(None)

    def close(self) -> None:
        """Read no more."""
        self._closed = True
        self._deeds.put(None)

    # The thread

    def _work(self) -> None:
        pace: float | None = 0.0
        while True:
            deed = self._next(pace)
            if self._closed:
                break
            pace = self._look(deed)
        self._let_go()

    def _next(self, seconds: float | None) -> Deed | None:
        """Wait so long for something to do; None is a reason to look again."""
        with suppress(queues.Empty):
            deed = self._deeds.get(timeout=seconds) if seconds != 0.0 else self._deeds.get_nowait()
            while deed is None:
                deed = self._deeds.get_nowait()
            return deed
        return None

    def _look(self, deed: Deed | None) -> float | None:
        """Do and read; returns how long to wait before the next time, None for ever."""
        try:
            queue = self._opened()
            if deed is not None:
                self._do(queue, deed)
            reading = self._read(queue, is_asked=deed is not None)
        except (CovermakerError, OSError, ValueError, TypeError, LookupError) as error:
            self._refuse(error, deed)
            return LOOK_SECONDS if self._attended else None
        if reading is not None:
            self._problem = ""
            self._tell(reading)
            if reading.more:
                return 0.0
        return LOOK_SECONDS if self._attended or self._worked_on else None

    def _do(self, queue: Queue, deed: Deed) -> None:
        try:
            answer = deed(queue)
        except CovermakerError as error:
            answer = Answer(str(error), "failed")
        if answer is not None:
            self._tell(answer)

    def _refuse(self, error: Exception, deed: Deed | None) -> None:
        """Tell once why the queue cannot be read, and each time that nothing came of a deed."""
        self._let_go()
        if not isinstance(error, CovermakerError):
            error = ProjectError(
                f"the queue in {self.folder} is damaged: {error}",
                hint="move it away and begin the batch again: finished steps are kept",
            )
        if deed is not None:
            self._tell(Answer(str(error), "failed"))
        if str(error) != self._problem:
            self._problem = str(error)
            self._tell(error)

    def _tell(self, heard: Heard) -> None:
        self.heard.append(heard)
        with suppress(RuntimeError):  # the event loop is gone
            self._wake()

    # The queue

    def _opened(self) -> Queue:
        """Return the queue; the file that lies there now, if it was replaced."""
        file = None
        if self._queue is not None:
            with suppress(OSError):
                info = self._queue.file.stat()
                file = (info.st_dev, info.st_ino)
            if file != self._file:
                self._let_go()
        if self._queue is None:
            self._queue = Queue(self.folder)
            info = self._queue.file.stat()
            self._file = (info.st_dev, info.st_ino)
            self._begin_anew()
        return self._queue

    def _let_go(self) -> None:
        if self._queue is not None:
            self._queue.close()
        self._queue = None
        self._worked_on = False

    def _begin_anew(self) -> None:
        self._at = self._line = 0
        self._version = -1
        self._seen: int | None = None
        self._more = False
        self._worked_on = False
        self._lock_asked = 0.0
        self._is_held = False
        self._facts: Mapping[str, Any] = {}

    def _read(self, queue: Queue, *, is_asked: bool) -> Reading | None:
        """Return what is new; None where nothing is."""
        version, song = queue.version, self._song
        is_first = self._version < 0
        is_new = is_asked or self._more or (version, song) != (self._version, self._seen)
        if is_new:
            self._facts = queue.facts()
        worked_on = self._is_worked_on(queue, time.time(), is_asked=is_asked)
        if not is_new and worked_on == self._worked_on:
            return None
        moved = queue.moved(self._at, most=MOST_SONGS)
        lines = tuple(queue.lines(self._line, last=_MOST_LINES))
        reading = Reading(
            self._facts, moved.songs, moved.gone, lines, tuple(queue.asks()), worked_on,
            self._close_up(queue, song), is_first, moved.more,
        )  # fmt: skip
        self._version, self._seen, self._at, self._more = version, song, moved.at, moved.more
        self._line = lines[-1].id if lines else self._line
        self._worked_on = worked_on
        return reading

    def _is_worked_on(self, queue: Queue, now: float, *, is_asked: bool) -> bool:
        beat = self._facts.get("heartbeat") or 0.0
        if self._facts.get("state") in {"running", "paused"} and abs(now - beat) < _SILENT_SECONDS:
            return True
        if is_asked or now - self._lock_asked >= _LOCK_SECONDS:
            self._lock_asked, self._is_held = now, queue.is_worked_on
        return self._is_held

    def _close_up(self, queue: Queue, number: int | None) -> Close | None:
        if number is None:
            return None
        tries = tuple(queue.tries(number))
        place = next((one.running_at for one in reversed(tries) if one.running_at), "")
        log = self.folder / "logs" / f"{place.replace(' ', '-')}.log"
        return Close(number, tries, tuple(queue.steps(number)), str(log) if place and log.is_file() else "")
