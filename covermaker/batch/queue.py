"""The queue of a batch: one SQLite file, read and written by whoever looks at the batch, worked on by one process.

The coordinator (`covermaker.batch.coordinate`) owns the rows of the songs. Others read them, and leave asks: retry
this, cancel that, pause. The file is in write-ahead mode: a process that is killed at any moment loses nothing that
was committed, and readers never wait for the writer.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from covermaker.batch.connection import column, looking, made, refused, writing
from covermaker.batch.rows import (
    LONGEST_WAIT_SECONDS,
    Ask,
    Length,
    Line,
    Moved,
    Song,
    StepTime,
    Try,
)
from covermaker.batch.schema import NUMBERED, SCHEMA, TABLES, TRIGGERS
from covermaker.disk import disk_errors
from covermaker.errors import ProjectError
from covermaker.locks import is_held
from covermaker.texts import writable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from covermaker.batch.rows import Asked, SongState

FILE_NAME: Final = "batch.sqlite"
LOCK_NAME: Final = "batch.lock"

_COLUMNS = tuple(one.name for one in fields(Song))
_JSON = frozenset({"wishes", "applied", "result"})
_FLAGS = frozenset({"kept", "was_done"})


class Queue:
    """The queue in a folder. Use it in one thread, and close it. Where nothing may be written it can be looked at.

    Parameters
    ----------
    folder : Path
        Where the batch puts its covers.

    Raises
    ------
    ProjectError
        When the folder holds no queue, or one of another version.
    ResourceError
        When the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        if not self.file.is_file():
            raise ProjectError(
                f"{folder} holds no batch", hint="begin one: covermaker batch PLAYLIST --out FOLDER"
            )
        self._base, self._frozen = looking(self.file)
        try:
            schema = self.fact("schema")
        except BaseException:
            self._base.close()
            raise
        if schema != SCHEMA:
            self._base.close()
            raise ProjectError(
                f"the batch in {folder} was made by another version (schema {schema}, ours is {SCHEMA})",
                hint="finish it with that version, or begin anew in another folder",
            )

    @classmethod
    def made(cls, folder: Path) -> Queue:
        """Open the queue of a folder, made first where there is none."""
        folder = folder.absolute()
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        base = made(folder / FILE_NAME)
        try:
            with writing(base, folder / FILE_NAME):
                for statement in (*TABLES.split(";"), *TRIGGERS):
                    base.execute(statement)
                base.execute("insert or ignore into facts values ('schema', ?)", (json.dumps(SCHEMA),))
        finally:
            base.close()
        return cls(folder)

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.folder / FILE_NAME

    @property
    def is_worked_on(self) -> bool:
        """Whether a living process works on it."""
        return is_held(self.folder / LOCK_NAME, unknown=not self._frozen)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Facts of the batch

    def fact(self, name: str, default: Any = None) -> Any:
        """Return what is noted of the batch as a whole: its options, its state."""
        with self._reading():
            row = self._base.execute("select value from facts where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def facts(self) -> dict[str, Any]:
        """Return all that is noted of the batch as a whole."""
        with self._reading():
            rows = self._base.execute("select name, value from facts").fetchall()
        return {name: json.loads(value) for name, value in rows}

    def note(self, **facts: Any) -> None:
        """Note facts of the batch as a whole; JSON values."""
        with self.writing():
            self._base.executemany(
                "insert or replace into facts values (?, ?)",
                [(name, json.dumps(value)) for name, value in facts.items()],
            )

    # Songs

    def songs(self, *states: SongState) -> list[Song]:
        """List the songs in the order of their turns; only those in these states, where some are given."""
        where = f"where state in ({', '.join('?' * len(states))})" if states else ""
        return self._songs(f"{where} order by turn, id", states)

    def song(self, number: int) -> Song | None:
        """Return one song."""
        found = self._songs("where id = ?", (number,))
        return found[0] if found else None

    def next_due(self, now: float) -> Song | None:
        """Return the next song that may be begun, as of `Song.is_due`; cheap however many wait."""
        found = self._songs(
            "where state = 'waiting' and (not_before <= ? or not_before >= ?) order by turn, id limit 1",
            (now, now + LONGEST_WAIT_SECONDS),
        )
        return found[0] if found else None

    def counts(self) -> dict[str, int]:
        """Return how many songs are in each state."""
        with self._reading():
            return dict(self._base.execute("select state, count(*) from songs group by state").fetchall())

    def lengths(self) -> list[Length]:
        """List what an estimate needs to know of every song; cheap for ten thousands."""
        with self._reading():
            rows = self._base.execute(
                "select id, state, seconds, spent_seconds, was_done, began, json_extract(wishes, '$.separator') "
                "from songs"
            )
            return [Length(*row) for row in rows]

    @property
    def version(self) -> int:
        """Another number whenever somebody else has written into the file; asking costs next to nothing."""
        with self._reading():
            return int(self._base.execute("pragma data_version").fetchone()[0])

    def moved(self, after: int = 0, *, most: int) -> Moved:
        """Return the songs that changed after a moment, as they are now, at most so many; see `Moved`."""
        with self._reading():
            rows = self._base.execute(
                f"select m.id, m.song, {', '.join(f's.{name}' for name in _COLUMNS)} from moves m "  # noqa: S608 - our own names
                "left join songs s on s.id = m.song where m.id > ? order by m.id limit ?",
                (after, most),
            ).fetchall()
        return Moved(
            rows[-1][0] if rows else after,
            tuple(_song(row[2:]) for row in rows if row[2] is not None),
            tuple(row[1] for row in rows if row[2] is None),
            len(rows) == most,
        )

    def put(self, songs: Iterable[Song]) -> None:
        """Write whole rows, new ones and others."""
        marks = ", ".join("?" * len(_COLUMNS))
        statement = f"insert or replace into songs ({', '.join(_COLUMNS)}) values ({marks})"  # noqa: S608 - our own names
        with self.writing():
            self._base.executemany(statement, [_values(song) for song in songs])

    def remove(self, numbers: Iterable[int]) -> None:
        """Take songs out, and what is known of them."""
        rows = [(number,) for number in numbers]
        with self.writing():
            self._base.executemany("delete from songs where id = ?", rows)
            for table in ("tries", "steps"):
                self._base.executemany(f"delete from {table} where song = ?", rows)  # noqa: S608 - our own names

    def renumber(self, numbers: Mapping[int, int]) -> None:
        """Give songs other numbers, in all that is known or asked of them. Whoever looks on sees the old ones go.

        Parameters
        ----------
        numbers : mapping of int to int
            The new number of every song, by the old one.
        """
        moving = [(before, now) for before, now in numbers.items() if now != before]
        if not moving:
            return
        with self.writing():
            self._base.execute("create temp table moving (before integer primary key, now integer)")
            self._base.executemany("insert into moving values (?, ?)", moving)
            for table, name in NUMBERED:
                # By way of negative numbers: none is taken while another song still has it.
                self._base.execute(
                    f"update {table} set {name} = -(select now from moving where before = {name}) "  # noqa: S608 - our own names
                    f"where {name} in (select before from moving)"
                )
                self._base.execute(f"update {table} set {name} = -{name} where {name} < 0")  # noqa: S608 - our own names
            self._base.execute("delete from moves where song < 0")
            self._base.execute("insert or replace into moves (song) select before from moving")
            self._base.execute("drop table moving")

    def change(self, number: int, **columns: Any) -> None:
        """Change columns of a song."""
        names = ", ".join(f"{name} = ?" for name in columns)
        values = [_out(name, value) for name, value in columns.items()]
        with self.writing():
            self._base.execute(f"update songs set {names} where id = ?", (*values, number))  # noqa: S608 - our own names

    def _songs(self, rest: str, values: Iterable[Any]) -> list[Song]:
        with self._reading():
            rows = self._base.execute(
                f"select {', '.join(_COLUMNS)} from songs {rest}",  # noqa: S608 - our own names
                tuple(values),
            ).fetchall()
        return [_song(row) for row in rows]

    # What became of them

    def put_try(self, one: Try) -> None:
        """Write an attempt."""
        with self.writing():
            self._base.execute(
                "insert or replace into tries values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                tuple(_out(name, value) for name, value in asdict(one).items()),
            )

    def tries(self, song: int | None = None) -> list[Try]:
        """List attempts, of one song or of all, in order."""
        where, values = ("where song = ?", (song,)) if song is not None else ("", ())
        with self._reading():
            rows = self._base.execute(
                f"select * from tries {where} order by song, number",  # noqa: S608 - our own words
                values,
            )
            return [Try(*(_in("", value) for value in row)) for row in rows]

    def open_tries(self) -> list[Try]:
        """List attempts that have not ended."""
        with self._reading():
            rows = self._base.execute("select * from tries where ended is null order by song, number")
            return [Try(*(_in("", value) for value in row)) for row in rows]

    def put_step(self, one: StepTime) -> None:
        """Write a step's time; a step that is found there keeps the time it took when it was made here."""
        with self.writing():
            place = self._base.execute("select count(*) from steps where song = ?", (one.song,)).fetchone()[0]
            self._base.execute(
                "insert into steps values (?, ?, ?, ?, ?) on conflict (song, name) do update set "
                "seconds = case when excluded.kept then seconds else excluded.seconds end, kept = excluded.kept",
                (one.song, one.name, one.seconds, int(one.kept), place),
            )

    def steps(self, song: int | None = None) -> list[StepTime]:
        """List step times, of one song or of all, in the order in which they were begun."""
        where, values = ("where song = ?", (song,)) if song is not None else ("", ())
        with self._reading():
            rows = self._base.execute(
                f"select song, name, seconds, kept from steps {where} order by song, at",  # noqa: S608 - our own words
                values,
            )
            return [StepTime(number, name, seconds, bool(kept)) for number, name, seconds, kept in rows]

    def say(self, words: str, *, song: int | None = None, running_at: str = "") -> None:
        """Write a line of the log."""
        with self.writing():
            self._base.execute(
                "insert into log (at, running_at, song, words) values (?, ?, ?, ?)",
                (time.time(), running_at, song, writable(words)),
            )

    def lines(self, after: int = 0, *, last: int | None = None) -> list[Line]:
        """List lines of the log after one of them; at most the `last` ones."""
        limit = -1 if last is None else last
        with self._reading():
            rows = self._base.execute(
                "select * from (select id, at, running_at, song, words from log where id > ? order by id desc limit ?) "
                "order by id",
                (after, limit),
            )
            return [Line(*row) for row in rows]

    # Asks

    def ask(self, what: Asked, song: int | None = None) -> None:
        """Leave an ask; the coordinator takes it within a second."""
        with self.writing():
            self._base.execute(
                "insert into asks (at, what, song) values (?, ?, ?)", (time.time(), what, song)
            )

    def asks(self) -> list[Ask]:
        """List what was asked and not taken yet, in order."""
        with self._reading():
            rows = self._base.execute("select id, at, what, song from asks order by id").fetchall()
        return [Ask(*row) for row in rows]

    def take_asks(self) -> list[Ask]:
        """Take what was asked, in order."""
        asks = self.asks()
        if asks:
            with self.writing():
                self._base.execute("delete from asks where id <= ?", (asks[-1].id,))
        return asks

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write several things as one: all of it or nothing. Inside another such block it is part of that."""
        if self._base.in_transaction:
            yield
        else:
            with writing(self._base, self.file):
                yield

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise refused(error, self.file) from error


def _song(row: Sequence[Any]) -> Song:
    return Song(**{name: _in(name, value) for name, value in zip(_COLUMNS, row, strict=True)})


def _values(song: Song) -> list[Any]:
    return [_out(name, getattr(song, name)) for name in _COLUMNS]


def _out(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return column(value)
    return json.dumps(value) if name in _JSON else int(value) if name in _FLAGS else value


def _in(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return os.fsdecode(value)
    return json.loads(value) if name in _JSON else bool(value) if name in _FLAGS else value
