"""A batch in a process of its own: it goes on when whoever began it ends."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

from covermaker.disk import disk_errors
from covermaker.errors import CovermakerError
from covermaker.graph.events import Failed, from_json
from covermaker.jobs.launch import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# -P: a file of the working folder must not be imported in place of a package.
COMMAND: Final = (sys.executable, "-P", "-m", "covermaker", "batch")
_LOG: Final = ("logs", "batch.log")
_END_BYTES: Final = 1 << 16  # of a log, where its last words stand
_BEGINS: Final = "--- a process begins ---"


def log_of(folder: Path) -> Path:
    """Return where the process of the batch in a folder writes what it tells."""
    return folder.joinpath(*_LOG)


def begin(playlist: str, folder: Path, wishes: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Begin a batch of a list in a folder.

    Parameters
    ----------
    playlist : str
        Absolute, or a pattern that is.
    wishes : mapping
        Options of the command by their names: ``voice``, ``preset``, ``engine`` …

    Raises
    ------
    ResourceError
        When the folder cannot be written, or the system starts no process.
    """
    options = [f"--{name}={value}" for name, value in wishes.items()]
    return _started(("run", "--json", f"--out={folder}", *options, "--", playlist), folder)


def resume(folder: Path) -> subprocess.Popen[bytes]:
    """Go on with the batch in a folder; raises as `begin` does."""
    return _started(("resume", "--json", "--", str(folder)), folder)


def failure(folder: Path) -> CovermakerError | None:
    """Return why the last process of a batch ended before its time; None where its log does not say."""
    try:
        with log_of(folder).open("rb") as log:
            log.seek(max(0, log_of(folder).stat().st_size - _END_BYTES))
            told = log.read().decode("utf-8", "replace")
    except OSError:
        return None
    lines = told.rpartition(_BEGINS)[2].splitlines()
    for line in reversed(lines):
        try:
            event = from_json(line)
        except ValueError:
            continue
        if isinstance(event, Failed):
            return event.as_error()
    words = next((line for line in reversed(lines) if line.strip() and not line.startswith("{")), "")
    return CovermakerError(words) if words else None


def _started(arguments: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    log = log_of(folder)
    with disk_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as told:  # another process may still write there
            told.write(f"{_BEGINS}\n".encode())
            told.flush()
            return subprocess.Popen(  # noqa: S603 - our own interpreter and code
                (*COMMAND, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.STDOUT,
                env=environment(),
                start_new_session=True,
            )
