"""What the process that works on a batch does of what people ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.batch.changing import AGAIN, is_hopeless, swap_turns
from covermaker.batch.words import cancelled_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.batch.engines.base import Engine
    from covermaker.batch.in_hand import InHand
    from covermaker.batch.rows import Ask


class Obeying:
    """Takes asks out of a queue and does them."""

    def __init__(self, in_hand: InHand, engine: Engine) -> None:
        self._in_hand, self._engine, self._queue = in_hand, engine, in_hand.queue

    def obey(self, *, first: bool = False) -> bool:
        """Do what was asked; of what was left when the last process ended (`first`), only what is about songs.

        Returns
        -------
        bool
            Whether something was asked of the batch as a whole.
        """
        asked = False
        with self._queue.writing():
            for ask in self._queue.take_asks():
                of_all = ask.what in _OF_THE_BATCH
                if not (first and of_all):
                    _OBEY[ask.what](self, ask)
                    asked = asked or of_all
        return asked

    def _pause(self, ask: Ask) -> None:
        self._in_hand.is_paused = True
        self._queue.note(state="paused")
        self._in_hand.say("paused: what runs is finished, nothing is begun")

    def _go_on(self, ask: Ask) -> None:
        self._in_hand.is_paused = False
        self._queue.note(state="running")
        self._in_hand.say("goes on")

    def _stop(self, ask: Ask) -> None:
        self._in_hand.is_stopped = True
        self._queue.note(state="stopping")
        self._in_hand.say("stopped: what ran waits for the next time")

    def _retry(self, ask: Ask) -> None:
        for song in self._queue.songs("failed", "cancelled"):
            if ask.song not in {None, song.id} or (ask.song is None and song.state != "failed"):
                continue
            if is_hopeless(song):
                continue
            self._in_hand.memory_failures.pop(song.id, None)
            self._in_hand.unlooked[song.id] = None
            self._in_hand.leave_album(song.id)
            self._queue.change(song.id, **AGAIN)
            self._in_hand.moved(song.id)

    def _cancel(self, ask: Ask) -> None:
        for song in self._queue.songs("waiting", "running"):
            if ask.song not in {None, song.id}:
                continue
            running = self._in_hand.running.get(song.id)
            if running is None:
                self._in_hand.leave_album(song.id)
                self._queue.change(
                    song.id, state="cancelled", cause=cancelled_words(song.step), hint=None, exit_code=0
                )
                self._in_hand.moved(song.id)
            elif not running.cancelled:
                running.cancelled = True
                self._engine.cancel(song.id)

    def _earlier(self, ask: Ask) -> None:
        swap_turns(self._queue, ask.song, -1)

    def _later(self, ask: Ask) -> None:
        swap_turns(self._queue, ask.song, 1)


# What is about the batch as it runs, and means nothing to the next one.
_OF_THE_BATCH: Final = frozenset({"pause", "go on", "stop"})

_OBEY: Final[dict[str, Callable[[Obeying, Ask], None]]] = {
    "pause": Obeying._pause,
    "go on": Obeying._go_on,
    "stop": Obeying._stop,
    "retry": Obeying._retry,
    "cancel": Obeying._cancel,
    "earlier": Obeying._earlier,
    "later": Obeying._later,
}
