"""An app's side of the audio process: starts it when sound is first wanted, outlives it, never blocks.

Every method returns at once; what happens is told to the listener. There is no state in the process that is not here
too, so that after a crash the next command starts another one in its place.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.disk import disk_errors
from covermaker.jobs.spawn import ending
from covermaker.play.messages import Device, Died, Loaded, Position, from_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.play.messages import Message, Side

# How long the process may take to finish a file when asked to go.
_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Files:
    """What is to be heard.

    Parameters
    ----------
    a, b : Path
        `b` may be left out: both sides are then `a`.
    gain_db_a, gain_db_b : float
        Level of each side in dB, to match one to the other; see `covermaker.play.match`.
    at_seconds_a, at_seconds_b : float
        Where on the time line each file begins: a rendered loop is laid over the whole song with it.
    """

    a: Path
    b: Path | None = None
    gain_db_a: float = 0.0
    gain_db_b: float = 0.0
    at_seconds_a: float = 0.0
    at_seconds_b: float = 0.0

    def to_command(self) -> dict[str, Any]:
        """Write the command ``load``."""
        return {
            "command": "load",
            "a": str(self.a),
            "b": str(self.b) if self.b else None,
            "gain_db_a": self.gain_db_a,
            "gain_db_b": self.gain_db_b,
            "at_seconds_a": self.at_seconds_a,
            "at_seconds_b": self.at_seconds_b,
        }


class Player:
    """The audio process.

    Parameters
    ----------
    listener : callable
        Gets every `Message`, in the event loop's thread.
    log : Path
        Takes what the process writes to stderr; emptied at each start.
    device : str, optional
        Name of a device, ``"none"`` or ``"file:PATH"``; the system's choice when left out.
    fps : float
        Positions a second while playing.
    """

    def __init__(
        self, listener: Callable[[Message], None], *, log: Path, device: str | None = None, fps: float = 15.0
    ) -> None:
        self._listener, self._log, self._device, self._fps = listener, log, device, fps
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._closing = False
        self.files: Files | None = None
        self.loop: tuple[float, float] | None = None
        self.position = Position(0.0, False, "a")
        self.length_seconds = 0.0

    @property
    def playing(self) -> bool:
        """Whether sound is given out, as last told."""
        return self.position.playing

    @property
    def hearing(self) -> Side:
        """The side that is heard, as last told."""
        return self.position.hearing

    @property
    def pid(self) -> int | None:
        """The process, when there is one."""
        return self._process.pid if self._process else None

    # -- commands ------------------------------------------------------------------------------------------

    async def load(
        self,
        files: Files,
        *,
        start_seconds: float | None = None,
        loop: tuple[float, float] | None = None,
    ) -> None:
        """Take files. Without `start_seconds` the position stays; while playing, the change has no gap."""
        self.files, self.loop = files, loop
        await self._send({**files.to_command(), "start_seconds": start_seconds, "loop": loop})

    async def play(self) -> None:
        """Play on from the position; from the beginning, or the loop's, when at the end."""
        await self._send({"command": "play"})

    async def pause(self) -> None:
        """Stop at this position."""
        await self._send({"command": "pause"})

    async def toggle(self) -> None:
        """Play or pause."""
        await (self.pause() if self.playing else self.play())

    async def seek(self, seconds: float) -> None:
        """Go to a time; clipped to the length."""
        await self._send({"command": "seek", "seconds": max(0.0, seconds)})

    async def set_loop(self, loop: tuple[float, float] | None) -> None:
        """Repeat from the first to the second time, or end the loop with None."""
        self.loop = loop
        await self._send({"command": "loop", "loop": loop})

    async def switch(self, to: Side | None = None) -> None:
        """Hear a side, the other one when left out."""
        await self._send({"command": "switch", "to": to or ("a" if self.hearing == "b" else "b")})

    async def set_gains(self, gain_db_a: float, gain_db_b: float) -> None:
        """Change the level of both sides."""
        if self.files is not None:
            names = ("a", "b", "at_seconds_a", "at_seconds_b")
            kept = {name: getattr(self.files, name) for name in names}
            self.files = Files(**kept, gain_db_a=gain_db_a, gain_db_b=gain_db_b)
        await self._send({"command": "gain", "gain_db_a": gain_db_a, "gain_db_b": gain_db_b})

    async def ask_devices(self) -> None:
        """Have the devices told, as `Devices`."""
        await self._send({"command": "devices"})

    async def set_device(self, name: str | None) -> None:
        """Take another device; None is the system's choice."""
        self._device = name
        await self._send({"command": "device", "name": name})

    async def close(self) -> None:
        """End the process; a file it writes is finished."""
        self._closing = True
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _GRACE_SECONDS + 1.0)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reader is not None:
            await self._reader

    # -- the process ---------------------------------------------------------------------------------------

    async def _send(self, command: dict[str, Any]) -> None:
        async with self._starting:
            process = self._process
            if process is None and not self._closing:
                process = await self._start(again=command["command"] != "load")
        if process is None or process.stdin is None:
            return
        # A process that has just died is told of by `_listen`; this command is lost with it.
        with suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(json.dumps(command).encode() + b"\n")
            await process.stdin.drain()

    async def _start(self, *, again: bool) -> asyncio.subprocess.Process:
        with disk_errors(self._log.parent):
            self._log.parent.mkdir(parents=True, exist_ok=True)
            errors = self._log.open("wb")
        wishes = ["--fps", str(self._fps), *(["--device", self._device] if self._device else [])]
        with errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "covermaker.play.child",
                *wishes,
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._process = process
        self._reader = asyncio.create_task(self._listen(process))
        if again and self.files is not None:
            was = self.position
            before = {**self.files.to_command(), "start_seconds": was.seconds, "loop": self.loop}
            for command in (before, {"command": "switch", "to": was.hearing}):
                assert process.stdin is not None
                process.stdin.write(json.dumps(command).encode() + b"\n")
        return process

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            message = from_json(line.decode("utf-8"))
            if isinstance(message, Position):
                self.position = message
            elif isinstance(message, Loaded):
                self.length_seconds = message.seconds
            elif isinstance(message, Device) and message.name is None:
                self.position = Position(self.position.seconds, False, self.position.hearing)
            self._listener(message)
        status = await process.wait()
        if self._process is process:
            self._process = None
            self.position = Position(self.position.seconds, False, self.position.hearing)
            words = f"the audio process {ending(status)}; play starts another"
            self._listener(Died(words, str(self._log)))
