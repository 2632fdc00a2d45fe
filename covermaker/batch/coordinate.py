"""The process that works on a batch: begins songs, hears what becomes of them, tries again, obeys asks."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.batch.album import GAUGE, MASTER
from covermaker.batch.changing import move_here
from covermaker.batch.engines.base import Task
from covermaker.batch.estimate import memory_of, score_seconds
from covermaker.batch.events import BatchLeft
from covermaker.batch.hearing import Hearing
from covermaker.batch.holding import ElsewhereError, rendering
from covermaker.batch.in_hand import InHand, Running
from covermaker.batch.obeying import Obeying
from covermaker.batch.playlist.scanning import is_project
from covermaker.batch.projects import folder_for, length_of, mix_key, prepare, refused
from covermaker.batch.rows import Try
from covermaker.batch.telling import time_left
from covermaker.disk import this_host
from covermaker.errors import CovermakerError, ExitCode
from covermaker.graph.opening import open_store
from covermaker.render.state import project_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.batch.album import Album
    from covermaker.batch.engines.base import Engine
    from covermaker.batch.options import Options
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song
    from covermaker.graph.events import Listener

_LISTEN_SECONDS: Final = 0.25
_ELSEWHERE_SECONDS: Final = 5.0
_TELL_EVERY_SECONDS: Final = 2.0
_TELL_SHARE: Final = 200.0
# How many songs are asked whether they are done before asks and workers are heard again.
_LOOKS_AT_ONCE: Final = 20


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
        self._in_hand = InHand(queue, options, tell)
        self._album = self._in_hand.album
        self._hearing = Hearing(self._in_hand)
        self._obeying = Obeying(self._in_hand, engine)
        self._taken: set[str] = set()
        self._told_at = 0.0
        self._tell_after = _TELL_EVERY_SECONDS

    @property
    def is_stopped(self) -> bool:
        """Whether somebody asked it to stop."""
        return self._in_hand.is_stopped

    @property
    def begun(self) -> int:
        """How many songs it has begun."""
        return self._in_hand.begun

    def run(self) -> None:
        """Do what there is to do; what runs when it is interrupted waits again."""
        in_hand = self._in_hand
        move_here(self._queue)
        self._recover()
        self._queue.note(state="running", process=os.getpid(), host=this_host())
        for song in self._queue.songs():
            if song.project:
                self._taken.add(Path(song.project).name.lower())
            if song.state == "waiting":
                in_hand.unlooked[song.id] = None
        self._obeying.obey(first=True)
        try:
            while not in_hand.is_stopped and self._is_anything_left():
                more = not in_hand.is_paused and self._begin_some()
                for told in self._engine.hear(0.0 if more else _LISTEN_SECONDS):
                    self._hearing.hear(told)
                self._say_how_long(now=self._obeying.obey())
        finally:
            self._drop_all()
            state = "stopped" if self._is_anything_left() else "over"
            self._queue.note(state=state, ended=time.time())

    # What there is to do

    def _recover(self) -> None:
        """Let what is noted as running, though nobody does it any more, wait again; its broken try does not count."""
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
        looked = list(self._in_hand.unlooked)[:_LOOKS_AT_ONCE]
        for number in looked:
            del self._in_hand.unlooked[number]
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
        unscored = self._options.score and not song.result.get("scored")
        if state.word != "done" or unscored:
            scoring = score_seconds(state.seconds) if self._options.score else 0.0
            self._in_hand.costs[song.id] = state.estimate_seconds + scoring
            return
        if self._album is not None and not self._album.trust(song, mix_key(Path(song.project))):
            return
        self._queue.change(song.id, state="done", was_done=True)
        self._in_hand.moved(song.id)

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
        levels = None if song.id in self._in_hand.unlooked else self._album.levels()
        before: float | None = song.result.get("levelled")
        return before if levels is None else levels.get(song.id)

    # One song

    def _begin(self, song: Song) -> bool:
        """Begin a song; False when the engine takes no more now."""
        failures = self._in_hand.memory_failures.get(song.id, 0)
        separator = str(self._options.wanted(song.wishes).get("separator", "spleeter"))
        memory = memory_of(song.seconds, separator)
        careful, alone = failures > 0, failures > 1
        if not self._engine.takes(Task(song.id, {}, memory, careful, alone)):
            return False
        gauging = self._album is not None and self._album.needs_gauge(song)
        holding = ExitStack()
        try:
            there = song.project and is_project(song.project)
            if there:  # held before anything is written into it
                holding.enter_context(rendering(Path(song.project)))
            columns = self._prepared(song)
            if not there:
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
        is_more = number > 1 or (song.stage == GAUGE and not gauging)  # of what was asked for last
        with self._queue.writing():
            self._queue.change(
                song.id, **columns, state="running", stage=stage, tries=number, began=now, ended=None, step="",
                fraction=0.0, cause="", hint=None, exit_code=0, was_done=False, result=kept,
                spent_seconds=song.spent_seconds if is_more else 0.0,
            )  # fmt: skip
            self._queue.put_try(Try(song.id, self._try_number(song.id), now, None, "", "running", "", "", 0))
        begun = self._queue.song(song.id)
        assert begun is not None
        self._in_hand.begun += 1
        self._in_hand.running[song.id] = Running(
            begun, number, time.monotonic(), holding, memory_failures=failures
        )
        request = {
            "job": "gauge" if gauging else "render",
            "project": begun.project,
            "score": self._options.score and not gauging,
            "strict": self._options.strict,
            "store": self._options.store or None,
            "device": self._options.device,
        }
        self._engine.submit(Task(song.id, request, memory, careful, alone))
        self._in_hand.moved(song.id)
        return True

    def _try_number(self, number: int) -> int:
        return len(self._queue.tries(number)) + 1

    def _put_off(self, song: Song, why: ElsewhereError) -> None:
        """Let a song wait whose project another batch renders."""
        if song.cause != why.message:
            self._in_hand.say(f"waits: {why.message}", song.id)
        self._queue.change(
            song.id, not_before=time.time() + _ELSEWHERE_SECONDS, cause=why.message, hint=why.hint
        )
        self._in_hand.moved(song.id)

    def _refuse(self, song: Song, error: CovermakerError) -> None:
        self._in_hand.leave_album(song.id)
        project = song.project if os.path.isdir(song.project) else ""  # nothing was made there
        self._queue.change(song.id, **refused(error), project=project, ended=time.time(), step="prepare")
        self._in_hand.failed(song.id)

    # The end, and what is told

    def _drop_all(self) -> None:
        """Note what runs as waiting; the engine drops it when it is closed."""
        for running in list(self._in_hand.running.values()):
            with self._queue.writing():
                self._in_hand.end_try(
                    running.song, "stopped", "the batch was stopped", int(ExitCode.INTERRUPTED), step=running.step
                )  # fmt: skip
                self._queue.change(
                    running.song.id, state="waiting", tries=max(0, running.number - 1), step="", fraction=0.0,
                    running_at="",
                )  # fmt: skip
        for number in list(self._in_hand.running):
            self._in_hand.let_go(number)
        self._recover()  # a song that was noted as running and, as Ctrl-C came, was not in hand yet

    def _say_how_long(self, *, now: bool) -> None:
        began = time.monotonic()
        if not now and began - self._told_at < self._tell_after:
            return
        places = self._engine.places()
        left = time_left(self._queue, self._options, places, self._in_hand.costs)
        self._queue.note(
            heartbeat=time.time(),
            seconds_left=left,
            places=[
                {
                    "name": place.name, "songs": list(place.songs), "room": place.room, "note": place.note,
                    "cores": place.cores,
                }
                for place in places
            ],
        )  # fmt: skip
        self._tell(BatchLeft(self._queue.counts(), left, self._in_hand.is_paused))
        self._told_at = time.monotonic()
        # What is told of ten thousands of songs is told less often.
        self._tell_after = max(_TELL_EVERY_SECONDS, _TELL_SHARE * (self._told_at - began))
