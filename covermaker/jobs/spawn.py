"""A child process beside an asyncio program: pipes to talk through, its words on stderr in a log."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from covermaker.jobs.launch import environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LINE_BYTES = 1 << 24  # the longest line of JSON that a child may write


async def spawn(command: Sequence[str], log: Path) -> asyncio.subprocess.Process:
    """Start a process that outlives no signal of the terminal; its log is emptied first.

    Raises
    ------
    OSError
        When the log cannot be written or the command cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=environment(),
            start_new_session=True,
            limit=_LINE_BYTES,
        )


def kill(child: asyncio.subprocess.Process | None) -> None:
    """End a child that leads a session of its own, and what it has started, without waiting for it."""
    if child is not None and child.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)


def ending(status: int) -> str:
    """Say how a child came to its end: ``"was ended by SIGKILL"``, ``"ended (exit status 3)"``."""
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended (exit status {status})"
