"""How a host and its child talk: messages over a socket pair, one question and one answer at a time.

A message is a kind, a length in bytes and that many bytes: a JSON object, or float32 samples, channel after channel.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import socket

    from covermaker.audio.buffer import Samples

_HEAD: Final = struct.Struct("<cQ")
_JSON: Final = b"J"
_SOUND: Final = b"S"


class Gone(Exception):
    """The other side has closed its end."""


def send_json(line: socket.socket, value: Any) -> None:
    """Send a JSON object."""
    data = json.dumps(value).encode()
    line.sendall(_HEAD.pack(_JSON, len(data)) + data)


def send_sound(line: socket.socket, sound: Samples) -> None:
    """Send (channels, n) samples."""
    whole = np.ascontiguousarray(sound, dtype=np.float32)
    line.sendall(_HEAD.pack(_SOUND, whole.nbytes))
    line.sendall(whole.reshape(-1).view(np.uint8).data)


def receive(line: socket.socket, channels: int) -> dict[str, Any] | Samples:
    """Wait for a message: a JSON object, or samples of so many channels.

    Raises
    ------
    Gone
        When the other side is.
    TimeoutError
        When the socket has a timeout and nothing comes for so long.
    """
    kind, length = _HEAD.unpack(_read(line, _HEAD.size))
    data = _read(line, length)
    if kind == _JSON:
        said: dict[str, Any] = json.loads(bytes(data))
        return said
    return np.frombuffer(data, dtype=np.float32).reshape(channels, -1)


def _read(line: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view, got = memoryview(data), 0
    while got < length:
        try:
            count = line.recv_into(view[got:])
        except ConnectionError:
            count = 0
        if count == 0:
            raise Gone
        got += count
    return data
