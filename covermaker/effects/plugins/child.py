"""The process that a running plug-in lives in: ``python -m covermaker.effects.plugins.child FD LIFELINE``.

It answers what `host` asks over the socket FD, on its main thread, and leaves when the other end is closed, even while
the plug-in hangs. LIFELINE is a pipe that nobody writes to: the parent's end of it closes with the parent.
"""

from __future__ import annotations

import base64
import faulthandler
import fcntl
import os
import select
import signal
import socket
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.effects.plugins import native
from covermaker.effects.plugins.wire import Gone, receive, send_json, send_sound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from covermaker.audio.buffer import Samples
    from covermaker.effects.spec import Value

_TAIL_FLOOR = 10.0 ** (-90.0 / 20.0)
_TAIL_NOISE_SECONDS = 0.5


class _Chain:
    """A plug-in on one stream: one instance, or one a channel where it takes mono only."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self._asked = asked
        self._rate, self._channels = float(asked["rate"]), int(asked["channels"])
        self.note: dict[str, Any] = {}
        try:
            self._takes, self._instances = self._channels, [self._made(self._channels)]
        except ValueError:  # "does not support 2-channel output"
            self._takes = 3 - self._channels
            self._instances = [self._made(self._takes) for _ in range(self._channels // self._takes or 1)]
        first = self._instances[0]
        self.latency_samples = int(first.reported_latency_samples)
        self._gliders: dict[int, list[native.Glider]] = {}
        for instance in self._instances:
            native.renew(instance)

    def _made(self, takes: int) -> Any:
        """Load an instance, set it up, and read back what it made of that."""
        asked = self._asked
        plugin = native.load(Path(asked["bundle"]), asked["plugin"])
        values: dict[int, Value] = {int(index): value for index, value in asked["values"].items()}
        restored: dict[int, Value] = {}
        if asked["state"]:
            plugin.raw_state = base64.b64decode(asked["state"])
            self._through(plugin, takes)
            restored = {index: reading.value() for index, reading in native.read(plugin, values).items()}
        if asked["preset"]:
            plugin.load_preset(asked["preset"])
            self._through(plugin, takes)
        readings = native.set_values(plugin, values)
        told = {**native.read(plugin, asked["read"]), **readings}
        self._through(
            plugin, takes
        )  # until then a plug-in has heard of none of it, and its state is not that
        self.note = {
            "restored": restored,
            "values": {index: reading.value() for index, reading in told.items()},
            "state": base64.b64encode(plugin.raw_state).decode("ascii"),
        }
        return plugin

    def _through(self, plugin: Any, takes: int) -> None:
        silence = np.zeros((takes, native.BLOCK_SAMPLES), np.float32)
        plugin.process(silence, self._rate, buffer_size=native.BLOCK_SAMPLES, reset=False)

    def process(self, sound: Samples, moves: Sequence[tuple[int, Mapping[str, Value]]] = ()) -> Samples:
        """Return what comes out of whole blocks; at the beginning that is less than goes in, by the latency.

        Blocks in which something moves are cut where it does; all others stay whole.
        """
        made = []
        moving = dict(moves)
        for start, stop in _spans(sound.shape[1], sorted(moving)):
            for index, value in moving.get(start, {}).items():
                self._move(int(index), value)
            made.append(self._passed(sound[:, start:stop]))
        return np.concatenate(made, axis=1)

    def _move(self, index: int, value: Value) -> None:
        if index not in self._gliders:
            self._gliders[index] = [native.Glider(one, index) for one in self._instances]
        for glider in self._gliders[index]:
            glider.to(float(value))

    def _passed(self, sound: Samples) -> Samples:
        pieces = [sound] if len(self._instances) == 1 else list(sound[:, np.newaxis])
        made = [
            plugin.process(
                np.repeat(piece, 2, axis=0) if len(piece) < self._takes else piece,
                self._rate,
                buffer_size=native.BLOCK_SAMPLES,
                reset=False,
            )
            for plugin, piece in zip(self._instances, pieces, strict=True)
        ]
        found = np.concatenate([np.asarray(piece, np.float32) for piece in made], axis=0)
        return found if len(found) == self._channels else found.mean(axis=0, keepdims=True, dtype=np.float32)

    def now(self) -> int:
        """Return the latency that it reports now."""
        return int(self._instances[0].reported_latency_samples)


def _spans(frames: int, cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield stretches: as many whole blocks as can go at once, and the pieces of those that are cut."""
    block = native.BLOCK_SAMPLES
    ends = {at // block * block for at in cuts} | {at // block * block + block for at in cuts}
    edges = sorted({0, frames, *cuts, *ends})
    yield from pairwise(edges)


def _tail_samples(asked: Mapping[str, Any], longest: int) -> int:
    """Return after how many samples of silence another instance, fed with loud noise before, is silent."""
    chain = _Chain(asked)
    block = native.BLOCK_SAMPLES
    blocks = -(-round(_TAIL_NOISE_SECONDS * asked["rate"]) // block)
    noise = np.random.default_rng(1).uniform(-1.0, 1.0, (asked["channels"], blocks * block))
    # What is late still comes out of the silence behind the noise: that much of it is no tail.
    late = blocks * block - chain.process(noise.astype(np.float32)).shape[1]
    last = 0
    for at in range(0, longest + late, block):
        level = np.abs(chain.process(np.zeros((asked["channels"], block), np.float32))).max(axis=0)
        loud = np.flatnonzero(level > _TAIL_FLOOR)
        if len(loud):
            last = at + int(loud[-1]) + 1
    return int(max(0, last - late))


def _serve(line: socket.socket) -> None:
    import pedalboard  # noqa: F401 - before the first question: a process may be kept in reserve for it

    asked: Any = receive(line, 1)
    # Loading may hold Python's own lock, so that nothing written in Python could end a hang in it.
    faulthandler.dump_traceback_later(asked["seconds"], exit=True)
    chain = _Chain(asked)
    faulthandler.cancel_dump_traceback_later()
    send_json(line, {"latency_samples": chain.latency_samples, **chain.note})
    moves: Any = ()
    while True:
        message = receive(line, asked["channels"])
        if isinstance(message, dict) and "moves" in message:
            moves = message["moves"]
            continue
        if isinstance(message, dict):
            send_json(line, {"samples": _tail_samples(asked, message["longest"])})
            continue
        made, moves = chain.process(message, moves), ()
        if chain.now() != chain.latency_samples:
            send_json(
                line, {"error": f"its latency changed from {chain.latency_samples} to {chain.now()} samples"}
            )
            return
        send_sound(line, made)


def _leave_with_parent(line: socket.socket) -> None:
    poll = select.poll()
    poll.register(line, 0)  # a hang-up is told without being asked for
    poll.poll()
    os._exit(0)


def _die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process when the other end of a pipe closes.

    A plug-in may hold Python's own lock for good, and then no thread of ours would notice. ``PR_SET_PDEATHSIG`` would
    not do: it tells of the end of the thread that started the process, not of its parent.
    """
    if hasattr(fcntl, "F_SETSIG"):  # Linux
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def main() -> None:
    """Serve one host."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the host ends us
    os.dup2(2, 1)  # what a plug-in prints goes where its errors go
    _die_with_parent(int(sys.argv[2]))  # before the thread, which sees an end that was there already
    line = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_leave_with_parent, args=(line,), daemon=True).start()
    try:
        _serve(line)
    except Gone:
        return
    except Exception as error:
        send_json(line, {"error": " ".join(str(error).split()) or type(error).__name__})


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)  # a plug-in's own end is no place to hang or crash
