"""``covermaker batch status --follow``: every change, in lines, until nobody works on the batch any more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from covermaker.batch.events import BatchLeft, BatchOver, BatchSaid
from covermaker.batch.report import PAGE_NAME
from covermaker.batch.telling import moved
from covermaker.batch.words import failure_words, summary_words
from covermaker.cli.batch_facts import facts_of, state_words
from covermaker.cli.batch_lines import Lines, broken
from covermaker.cli.batch_tables import MOST_SONGS, ran_seconds
from covermaker.cli.output import near, printable, terminal_width
from covermaker.errors import ExitCode
from covermaker.texts import one_line

if TYPE_CHECKING:
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Line, Song
    from covermaker.graph.events import Event

_LOOK_SECONDS = 0.5
_MOST_AT_ONCE = 500


def follow(queue: Queue, *, as_json: bool) -> int:
    """Tell every change; ends when nobody works on the batch any more."""
    look = _Looking(queue, as_json=as_json)
    version = -1
    while True:
        worked_on = queue.is_worked_on
        before, version = version, queue.version
        if version != before:
            look.tell(worked_on=worked_on)
        if not worked_on:
            break
        time.sleep(_LOOK_SECONDS)
    facts = facts_of(queue)
    if as_json:
        click.echo(_over(queue).to_json())
    else:
        look.write(summary_words(facts["counts"], ran_seconds(queue)))
        if facts["state"] == "stopped":
            look.write(state_words(queue, facts))
    return int(ExitCode.BATCH_PARTLY_FAILED if facts["counts"].get("failed") else ExitCode.OK)


class _Looking:
    """Reads what is new of a queue, and writes it."""

    def __init__(self, queue: Queue, *, as_json: bool) -> None:
        self._queue, self._as_json = queue, as_json
        self._at, self._line = 0, max((line.id for line in queue.lines(last=1)), default=0)
        self._marks: dict[int, tuple[Any, ...]] = {}
        self._failures: dict[int, str] = {}
        self._lines = Lines(steps=True)
        self._width = terminal_width()
        self._is_first = True

    def tell(self, *, worked_on: bool) -> None:
        """Write what is new: what the log says, and then the songs, whose ends come last."""
        lines = self._queue.lines(self._line)  # first: a row that the log speaks of is written before it does
        songs = self._changed()
        if self._is_first and not self._as_json:
            songs = self._first(songs, worked_on=worked_on)
        self._is_first = False
        for song in songs:
            self._lines.name(song.id, song.name)
            if song.state == "failed":
                self._failures[song.id] = failure_words(song.step, song.cause)
        for line in lines:
            self._line = line.id
            self._said(line)
        for song in songs:
            self._song(song, worked_on=worked_on)
        if not self._as_json and worked_on:
            facts = self._queue.facts()
            paused = facts.get("state") == "paused"
            self._event(BatchLeft(self._queue.counts(), facts.get("seconds_left"), paused))

    def _first(self, songs: list[Song], *, worked_on: bool) -> list[Song]:
        """Say which batch it is, and of many songs that are over only those that failed."""
        title = one_line(str(self._queue.fact("title", "")))
        paused = ", paused" if worked_on and self._queue.fact("state") == "paused" else ""
        self.write(f"{title}, in {near(str(self._queue.folder))}: {len(songs)} songs{paused}")
        if sum(song.is_over for song in songs) <= MOST_SONGS:
            return songs
        return [song for song in songs if song.state == "failed" or not song.is_over]

    def _changed(self) -> list[Song]:
        """Return the songs that changed since the last time, in the order of their turns."""
        songs: dict[int, Song] = {}
        more = True
        while more:
            part = self._queue.moved(self._at, most=_MOST_AT_ONCE)
            songs |= {song.id: song for song in part.songs}
            self._at, more = part.at, part.more
        return sorted(songs.values(), key=lambda song: (song.turn, song.id))

    def _song(self, song: Song, *, worked_on: bool) -> None:
        mark = (song.state, song.step, song.tries, int(4 * song.fraction))
        if self._marks.get(song.id) == mark or (song.id not in self._marks and song.state == "waiting"):
            return
        self._marks[song.id] = mark
        if song.state != "running" or worked_on:
            self._event(moved(song))

    def _said(self, line: Line) -> None:
        is_told = line.song is not None and self._failures.get(line.song) == line.words
        if not (self._as_json or is_told):  # the row of a failure says all of it
            self._event(BatchSaid(line.words, line.song, line.running_at))

    def _event(self, event: Event) -> None:
        if self._as_json:
            click.echo(event.to_json())
            return
        for line in self._lines.of(event):
            self.write(line)

    def write(self, text: str) -> None:
        """Write a line, broken between words where a terminal is narrower."""
        for line in broken(text, self._width):
            click.echo(printable(line))


def _over(queue: Queue) -> Event:
    """Return the last event of a batch as who works on it tells it."""
    counts = queue.counts()
    stopped = any(counts.get(state) for state in ("waiting", "running"))
    seconds = round(ran_seconds(queue) or 0.0, 2)
    return BatchOver(counts, seconds, str(queue.folder / PAGE_NAME), stopped)
