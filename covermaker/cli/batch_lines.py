"""What a batch tells, as lines: the same for whoever runs it and for whoever looks on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from covermaker.batch.events import BatchLeft, BatchSaid, BatchStarted, SongMoved
from covermaker.batch.words import failure_words, summary_words
from covermaker.cli.batch_tables import wrapped
from covermaker.texts import one_line
from covermaker.training.stages import phase_words
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.graph.events import Event

OVER: Final = frozenset({"done", "failed", "cancelled"})
_SUM_SECONDS: Final = 30.0  # how often it is said how far the whole is
_QUARTERS: Final = 4
_INDENT: Final = " " * 6  # a number and a gap


class Lines:
    """Puts events into lines, each thing once.

    Parameters
    ----------
    steps : bool
        Tell of beginnings, steps, their quarters, and now and then of the whole, too; not only of ends.
    now : callable
        Seconds on a clock that nobody sets.
    """

    def __init__(self, *, steps: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._steps, self._now = steps, now
        self._titles: dict[int, str] = {}
        self._at: dict[int, tuple[str, int]] = {}  # the step and its quarter that were told last
        self._summed: tuple[float, str] = (now(), "")

    def of(self, event: Event) -> list[str]:
        """Return the lines of an event; most have none or one."""
        match event:
            case BatchStarted():
                return [_started(event)]
            case SongMoved():
                return self._moved(event)
            case BatchSaid():
                return [self._said(event)]
            case BatchLeft():
                return self._left(event)
            case _:
                return []

    def name(self, number: int, title: str) -> None:
        """Say what a song is called, of which nothing may have been told yet."""
        self._titles[number] = one_line(title)

    def _moved(self, event: SongMoved) -> list[str]:
        number = event.number
        self.name(number, event.title)
        if event.state != "running":
            self._at.pop(number, None)
            return [over_words(event)] if event.state in OVER else []
        if not self._steps:
            return []
        before = self._at.get(number)
        now = event.step, int(_QUARTERS * event.fraction)
        if before == now or (before and before[0] == now[0] and now[1] < before[1]):
            return []
        self._at[number] = now
        share = f" {100 * now[1] // _QUARTERS} %" if 0 < now[1] < _QUARTERS else ""
        words = f"{phase_words(event.step)}{share}" if event.step else "begins"
        return [] if now[1] == _QUARTERS else [self._line(number, words)]

    def _said(self, event: BatchSaid) -> str:
        words = f"note: {one_line(event.words)}"
        return words if event.number is None else self._line(event.number, words)

    def _left(self, event: BatchLeft) -> list[str]:
        told_at, told = self._summed
        left = f", about {clock(event.seconds_left)} left" if event.seconds_left is not None else ""
        words = summary_words(event.counts)
        if not self._steps or self._now() - told_at < _SUM_SECONDS:
            return []
        line = f"{_INDENT}{words}{', paused' if event.paused else left}"
        if event.paused and line == told:
            return []
        self._summed = self._now(), line
        return [line]

    def _line(self, number: int, words: str) -> str:
        title = self._titles.get(number)
        return f"{number:>4}  {title}: {words}" if title else f"{number:>4}  {words}"


def _started(event: BatchStarted) -> str:
    total = sum(event.counts.values())
    songs = "1 song" if total == 1 else f"{total} songs"
    return f"{one_line(event.title or event.folder)}: {songs}, {event.workers} at once, engine {event.engine}"


def over_words(event: SongMoved) -> str:
    """Say in a line how a song ended."""
    return f"{event.number:>4}  {one_line(event.title)}: {_end(event)}"


def _end(event: SongMoved) -> str:
    if event.state == "cancelled":
        return one_line(event.cause) or event.state
    if event.state == "failed":
        hint = f" ({one_line(event.hint)})" if event.hint else ""
        return failure_words(one_line(event.step), one_line(event.cause)) + hint
    if event.was_done:
        return "was done already"
    loudness = f", {event.loudness_lufs:.1f} LUFS" if event.loudness_lufs is not None else ""
    return "done" + (f" in {clock(event.seconds)}" if event.seconds else "") + loudness


def broken(line: str, width: int | None) -> list[str]:
    """Break a line between its words where a terminal is narrower; what follows stands below its words."""
    if width is None or len(line) <= width:
        return [line]
    spaces = line[: len(line) - len(line.lstrip())]
    return wrapped(line.lstrip(), width, first=spaces, rest=_INDENT)
