"""What a batch makes of what engines tell: progress, a song that is done, one that failed and is tried again or not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from covermaker.batch.album import GAUGE
from covermaker.batch.digest import digest
from covermaker.batch.policy import again
from covermaker.batch.rows import StepTime
from covermaker.batch.words import cancelled_words, failure_words
from covermaker.errors import ExitCode
from covermaker.graph.events import (
    Note,
    SongDone,
    SongFailed,
    StepCached,
    StepFinished,
    StepProgress,
    StepStarted,
)

if TYPE_CHECKING:
    from covermaker.batch.engines.base import Told
    from covermaker.batch.in_hand import InHand, Running

# Progress is written for people: nobody reads faster.
_WRITE_EVERY_SECONDS: Final = 0.5


class Hearing:
    """Hears engines, and writes into the queue what becomes of songs."""

    def __init__(self, in_hand: InHand) -> None:
        self._in_hand, self._queue = in_hand, in_hand.queue

    def hear(self, told: Told) -> None:
        """Take one thing that an engine tells."""
        running = self._in_hand.running.get(told.song) if told.song is not None else None
        if running is None:
            if told.song is None and isinstance(told.event, Note):
                self._in_hand.say(told.event.text, running_at=told.place)
            return
        if told.place and told.place != running.place:
            running.place = told.place
            self._queue.change(running.song.id, running_at=told.place)
        self._hear_of(running, told)

    def _hear_of(self, running: Running, told: Told) -> None:
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
                self._in_hand.say(text, song.id, told.place)
            case SongDone(result=result):
                self._done(running, result)
            case SongFailed():
                self._failed(running, event)
            case _:
                pass

    def _progress(self, running: Running, step: str, fraction: float, *, now: bool = False) -> None:
        running.step, running.fraction = step, fraction
        clock = time.monotonic()
        if now or clock - running.written >= _WRITE_EVERY_SECONDS:
            running.written = clock
            self._queue.change(running.song.id, step=step, fraction=fraction)
            self._in_hand.moved(running.song.id)

    def _done(self, running: Running, result: dict[str, Any]) -> None:
        song, album = running.song, self._in_hand.album
        self._in_hand.let_go(song.id)
        gauged = song.stage == GAUGE
        if gauged and running.cancelled:
            self._cancelled(running)
            return
        if gauged and album is not None:
            kept, state = {**song.result, "gauge": result}, "waiting"
            album.gauged(song.id)
        else:
            kept, state = {**song.result, **digest(result)}, "done"
        with self._queue.writing():
            self._in_hand.end_try(song, "done", "", 0, step="")
            self._queue.change(
                song.id, state=state, ended=time.time(), spent_seconds=song.spent_seconds + running.seconds, step="",
                fraction=0.0, running_at=running.place, result=kept, was_done=not gauged and not running.made,
                tries=0 if gauged else running.number,
            )  # fmt: skip
        self._in_hand.moved(song.id)

    def _cancelled(self, running: Running) -> None:
        song = running.song
        self._in_hand.leave_album(song.id)
        with self._queue.writing():
            self._in_hand.end_try(
                song, "cancelled", "cancelled", int(ExitCode.INTERRUPTED), step=running.step
            )
            self._queue.change(
                song.id, state="cancelled", ended=time.time(), step=running.step, cause=cancelled_words(running.step),
                hint=None, exit_code=0,
            )  # fmt: skip
        self._in_hand.moved(song.id)

    def _failed(self, running: Running, failure: SongFailed) -> None:
        song, now = running.song, time.time()
        in_hand = self._in_hand
        in_hand.let_go(song.id)
        if running.cancelled or failure.exit_code == ExitCode.INTERRUPTED:
            self._cancelled(running)
            return
        if failure.out_of_memory:
            in_hand.memory_failures[song.id] = running.memory_failures + 1
        memory_failures = in_hand.memory_failures.get(song.id, 0)
        chance = again(failure, running.number, memory_failures, in_hand.options.retries)
        with self._queue.writing():
            in_hand.end_try(song, "failed", failure.message, failure.exit_code, step=running.step)
            self._queue.change(
                song.id, state="waiting" if chance else "failed", ended=now, step=running.step,
                not_before=now + chance.after_seconds if chance else 0.0, running_at=running.place,
                spent_seconds=song.spent_seconds + running.seconds, cause=failure.message, hint=failure.hint,
                exit_code=failure.exit_code,
            )  # fmt: skip
        if chance is None:
            in_hand.leave_album(song.id)
            in_hand.failed(song.id, running.place)
            return
        how = (" with little memory" if chance.careful else "") + (", alone" if chance.alone else "")
        words = failure_words(running.step, failure.message)
        in_hand.say(f"{words}; again{how} in {chance.after_seconds:.0f} s", song.id, running.place)
        in_hand.moved(song.id)
