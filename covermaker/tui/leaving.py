"""Leaving the studio: what would be lost, and an end in order when the system or a closed terminal asks for it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Final

from covermaker.tui import words
from covermaker.tui.job_kinds import TRAIN, kind_of
from covermaker.tui.lost import LOSES, reached

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from covermaker.tui.job_board import Job, JobBoard

UNSAVED: Final = "Quitting loses that change."
SAVING_SECONDS: Final = 2.0  # for what is not saved yet when a signal ends the studio
_LAST_SECONDS = 3.0
_SIGNALS = ("SIGTERM", "SIGHUP")
# The exit code of a program whose terminal is gone.
HUNG_UP: Final = 128 + 1


def loss(board: JobBoard, now: float, going_on: Sequence[str] = ()) -> str:
    """Return what leaving would lose, as a question; "" for nothing. `going_on` says what is not lost."""
    lines = [
        f"{words.one_line(job.title)} {kind_of(job.kind).doing}: {job.progress(now)}."
        for job in board.running
    ]
    if board.waiting:
        waiting = len(board.waiting)
        lines.append(f"{words.count(waiting, 'job')} {'waits' if waiting == 1 else 'wait'}.")
    if not lines:
        return ""
    ends = "Quitting stops it." if board.running else "Quitting gives up what waits."
    lines.append(" ".join([ends, *dict.fromkeys(_stays(job) for job in board.running)]))
    lines += [f"{said[0].upper()}{said[1:]}" for said in going_on]
    return "\n".join(lines)


def _stays(job: Job) -> str:
    """Say what stays of a job that is stopped, and what is lost."""
    if job.kind == TRAIN:
        return LOSES[reached(job)]
    kept = kind_of(job.kind).kept
    return f"{kept[0].upper()}{kept[1:]}."


def catch_signals(end: Callable[[int], None]) -> None:
    """Have `end` called, with the exit code, when the system or a closed terminal asks for the end."""
    if sys.platform == "win32":
        return
    loop = asyncio.get_running_loop()
    for name in _SIGNALS:
        number = getattr(signal, name)
        loop.add_signal_handler(number, end, 128 + number)


def end_anyway(code: int) -> None:
    """End the process soon, whatever happens.

    Where the terminal is gone, Textual's threads that read and write it may never notice.
    """
    last = threading.Timer(_LAST_SECONDS, partial(os._exit, code))
    last.daemon = True
    last.start()
