"""What the studio knows of a batch: put together from readings of its queue, each of which tells what is new."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from covermaker.batch.estimate import TABLE_CORES, learned, seconds_of, usual
from covermaker.batch.options import Options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from covermaker.batch.rows import Ask, Line, Song, StepTime, Try
    from covermaker.errors import CovermakerError

_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class Close:
    """What only the selected song is asked for; `log` is where more is said of it, "" where that is not there."""

    song: int
    tries: tuple[Try, ...]
    steps: tuple[StepTime, ...]
    log: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a look at a queue found.

    Attributes
    ----------
    facts : mapping
        As of `covermaker.batch.queue.Queue.facts`.
    songs : tuple of Song
        Those that changed since the last reading.
    gone : tuple of int
        Those that are no more.
    lines : tuple of Line
        What is new in the log.
    asked : tuple of Ask
        What the coordinator has not taken yet.
    worked_on : bool
        Whether a living process works on it.
    close : Close or None
        The selected song.
    is_first : bool
        Nothing that was known before holds: the file was opened anew.
    more : bool
        There is more to read.
    """

    facts: Mapping[str, Any]
    songs: tuple[Song, ...] = ()
    gone: tuple[int, ...] = ()
    lines: tuple[Line, ...] = ()
    asked: tuple[Ask, ...] = ()
    worked_on: bool = False
    close: Close | None = None
    is_first: bool = False
    more: bool = False


