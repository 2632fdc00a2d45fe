"""One at a time in a voice's ``training/``: a training, an audition or a promotion."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from covermaker.disk import disk_errors
from covermaker.errors import ResourceError
from covermaker.training.course import FOLDER
from covermaker.training.pulse import FILE_NAME as NOW_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_FILE = ".lock"
HOLDER_FILE = ".holder"  # what the one inside does, in words: the lock itself is emptied by whoever tries it
TRAINING = "a training"
_PATIENCE_SECONDS = 0.2  # longer than `is_held` holds it to find out


@contextmanager
def alone_in(home: Path, doing: str = TRAINING) -> Iterator[None]:
    """Hold the right to work in a voice's ``training/``; the operating system drops it when the process dies.

    A training writes its pulse over that of one that was killed; whoever else comes in takes that away, so that it does
    not pass for the pulse of what runs now.

    Parameters
    ----------
    home : Path
        The voice's folder.
    doing : str
        ``"a training"``, ``"an audition"``, …: told to whoever finds the place taken.

    Raises
    ------
    ResourceError
        When somebody else holds it, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    work = home / FOLDER
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(work / LOCK_FILE)
        try:
            lock.acquire(timeout=_PATIENCE_SECONDS, poll_interval=0.02)
        except Timeout as error:
            raise _taken(home) from error
    try:
        if doing != TRAINING:
            with disk_errors(work):
                (work / NOW_FILE).unlink(missing_ok=True)
        with suppress(OSError):
            (work / HOLDER_FILE).write_text(doing, encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            (work / HOLDER_FILE).unlink(missing_ok=True)
        lock.release()


def _taken(home: Path) -> ResourceError:
    try:
        doing = (home / FOLDER / HOLDER_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        doing = ""
    stop = f", or stop it: covermaker voices stop {home.name}" if doing == TRAINING else ""
    return ResourceError(
        f"{doing or 'other work'} of '{home.name}' runs already", hint=f"wait for its end{stop}"
    )


def is_held(home: Path) -> bool:
    """Tell whether a process works in a voice's ``training/`` at this moment."""
    from filelock import FileLock, Timeout

    file = home / FOLDER / LOCK_FILE
    if not file.is_file():
        return False
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # not ours to open: nobody can tell
        return False
    lock.release()
    return False
