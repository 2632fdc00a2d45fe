"""How a queue's SQLite file is opened, written and refused."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from covermaker.errors import ProjectError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# How long a reader or writer may hold the others up.
_BUSY_SECONDS: Final = 20.0
_NOT_OURS: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})


def made(file: Path) -> sqlite3.Connection:
    """Open a queue's file to write it, made where there is none.

    Raises
    ------
    ProjectError
        When it is something else.
    ResourceError
        When the disk refuses.
    """
    try:
        return _tuned(sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None))
    except sqlite3.Error as error:
        raise refused(error, file) from error


def looking(file: Path) -> tuple[sqlite3.Connection, bool]:
    """Open a queue's file that is there; where nothing may be written, to look at it.

    Returns
    -------
    connection, bool
        Whether nobody can have it open: then it is read as it lies there, without the files by which readers and
        writers know of each other.
    """
    try:
        try:
            return _tuned(sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)), False
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _NOT_OURS:
                raise
        try:
            return _read_only(file, "mode=ro"), False
        except sqlite3.OperationalError:
            return _read_only(file, "mode=ro&immutable=1"), True
    except sqlite3.Error as error:
        raise refused(error, file) from error


def _tuned(base: sqlite3.Connection) -> sqlite3.Connection:
    with _closed_if_refused(base):
        # Not every file system shares memory between processes; there SQLite keeps its older journal by itself.
        base.execute("pragma journal_mode = wal")
        base.execute("pragma synchronous = normal")
    return base


def _read_only(file: Path, how: str) -> sqlite3.Connection:
    uri = f"{file.absolute().as_uri()}?{how}"
    base = sqlite3.connect(uri, timeout=_BUSY_SECONDS, isolation_level=None, uri=True)
    with _closed_if_refused(base):
        base.execute("select count(*) from sqlite_master").fetchone()
    return base


@contextmanager
def _closed_if_refused(base: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error:
        base.close()
        raise


@contextmanager
def writing(base: sqlite3.Connection, file: Path) -> Iterator[None]:
    """Write several things as one: all of it or nothing."""
    try:
        base.execute("begin immediate")
        yield
        base.execute("commit")
    except sqlite3.Error as error:
        _back(base)
        raise refused(error, file) from error
    except BaseException:
        _back(base)
        raise


def _back(base: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        base.execute("rollback")


def refused(error: sqlite3.Error, file: Path) -> Exception:
    """Return what to tell a person of an error of SQLite's."""
    known = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
    if known or "no such" in str(error):
        return ProjectError(
            f"{file} is damaged or no queue: {error}",
            hint="move it away and begin the batch again: finished steps are kept",
        )
    return ResourceError(f"the queue {file} cannot be used: {error}", hint="is the disk full or read-only?")


def column(value: str) -> str | bytes:
    """Return a text as SQLite takes it: bytes where it is a file's name that no encoding explains."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return os.fsencode(value)
    return value
