"""The process that works on a batch: begins songs, hears what becomes of them, tries again, obeys asks."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.batch.album import GAUGE, MASTER, Album
from covermaker.batch.changing import AGAIN, is_broken, move_here, swap_turns
from covermaker.batch.digest import digest
from covermaker.batch.engines.base import Task, songs_at_once
from covermaker.batch.estimate import memory_of
from covermaker.batch.events import BatchLeft, BatchSaid
from covermaker.batch.holding import ElsewhereError, rendering
from covermaker.batch.policy import again
from covermaker.batch.projects import folder_for, length_of, mix_key, prepare, refused
from covermaker.batch.rows import StepTime, Try
from covermaker.batch.telling import moved, time_left
from covermaker.disk import this_host
from covermaker.errors import CovermakerError, ExitCode
from covermaker.graph.events import (
    Note,
    SongDone,
    SongFailed,
    StepCached,
    StepFinished,
    StepProgress,
    StepStarted,
)
from covermaker.graph.opening import open_store
from covermaker.render.state import project_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from covermaker.batch.engines.base import Engine, Told
    from covermaker.batch.options import Options
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Ask, Song
    from covermaker.graph.events import Listener

_LISTEN_SECONDS: Final = 0.25
# Progress is written for people: nobody reads faster.
_WRITE_EVERY_SECONDS: Final = 0.5
_ELSEWHERE_SECONDS: Final = 5.0
_TELL_EVERY_SECONDS: Final = 2.0
_TELL_SHARE: Final = 200.0
# How many songs are asked whether they are done before asks and workers are heard again.
_LOOKS_AT_ONCE: Final = 20


@dataclass
class _Running:
    """A song that an engine has."""

    song: Song
    number: int
    began: float  # on a clock that nobody sets
    holding: ExitStack  # its project, against another batch
    place: str = ""
    step: str = ""
    fraction: float = 0.0
    written: float = 0.0
    made: int = 0
    memory_failures: int = 0
    cancelled: bool = False

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.began


class Coordinator:
    """Works on a queue until nothing is left to do, or it is told to stop.

    Parameters
    ----------
    queue : Queue
        Locked by `holding.working_on`.
    engine : Engine
        Opened; closed by who opened it.
    tell : callable
        Gets what happens.
    """

    def __init__(self, queue: Queue, options: Options, engine: Engine, tell: Listener) -> None:
        self._queue = queue
        self._options = options
        self._engine = engine
        self._tell = tell
        self._store = open_store(options.store)
        self._album = Album(queue, options.album_lufs) if options.album else None
        self._running: dict[int, _Running] = {}
        self._memory_failures: dict[int, int] = {}
        self._taken: set[str] = set()
        self._paused = False
        self._stopped = False
        self._told_at = 0.0
        self._tell_after = _TELL_EVERY_SECONDS
        self._unlooked: dict[int, None] = {}  # in the order of their turns

    @property
    def is_stopped(self) -> bool:
        """Whether somebody asked it to stop."""
        return self._stopped

    def run(self) -> None:
        """Do what there is to do; what runs when it is interrupted waits again."""
        move_here(self._queue)
        self._recover()
        self._queue.note(state="running", process=os.getpid(), host=this_host())
        for song in self._queue.songs():
            if song.project:
                self._taken.add(Path(song.project).name.lower())
            if song.state == "waiting":
                self._unlooked[song.id] = None
        self._obey(first=True)
        try:
            while not self._stopped and self._is_anything_left():
                more = not self._paused and self._begin_some()
                self._hear(0.0 if more else _LISTEN_SECONDS)
                self._obey()
                self._say_how_long()
        finally:
            self._drop_all()
            self._queue.note(state="over", ended=time.time())

    # What there is to do

    def _recover(self) -> None:
        """Let what ran when the last coordinator was killed wait again; its broken try does not count."""
        for song in self._queue.songs("running"):
            self._queue.change(
                song.id, state="waiting", tries=max(0, song.tries - 1), step="", fraction=0.0, running_at=""
            )  # fmt: skip
        # Not only theirs: a list that was read again lets all songs wait.
        for one in self._queue.open_tries():
            self._queue.put_try(
                replace(
                    one, ended=time.time(), state="stopped", cause="the batch was stopped",
                    exit_code=int(ExitCode.INTERRUPTED),
                )
            )  # fmt: skip

    def _is_anything_left(self) -> bool:
        counts = self._queue.counts()
        return bool(counts.get("waiting") or counts.get("running"))

    def _begin_some(self) -> bool:
        """Begin songs while the engine takes them; tells whether there is more to look at right away."""
        if not self._has_room():
            return False
        looked = list(self._unlooked)[:_LOOKS_AT_ONCE]
        for number in looked:
            del self._unlooked[number]
            song = self._queue.song(number)
            if song is not None and song.state == "waiting":
                self._look(song)
        if looked:
            return True  # what runs, and asks, are heard before the next ones
        for song in self._next():
            if not self._begin(song) or not self._has_room():
                break
        return False

    def _next(self) -> Iterator[Song]:
        """Yield songs whose time has come; one that is yielded is begun, put off or refused before the next."""
        if self._album is not None:
            now = time.time()
            yield from (song for song in self._of_the_pass(self._album) if song.is_due(now))
            return
        while (song := self._queue.next_due(time.time())) is not None:
            yield song

    def _has_room(self) -> bool:
        return any(place.room for place in self._engine.places())

    def _look(self, song: Song) -> None:
        """Take a song as done whose cover is there and would come out the same."""
        if not song.project or song.tries or not song.result.get("files"):
            return
        try:
            columns = self._prepared(song)
        except CovermakerError as error:
            self._refuse(song, error)
            return
        state = project_state(Path(song.project), self._store)
        self._queue.change(song.id, **columns)
        if state.word != "done" or (self._options.score and not song.result.get("scored")):
            return
        if self._album is not None and not self._album.trust(song, mix_key(Path(song.project))):
            return
        self._queue.change(
            song.id, state="done", was_done=True, began=None, ended=time.time(), spent_seconds=0.0
        )
        self._moved(song.id)

    def _of_the_pass(self, album: Album) -> list[Song]:
        """Return the songs of the pass that an album is in; the second begins when the first is over."""
        levels = album.levels()
        if levels is None:
            return [song for song in self._queue.songs("waiting") if album.needs_gauge(song)]
        for song in self._queue.songs("done"):
            if song.id in levels and song.result.get("levelled") != levels[song.id]:
                self._queue.change(song.id, state="waiting", tries=0)
        return self._queue.songs("waiting")

    def _prepared(self, song: Song) -> dict[str, Any]:
        """Bring a song's project in line; its row names the folder before anything is made there."""
        if not song.project:
            folder = folder_for(song.name, self._queue.folder, self._taken)
            song.project = str(folder)
            self._taken.add(folder.name.lower())
            self._queue.change(song.id, project=song.project)
        return prepare(song, self._options, level=self._level_of(song))

    def _level_of(self, song: Song) -> float | None:
        """Return the loudness that a song's master has in its album; until all are measured, what it had before."""
        if self._album is None:
            return None
        levels = None if song.id in self._unlooked else self._album.levels()
        before: float | None = song.result.get("levelled")
        return before if levels is None else levels.get(song.id)

    # One song

    def _begin(self, song: Song) -> bool:
        """Begin a song; False when the engine takes no more now."""
        failures = self._memory_failures.get(song.id, 0)
        separator = str(self._options.wanted(song.wishes).get("separator", "spleeter"))
        memory = memory_of(song.seconds, separator)
        careful, alone = failures > 0, failures > 1
        if not self._engine.takes(Task(song.id, {}, memory, careful, alone)):
            return False
        gauging = self._album is not None and self._album.needs_gauge(song)
        holding = ExitStack()
        try:
            columns = self._prepared(song)
            holding.enter_context(rendering(Path(song.project)))
            columns["seconds"] = length_of(Path(song.project))
        except ElsewhereError as error:
            self._put_off(song, error)
            return True
        except CovermakerError as error:
            holding.close()
            self._refuse(song, error)
            return True
        now, number = time.time(), song.tries + 1
        kept = {} if gauging else {name: song.result[name] for name in ("gauge",) if name in song.result}
        if self._album is not None and (level := self._level_of(song)) is not None:
            kept["levelled"] = level
        stage = "" if self._album is None else GAUGE if gauging else MASTER
        with self._queue.writing():
            self._queue.change(
                song.id, **columns, state="running", stage=stage, tries=number, began=now, ended=None, step="",
                fraction=0.0, cause="", hint=None, exit_code=0, was_done=False, result=kept,
            )  # fmt: skip
            self._queue.put_try(Try(song.id, self._try_number(song.id), now, None, "", "running", "", "", 0))
        begun = self._queue.song(song.id)
        assert begun is not None
        self._running[song.id] = _Running(begun, number, time.monotonic(), holding, memory_failures=failures)
        request = {
            "job": "gauge" if gauging else "render",
            "project": begun.project,
            "score": self._options.score and not gauging,
            "strict": self._options.strict,
            "store": self._options.store or None,
            "device": self._options.device,
        }
        self._engine.submit(Task(song.id, request, memory, careful, alone))
        self._moved(song.id)
        return True

    def _try_number(self, number: int) -> int:
        return len(self._queue.tries(number)) + 1

    def _put_off(self, song: Song, why: ElsewhereError) -> None:
        """Let a song wait whose project another batch renders."""
        if song.cause != why.message:
            self._say(f"waits: {why.message}", song.id)
        self._queue.change(
            song.id, not_before=time.time() + _ELSEWHERE_SECONDS, cause=why.message, hint=why.hint
        )
        self._moved(song.id)

    def _refuse(self, song: Song, error: CovermakerError) -> None:
        self._leave_album(song.id)
        project = song.project if os.path.isdir(song.project) else ""  # nothing was made there
        self._queue.change(song.id, **refused(error), project=project, ended=time.time(), step="prepare")
        self._say(f"failed: {error.message}", song.id)
        self._moved(song.id)

    def _leave_album(self, number: int) -> None:
        if self._album is not None:
            self._album.forget(number)

    # What engines tell

    def _hear(self, seconds: float) -> None:
        for told in self._engine.hear(seconds):
            running = self._running.get(told.song) if told.song is not None else None
            if running is None:
                if told.song is None and isinstance(told.event, Note):
                    self._say(told.event.text, running_at=told.place)
                continue
            if told.place and told.place != running.place:
                running.place = told.place
                self._queue.change(running.song.id, running_at=told.place)
            self._hear_of(running, told)

    def _hear_of(self, running: _Running, told: Told) -> None:
        event, song = told.event, running.song
        match event:
            case StepStarted(name=name):
                self._progress(running, name, 0.0, now=True)
            case StepProgress(name=name, fraction=fraction):
                self._progress(running, name, fraction)
            case StepCached(name=name):
                self._queue.put_step(StepTime(song.id, name, 0.0, kept=True))
            case StepFinished(name=name, seconds=seconds):
                running.made += 1
                self._queue.put_step(StepTime(song.id, name, seconds, kept=False))
            case Note(text=text):
                self._say(text, song.id, told.place)
            case SongDone(result=result):
                self._done(running, result)
            case SongFailed():
                self._failed(running, event)
            case _:
                pass

    def _progress(self, running: _Running, step: str, fraction: float, *, now: bool = False) -> None:
        running.step, running.fraction = step, fraction
        clock = time.monotonic()
        if now or clock - running.written >= _WRITE_EVERY_SECONDS:
            running.written = clock
            self._queue.change(running.song.id, step=step, fraction=fraction)
            self._moved(running.song.id)

    def _done(self, running: _Running, result: dict[str, Any]) -> None:
        song = running.song
        self._let_go(song.id)
        gauged = song.stage == GAUGE
        if gauged and running.cancelled:
            self._cancelled(running)
            return
        if gauged and self._album is not None:
            kept, state = {**song.result, "gauge": result}, "waiting"
            self._album.gauged(song.id)
        else:
            kept, state = {**song.result, **digest(result)}, "done"
        with self._queue.writing():
            self._end_try(song, "done", "", 0, step="")
            self._queue.change(
                song.id, state=state, ended=time.time(), spent_seconds=song.spent_seconds + running.seconds, step="",
                fraction=0.0, running_at=running.place, result=kept, was_done=not gauged and not running.made,
                tries=0 if gauged else running.number,
            )  # fmt: skip
        self._moved(song.id)

    def _cancelled(self, running: _Running) -> None:
        song = running.song
        self._leave_album(song.id)
        with self._queue.writing():
            self._end_try(song, "cancelled", "cancelled", int(ExitCode.INTERRUPTED), step=running.step)
            self._queue.change(
                song.id, state="cancelled", ended=time.time(), step=running.step, cause="cancelled", hint=None,
                exit_code=0,
            )  # fmt: skip
        self._moved(song.id)

    def _failed(self, running: _Running, failure: SongFailed) -> None:
        song, now = running.song, time.time()
        self._let_go(song.id)
        if running.cancelled or failure.exit_code == ExitCode.INTERRUPTED:
            self._cancelled(running)
            return
        if failure.out_of_memory:
            self._memory_failures[song.id] = running.memory_failures + 1
        chance = again(failure, running.number, self._memory_failures.get(song.id, 0), self._options.retries)
        with self._queue.writing():
            self._end_try(song, "failed", failure.message, failure.exit_code, step=running.step)
            self._queue.change(
                song.id, state="waiting" if chance else "failed", ended=now, step=running.step,
                not_before=now + chance.after_seconds if chance else 0.0, running_at=running.place,
                spent_seconds=song.spent_seconds + running.seconds, cause=failure.message, hint=failure.hint,
                exit_code=failure.exit_code,
            )  # fmt: skip
        if chance is None:
            self._leave_album(song.id)
        how = (
            " with little memory" if chance and chance.careful else ""
        ) + (", alone" if chance and chance.alone else "")  # fmt: skip
        more = f"; again{how} in {chance.after_seconds:.0f} s" if chance else ""
        self._say(f"failed at {running.step or 'the start'}: {failure.message}{more}", song.id, running.place)
        self._moved(song.id)

    def _end_try(self, song: Song, state: str, cause: str, code: int, *, step: str = "") -> None:
        """Close the last attempt of a song, if one is open."""
        last = next((one for one in reversed(self._queue.tries(song.id)) if one.ended is None), None)
        if last is not None:
            written = self._queue.song(song.id) or song
            self._queue.put_try(
                Try(
                    song.id,
                    last.number,
                    last.began,
                    time.time(),
                    written.running_at,
                    state,
                    step,
                    cause,
                    code,
                )
            )

    # Asks

    def _obey(self, *, first: bool = False) -> None:
        """Do what was asked; of what was left when the last coordinator ended (`first`), only what is about songs."""
        with self._queue.writing():
            for ask in self._queue.take_asks():
                if not (first and ask.what in _OF_THE_BATCH):
                    _OBEY[ask.what](self, ask)

    def _pause(self, ask: Ask) -> None:
        self._paused = True
        self._queue.note(state="paused")
        self._say("paused: what runs is finished, nothing is begun")

    def _go_on(self, ask: Ask) -> None:
        self._paused = False
        self._queue.note(state="running")
        self._say("goes on")

    def _stop(self, ask: Ask) -> None:
        self._stopped = True
        self._say("stopped: what ran waits for the next time")

    def _retry(self, ask: Ask) -> None:
        for song in self._queue.songs("failed", "cancelled"):
            if ask.song not in {None, song.id} or (ask.song is None and song.state != "failed"):
                continue
            if is_broken(song):
                continue
            self._memory_failures.pop(song.id, None)
            self._unlooked[song.id] = None
            self._leave_album(song.id)
            self._queue.change(song.id, **AGAIN)
            self._moved(song.id)

    def _cancel(self, ask: Ask) -> None:
        for song in self._queue.songs("waiting", "running"):
            if ask.song not in {None, song.id}:
                continue
            running = self._running.get(song.id)
            if running is None:
                self._leave_album(song.id)
                self._queue.change(song.id, state="cancelled", cause="cancelled", hint=None, exit_code=0)
                self._moved(song.id)
            elif not running.cancelled:
                running.cancelled = True
                self._engine.cancel(song.id)

    def _earlier(self, ask: Ask) -> None:
        swap_turns(self._queue, ask.song, -1)

    def _later(self, ask: Ask) -> None:
        swap_turns(self._queue, ask.song, 1)

    # The end, and what is told

    def _drop_all(self) -> None:
        """Note what runs as waiting; the engine drops it when it is closed."""
        for running in list(self._running.values()):
            with self._queue.writing():
                self._end_try(
                    running.song, "stopped", "the batch was stopped", int(ExitCode.INTERRUPTED), step=running.step
                )  # fmt: skip
                self._queue.change(
                    running.song.id, state="waiting", tries=max(0, running.number - 1), step="", fraction=0.0,
                    running_at="",
                )  # fmt: skip
        for number in list(self._running):
            self._let_go(number)

    def _let_go(self, number: int) -> None:
        self._running.pop(number).holding.close()

    def _say(self, words: str, song: int | None = None, running_at: str = "") -> None:
        self._queue.say(words, song=song, running_at=running_at)
        self._tell(BatchSaid(words, song, running_at))

    def _moved(self, number: int) -> None:
        song = self._queue.song(number)
        if song is not None:
            self._tell(moved(song))

    def _say_how_long(self) -> None:
        began = time.monotonic()
        if began - self._told_at < self._tell_after:
            return
        left = time_left(self._queue, self._options, songs_at_once(self._engine.places()))
        self._queue.note(
            heartbeat=time.time(),
            seconds_left=left,
            places=[
                {"name": place.name, "songs": list(place.songs), "room": place.room, "note": place.note}
                for place in self._engine.places()
            ],
        )
        self._tell(BatchLeft(self._queue.counts(), left))
        self._told_at = time.monotonic()
        # What is told of ten thousands of songs is told less often.
        self._tell_after = max(_TELL_EVERY_SECONDS, _TELL_SHARE * (self._told_at - began))


# What is about the batch as it runs, and means nothing to the next one.
_OF_THE_BATCH: Final = frozenset({"pause", "go on", "stop"})

_OBEY: Final[dict[str, Callable[[Coordinator, Ask], None]]] = {
    "pause": Coordinator._pause,
    "go on": Coordinator._go_on,
    "stop": Coordinator._stop,
    "retry": Coordinator._retry,
    "cancel": Coordinator._cancel,
    "earlier": Coordinator._earlier,
    "later": Coordinator._later,
}
