"""Controllers: which MIDI ports there are, and what comes from one of them, on a thread of its own.

A port is called as the system calls it, or by a part of that which only one has; ``socket:HOST:PORT`` is one on the
network that speaks as mido's socket ports do. Ports of the machine need the package python-rtmidi.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import CovermakerError, ResourceError, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOCKET: Final = "socket:"
INSTALL: Final = "pip install 'covermaker[midi]'"
_SEQUENCER = "/dev/snd/seq"  # of ALSA; without it rtmidi writes a line of its own over the screen
_POLL_SECONDS = 0.005
_LATEST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Control:
    """A controller was moved: `channel` 1..16, `number` and `value` 0..127."""

    channel: int
    number: int
    value: int

    @property
    def name(self) -> str:
        """As the settings name it: ``"1:7"``."""
        return f"{self.channel}:{self.number}"


def ports() -> list[str]:
    """List the input ports of this machine.

    Raises
    ------
    ResourceError
        When there is no MIDI here, or the package that reads it is missing.
    """
    with _midi() as mido:
        return list(dict.fromkeys(mido.get_input_names()))


def open_port(name: str) -> Any:
    """Open an input port; what comes is read with its ``iter_pending()``.

    Raises
    ------
    UsageError
        When no port is called so, or several are.
    ResourceError
        When it cannot be opened.
    """
    if name.startswith(SOCKET):
        return _open_socket(name)
    known = ports()
    found = [port for port in known if port == name] or [
        port for port in known if name.lower() in port.lower()
    ]
    if len(found) != 1:
        what = "several MIDI ports are" if found else "no MIDI port is"
        hint = ", ".join(found) if found else nearest(name, known) if known else "plug the controller in"
        raise UsageError(f"{what} called '{name}'", hint=hint)
    with _midi() as mido:
        return mido.open_input(found[0])


class Listener:
    """Reads a port on a thread until it is closed, or the port is gone.

    Parameters
    ----------
    port : str
        See `open_port`; it is opened on the thread, since that may take a while.
    heard : callable
        Gets every `Control`, on the thread.
    lost : callable
        Gets the error that ended it, on the thread.
    """

    def __init__(
        self, port: str, heard: Callable[[Control], None], lost: Callable[[CovermakerError], None]
    ) -> None:
        self._port, self._heard, self._lost = port, heard, lost
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="midi", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop; nothing is heard afterwards."""
        self._end.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_LATEST_SECONDS)

    def _listen(self) -> None:
        try:
            port = open_port(self._port)
            with contextlib.closing(port):
                while not self._end.wait(_POLL_SECONDS):
                    for control in read(port):
                        self._heard(control)
        except CovermakerError as error:
            if not self._end.is_set():
                self._lost(error)


def read(port: Any) -> list[Control]:
    """Return what controllers did since the last call.

    Raises
    ------
    ResourceError
        When the port is gone.
    """
    try:
        messages = list(port.iter_pending())
    except (OSError, ValueError, EOFError) as error:
        raise ResourceError(f"the MIDI port is gone: {error}", hint="plug it in again") from error
    if port.closed and not messages:
        raise ResourceError("the MIDI port is gone", hint="plug it in again")
    return [
        Control(message.channel + 1, message.control, message.value)
        for message in messages
        if message.type == "control_change"
    ]


class _SocketPort:
    """A port on the network: MIDI bytes over TCP; mido's own leaves its socket open when it is closed."""

    def __init__(self, host: str, number: int) -> None:
        import mido

        self._socket = socket.create_connection((host, number), timeout=_LATEST_SECONDS)
        self._socket.setblocking(False)
        self._parser = mido.Parser()
        self.closed = False

    def iter_pending(self) -> Iterator[Any]:
        """Yield the messages that have come."""
        while not self.closed:
            try:
                data = self._socket.recv(4096)
            except BlockingIOError:
                break
            self._parser.feed(data)
            self.closed = not data
        yield from self._parser

    def close(self) -> None:
        """Hang up."""
        self.closed = True
        self._socket.close()


def _open_socket(name: str) -> _SocketPort:
    host, _, number = name.removeprefix(SOCKET).rpartition(":")
    if not host or not number.isdigit():
        raise UsageError(f"'{name}' is no port on the network", hint="write socket:HOST:PORT")
    try:
        return _SocketPort(host, int(number))
    except (OSError, OverflowError) as error:
        raise ResourceError(f"nothing answers at {name}: {error}", hint="is it running?") from error


@contextlib.contextmanager
def _midi() -> Iterator[Any]:
    """Give mido with a system that works, and turn what that says into ours."""
    if sys.platform == "linux" and not os.path.exists(_SEQUENCER):
        raise ResourceError("this machine has no MIDI", hint=f"there is no {_SEQUENCER}: load snd-seq")
    import mido

    try:
        yield mido
    except ImportError as error:
        raise ResourceError("the package python-rtmidi is missing", hint=INSTALL) from error
    except OSError as error:
        raise ResourceError(f"MIDI does not work here: {error}") from error
