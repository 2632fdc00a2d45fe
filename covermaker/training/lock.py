"""One at a time in a voice's ``training/``: a training, an audition or a promotion."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from covermaker import locks
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
    """Hold the right to work in a voice's ``training/``; the pulse of one that was killed there goes.

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
    work = home / FOLDER
    with kept_out(home):
        try:
            with disk_errors(work):
                (work / NOW_FILE).unlink(missing_ok=True)
            with suppress(OSError):
                (work / HOLDER_FILE).write_text(doing, encoding="utf-8")
            yield
        finally:
            with suppress(OSError):
                (work / HOLDER_FILE).unlink(missing_ok=True)


@contextmanager
def kept_out(home: Path) -> Iterator[None]:
    """Keep everybody out of a voice's ``training/``, as for its folder to be moved; nothing that lies there changes.

    Raises
    ------
    ResourceError
        When somebody works there, or the folder cannot be written.
    """
    work = home / FOLDER
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    with locks.held(work / LOCK_FILE, _PATIENCE_SECONDS, lambda: _taken(home)):
        yield


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
    """Tell whether a process works in a voice's ``training/`` at this moment; where nobody can tell, nobody does."""
    return locks.is_held(home / FOLDER / LOCK_FILE, unknown=False)