class BatchState:
    """A batch as it was last read. Knows no file, no thread and no screen.

    Attributes
    ----------
    songs : dict of int to Song
    options : Options
        What it was begun with.
    order : list of int
        Their numbers in the order of their turns.
    running : set of int
        Those that run, as the queue says; of a batch that was killed they do not.
    counts : Counter
        Songs by state.
    were_done : int
        How many were done before.
    lines : deque of Line
        The last ones of the log.
    is_beginning : bool
        Whether a process that is to work on it was started and is not there yet.
    is_read : bool
        Whether all of it was read once.
    problem : CovermakerError or None
        Why the queue cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem: CovermakerError | None = None
        self.is_beginning = False
        self._forget()

    def _forget(self) -> None:
        self.facts: Mapping[str, Any] = {}
        self.options = Options()
        self.songs: dict[int, Song] = {}
        self.order: list[int] = []
        self.running: set[int] = set()
        self.counts: Counter[str] = Counter()
        self.were_done = 0
        self.lines: deque[Line] = deque(maxlen=_LINES)
        self.asked: tuple[Ask, ...] = ()
        self.close: Close | None = None
        self.worked_on = False
        self.is_read = False
        self._made: dict[int, tuple[float, float, float]] = {}  # ended, spent and thought seconds
        self._lengths: dict[int, float] = {}
        self._usual_seconds = usual(())
        self._factor = 1.0  # how much longer songs take than the table says

    def take(self, reading: Reading) -> None:
        """Take over what a reading found new."""
        if reading.is_first:
            self._forget()
        self.problem = None
        self.facts, self.asked, self.worked_on = reading.facts, reading.asked, reading.worked_on
        self.options = Options.of(self.facts.get("options") or {})
        self.close = reading.close
        self.lines.extend(reading.lines)
        self.is_read = self.is_read or not reading.more
        is_moved = bool(reading.gone)
        for number in reading.gone:
            self._drop(number)
        for song in reading.songs:
            before = self.songs.get(song.id)
            is_moved = is_moved or before is None or before.turn != song.turn
            self._drop(song.id)
            self._put(song)
        if is_moved:
            self.order = sorted(self.songs, key=lambda number: (self.songs[number].turn, number))
        if reading.songs or reading.gone:
            self._usual_seconds = usual(self._lengths.values())
        self._factor = learned((spent, thought) for _, spent, thought in self._made.values())

    def refused(self, problem: CovermakerError) -> None:
        """Note that the queue cannot be read; what was known is forgotten with it."""
        self._forget()
        self.problem = problem

    def _drop(self, number: int) -> None:
        song = self.songs.pop(number, None)
        if song is not None:
            self.counts[song.state] -= 1
            self.were_done -= song.was_done
            self.running.discard(number)
            self._made.pop(number, None)
            self._lengths.pop(number, None)

    def _put(self, song: Song) -> None:
        self.songs[song.id] = song
        self.counts[song.state] += 1
        self.were_done += song.was_done
        if song.seconds:
            self._lengths[song.id] = song.seconds
        if song.state == "running":
            self.running.add(song.id)
        elif song.state == "done" and not song.was_done and song.spent_seconds and song.ended:
            self._made[song.id] = (song.ended, song.spent_seconds, self.thought_seconds(song))

    # The batch

    @property
    def title(self) -> str:
        """What its list calls itself, else its folder."""
        return str(self.facts.get("title") or self.folder.name)

    @property
    def places(self) -> list[Mapping[str, Any]]:
        """Where songs run: name, songs, room and note of each; none where nobody works on it."""
        return list(self.facts.get("places") or ()) if self.worked_on else []

    @property
    def over(self) -> int:
        """How many songs are over, well or not."""
        return self.counts["done"] + self.counts["failed"] + self.counts["cancelled"]

    @property
    def is_left(self) -> bool:
        """Whether something is to be done, and nobody does it."""
        return not self.worked_on and not self.is_beginning and self.over < len(self.songs)

    @property
    def is_paused(self) -> bool:
        """Whether it begins no more songs, or will not once it has heard what it was asked."""
        wishes = [ask.what for ask in self.asked if ask.what in {"pause", "go on"}]
        return self.worked_on and (wishes[-1] == "pause" if wishes else self.facts.get("state") == "paused")

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to end, and has not yet."""
        is_heard = self.facts.get("state") == "stopping"
        return self.worked_on and (is_heard or any(ask.what == "stop" for ask in self.asked))

    @property
    def seconds_left(self) -> float | None:
        """How long it still takes, as the one who works on it says; None where nobody does."""
        left = self.facts.get("seconds_left")
        return left if self.worked_on and self.over < len(self.songs) else None

    @property
    def songs_per_minute(self) -> float | None:
        """Of the songs that were made since it was begun or gone on with; None before there is one."""
        began = self.facts.get("began") or 0.0
        ended = [at for at, _, _ in self._made.values() if at >= began]
        minutes = (max(ended, default=began) - began) / 60.0
        return len(ended) / minutes if minutes > 0.0 else None

    @property
    def fraction(self) -> float:
        """Share that is over, 0..1; songs that run count as far as they are thought to be."""
        return (self.over + sum(self._shares())) / len(self.songs) if self.songs else 0.0

    def _shares(self) -> Iterable[float]:
        heard = self.facts.get("heartbeat") or 0.0
        for number in self.running if self.worked_on else ():
            song = self.songs[number]
            took = max(0.0, heard - (song.began or heard))
            yield min(0.95, took / self.expected_seconds(song))

    # A song

    def is_running(self, song: Song) -> bool:
        """Tell whether a song runs in fact."""
        return song.state == "running" and self.worked_on

    def is_asked(self, what: str, number: int) -> bool:
        """Tell whether something was asked about a song that is not heard yet."""
        return any(ask.what == what and ask.song in {None, number} for ask in self.asked)

    def thought_seconds(self, song: Song) -> float:
        """Return what a song takes by the table of costs, on as many cores as it has."""
        each = [float(place.get("cores", TABLE_CORES)) for place in self.facts.get("places") or ()]
        return seconds_of(
            song.seconds,
            str(self.options.wanted(song.wishes).get("separator", "spleeter")),
            score=self.options.score,
            usual_seconds=self._usual_seconds,
            cores=sum(each) / len(each) if each else TABLE_CORES,
        )

    def expected_seconds(self, song: Song) -> float:
        """Return what a song takes, as far as the finished ones tell."""
        return max(1.0, self._factor * self.thought_seconds(song))

    def song_seconds_left(self, song: Song, now: float) -> float | None:
        """Return how long a song still runs; None where it does not run, or longer than it was thought to."""
        if not self.is_running(song) or song.began is None:
            return None
        left = self.expected_seconds(song) - (now - song.began)
        return left if left >= 1.0 else None
