"""The processes that plug-ins live in: started, kept in reserve, ended, and how they came to their end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from covermaker.effects.plugins.printed import Printed
from covermaker.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

# -P: a file of the working folder must not be imported in place of a package.
COMMAND: Final = (sys.executable, "-P", "-m")
_ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
_SOCKET_BYTES: Final = 1 << 20
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(slots=True)
class PluginProcess:
    """A process of `covermaker.effects.plugins.child`.

    Attributes
    ----------
    line : socket
        Our end of the connection; the process ends when it is closed.
    lifeline : int
        Our end of a pipe that is closed when we end, however that comes about.
    printed : Printed
        What it and its plug-in write.
    """

    child: subprocess.Popen[bytes]
    line: socket.socket
    lifeline: int
    printed: Printed

    def end(self) -> None:
        """End it."""
        self.line.close()
        self.child.kill()
        self.child.wait()
        os.close(self.lifeline)
        self.printed.close()

    def ending(self) -> str:
        """Say how it came to its end."""
        with suppress(subprocess.TimeoutExpired):
            return ended(self.child.wait(5.0))
        return "closed its connection"


def start() -> PluginProcess:
    """Start a process that waits for what to load.

    Raises
    ------
    ResourceError
        When the system gives none.
    """
    with ExitStack() as undone, ExitStack() as passed:
        try:
            line, theirs = socket.socketpair()
            undone.callback(line.close)
            passed.callback(theirs.close)
            for end in (line, theirs):
                for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                    end.setsockopt(socket.SOL_SOCKET, buffer, _SOCKET_BYTES)
            held, lifeline = os.pipe()
            passed.callback(os.close, held)
            undone.callback(os.close, lifeline)
            said, saying = os.pipe()
            passed.callback(os.close, saying)
            undone.callback(os.close, said)
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [*COMMAND, "covermaker.effects.plugins.child", str(theirs.fileno()), str(held)],
                stdin=subprocess.DEVNULL,
                stdout=saying,
                stderr=saying,
                pass_fds=[theirs.fileno(), held],
                env={**os.environ, **_ENVIRONMENT},
            )
        except OSError as error:
            problem = error.strerror or error
            raise ResourceError(f"no process can be started for a plug-in: {problem}") from error
        undone.pop_all()
    return PluginProcess(child, line, lifeline, Printed(said))


class _Reserve:
    """At most one process that has done everything but load a plug-in, while somebody wants that."""

    def __init__(self) -> None:
        self.wanted = 0
        self.process: PluginProcess | None = None

    def take(self) -> PluginProcess:
        """Return a process, and put the next one in its place."""
        found, self.process = self.process, None
        if found is not None and found.child.poll() is not None:
            found.end()
            found = None
        taken = found or start()
        if self.wanted:
            self.process = start()
        return taken

    def empty(self) -> None:
        """End what nobody wants any more."""
        if self.process is not None and not self.wanted:
            self.process.end()
            self.process = None


_reserve = _Reserve()


def take() -> PluginProcess:
    """Return a process that waits for what to load; raises `ResourceError` when the system gives none."""
    return _reserve.take()


@contextmanager
def in_reserve() -> Iterator[None]:
    """Keep a process in reserve inside the block, as soon as one was needed: the next plug-in is there much sooner."""
    _reserve.wanted += 1
    try:
        yield
    finally:
        _reserve.wanted -= 1
        _reserve.empty()


def ended(status: int) -> str:
    """Say how a plug-in's process ended."""
    if status < 0:
        return f"crashed ({signal.Signals(-status).name})"
    return f"ended its process (exit status {status})"


def last_words(written: bytes) -> str:
    """Return the last line of what a plug-in wrote, to be put behind what happened to it."""
    text = _COLOURS.sub("", written.decode("utf-8", "replace"))
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return f"; it said: {lines[-1][:200]}" if lines else ""
