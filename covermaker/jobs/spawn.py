"""A child process beside an asyncio program: pipes to talk through, its words on stderr in a log."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from covermaker.jobs.launch import KEPT_MEMORY, QUIET_BLAS

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
            env={**QUIET_BLAS, **KEPT_MEMORY, **os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            limit=_LINE_BYTES,
        )
