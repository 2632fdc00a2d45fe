"""Asking a training to save and end: a file in its ``training/``, which it looks for after every step.

Anybody who may write there can ask: the studio, ``covermaker voices stop``, from the same machine or over a shared
disk. Ctrl-C in the terminal of ``covermaker train`` asks, too, and when it comes again ends it at once, as SIGTERM
does: then it is where it was at its last save.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from covermaker.disk import runs, this_host, write_text
from covermaker.errors import CovermakerError, ExitCode, ResourceError, UsageError
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.checkpoint import steps_kept
from covermaker.training.course import FOLDER
from covermaker.training.lock import is_held
from covermaker.training.pulse import read_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from covermaker.progress import Progress
    from covermaker.training.pulse import Now

FILE_NAME = "stop"


class StoppedError(CovermakerError):
    """Somebody ended the training."""

    exit_code = ExitCode.INTERRUPTED


def ask_to_stop(home: Path) -> None:
    """Ask the training of a voice to save and end.

    Raises
    ------
    UsageError
        When none runs.
    ResourceError
        When the folder cannot be written.
    """
    _check_running(home)
    write_text(home / FOLDER / FILE_NAME, "")


def is_asked(work: Path) -> bool:
    """Tell whether the training in ``work`` was asked to end."""
    return (work / FILE_NAME).exists()


def forget(work: Path) -> None:
    """Take the wish away: it was followed, or was meant for a run that is gone."""
    with suppress(OSError):
        (work / FILE_NAME).unlink(missing_ok=True)


def check_stop(work: Path, go_on: Callable[[], str]) -> None:
    """End a training that is asked to, where there is nothing to save yet.

    Parameters
    ----------
    work : Path
        The run's ``training``.
    go_on : callable
        Returns the command that goes on from there.

    Raises
    ------
    StoppedError
        When it is asked to.
    """
    if is_asked(work):
        kept = steps_kept(work / CHECKPOINTS)
        where = f"before it went on from step {kept[-1]}" if kept else "before the first step"
        raise StoppedError(
            f"stopped {where}", hint=f"what was prepared so far is kept, go on with: {go_on()}"
        )


def heeding(work: Path, told: Progress, go_on: Callable[[], str]) -> Progress:
    """Return a progress function that ends the training in ``work`` as soon as it is asked to; see `check_stop`."""

    def tell(fraction: float) -> None:
        check_stop(work, go_on)
        told(fraction)

    return tell


def kill_training(home: Path) -> None:
    """End the training of a voice at once, as Ctrl-C does: what came after its last save is lost.

    Raises
    ------
    UsageError
        When none runs, or it runs on another machine.
    ResourceError
        When it belongs to somebody else.
    """
    now = _check_running(home)
    if now.host != this_host():
        raise UsageError(
            f"the training of '{home.name}' runs on {now.host}, process {now.pid}",
            hint="end it there, or let it save and end: covermaker voices stop",
        )
    try:
        os.kill(now.pid, signal.SIGINT)
    except OSError as error:
        raise ResourceError(
            f"process {now.pid} cannot be ended: {error.strerror}",
            hint="let it save and end: covermaker voices stop",
        ) from error


def _check_running(home: Path) -> Now:
    now = read_now(home / FOLDER) if is_held(home) else None
    if now is None or not runs(now.host, now.pid):
        raise UsageError(f"no training of '{home.name}' runs", hint=f"covermaker voices status {home.name}")
    return now
