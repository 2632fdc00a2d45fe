"""What the process that works on a batch has in hand: songs that run, the album, and how it tells of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.batch.album import Album
from covermaker.batch.events import BatchSaid
from covermaker.batch.rows import Try
from covermaker.batch.telling import moved
from covermaker.batch.words import failure_words

if TYPE_CHECKING:
    from contextlib import ExitStack

    from covermaker.batch.options import Options
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song
    from covermaker.graph.events import Listener


@dataclass
class Running:
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


class InHand:
    """See the module.

    Attributes
    ----------
    running : dict of int to Running
    memory_failures : dict of int to int
        How often a song ran out of memory.
    unlooked : dict of int to None
        Songs of which nobody has asked yet whether they are done, in the order of their turns.
    costs : dict of int to float
        What songs take of which some steps are there already, in seconds on two cores.
    begun : int
        How many songs were begun.
    is_paused, is_stopped : bool
    """

    def __init__(self, queue: Queue, options: Options, tell: Listener) -> None:
        self.queue, self.options, self.tell = queue, options, tell
        self.album = Album(queue, options.album_lufs) if options.album else None
        self.running: dict[int, Running] = {}
        self.memory_failures: dict[int, int] = {}
        self.unlooked: dict[int, None] = {}
        self.costs: dict[int, float] = {}
        self.begun = 0
        self.is_paused = False
        self.is_stopped = False

    def let_go(self, number: int) -> None:
        """Have a song no more; its project is free for others."""
        self.running.pop(number).holding.close()

    def leave_album(self, number: int) -> None:
        """Let a song be no part of the album, until it is measured again."""
        if self.album is not None:
            self.album.forget(number)

    def end_try(self, song: Song, state: str, cause: str, code: int, *, step: str = "") -> None:
        """Close the last attempt of a song, if one is open."""
        last = next((one for one in reversed(self.queue.tries(song.id)) if one.ended is None), None)
        if last is not None:
            written = self.queue.song(song.id) or song
            self.queue.put_try(
                Try(
                    song.id, last.number, last.began, time.time(), written.running_at, state, step, cause, code
                )
            )  # fmt: skip

    # What is told

    def say(self, words: str, song: int | None = None, running_at: str = "") -> None:
        """Write a line into the log, and tell it."""
        self.queue.say(words, song=song, running_at=running_at)
        self.tell(BatchSaid(words, song, running_at))

    def moved(self, number: int) -> None:
        """Tell how it stands with a song."""
        song = self.queue.song(number)
        if song is not None:
            self.tell(moved(song))

    def failed(self, number: int, running_at: str = "") -> None:
        """Tell of a song that has failed for good: the log gets a line, listeners get the song alone."""
        song = self.queue.song(number)
        if song is not None:
            self.queue.say(failure_words(song.step, song.cause), song=number, running_at=running_at)
            self.tell(moved(song))
