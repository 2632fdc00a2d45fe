"""Drives a deck, the render-ahead and a device from commands; one thread does all that may take time."""

from __future__ import annotations

import queue
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.audio.files import probe
from covermaker.errors import CovermakerError, ResourceError, UsageError, nearest
from covermaker.play.ahead import Ahead
from covermaker.play.deck import Deck
from covermaker.play.messages import Device, Devices, Ended, Gap, Loaded, Position, Problem
from covermaker.play.output import device_names, open_output
from covermaker.play.tape import Tape
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from covermaker.play.deck import Block
    from covermaker.play.messages import Message
    from covermaker.play.output import Output

# How much is rendered ahead. A slow disk has this long; a change of files or loop does not wait for it.
AHEAD_SECONDS = 1.0
_CHUNK_SECONDS = 0.05

# A device may ask for this much at once; less is not begun with.
_PRIME_SECONDS = 0.25

# Other files or another loop are heard after so long while playing: the time to open and read them.
_LEAD_SECONDS = 0.15

_FIRST_RATE = 48_000  # until a file or a device says otherwise

# Commands that `do` has carried out when their turn comes.
_AT_ONCE = frozenset({"pause", "switch"})

# A device that has asked for nothing for so long is gone.
_SILENT_DEVICE_SECONDS = 3.0


class Engine:
    """The audio process without its pipes.

    Parameters
    ----------
    tell : callable
        Gets every event; called from the thread of `run` only.
    device : str, optional
        See `covermaker.play.output.open_output`.
    fps : float
        How often the position is told while playing.
    """

    def __init__(
        self, tell: Callable[[Message], None], *, device: str | None = None, fps: float = 15.0
    ) -> None:
        self._tell, self._frame_seconds = tell, 1.0 / fps
        self._wish = device
        self._commands: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._slow = {
            "play": self._play,
            "load": self._load,
            "seek": self._seek,
            "loop": self._loop,
            "device": self._choose,
            "devices": self._list,
            "gain": self._gain,
        }
        self._files: Mapping[str, Any] = {}
        self._deck: Deck | None = None
        self._ahead = Ahead(_FIRST_RATE, prime_seconds=_PRIME_SECONDS)
        self._output: Output | None = None
        self._wants_sound = False
        self._was_playing = False
        self._told_at = 0.0
        self._running = True

    def do(self, command: Mapping[str, Any]) -> None:
        """Carry out a command; from any thread. What needs no file is done at once, the rest in order."""
        name, ahead = command.get("command"), self._ahead
        if name in ("play", "pause"):
            self._wants_sound = name == "play"
            ahead.play() if self._wants_sound else ahead.pause()
        elif name == "switch":
            ahead.switch("b" if command.get("to") == "b" else "a")
        self._commands.put(command)

    def run(self) -> None:
        """Serve until ``quit``."""
        try:
            while self._running:
                self._step()
        finally:
            self._close_output()

    def _step(self) -> None:
        """Do one command or render one chunk; wait only when there is neither."""
        hungry = self._hungry()
        command: Mapping[str, Any] | None
        try:
            command = self._commands.get(block=not hungry, timeout=self._frame_seconds / 2)
        except queue.Empty:
            command = None
        if command is not None:
            self._obey(command)
        elif hungry:
            self._fill()
        self._watch()
        self._report(now=command is not None)

    def _obey(self, command: Mapping[str, Any]) -> None:
        name = str(command.get("command"))
        if name == "quit":
            self._running = False
            return
        try:
            if name in self._slow:
                self._slow[name](command)
            elif name not in _AT_ONCE:
                raise UsageError(
                    f"unknown command '{name}'", hint=nearest(name, {*self._slow, *_AT_ONCE, "quit"})
                )
        except CovermakerError as error:
            self._tell(Problem(error.message, error.hint, command.get("a")))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            self._tell(Problem(f"'{name}' was not understood: {type(error).__name__} {error}"))

    # -- commands that may take time -----------------------------------------------------------------------

    def _play(self, _command: Mapping[str, Any]) -> None:
        """At the end, begin again; `do` has done the rest."""
        if self._deck is None:
            self._ahead.pause()
            raise UsageError("there is nothing to play", hint="load a file first")
        if self._ahead.ended and self._wants_sound:
            self._jump(self._deck.loop[0] if self._deck.loop else 0)
            self._ahead.play()

    def _load(self, command: Mapping[str, Any]) -> None:
        """Open files. Without ``start_seconds`` the position stays, and while playing the change is gapless."""
        gains = _gains(command)
        stay = self._deck is not None and command.get("start_seconds") is None
        rate = self._output.sample_rate if self._output else probe(Path(command["a"])).sample_rate
        deck = _open_deck(command, rate)
        seconds = (
            self._ahead.position / self._ahead.sample_rate if stay else command.get("start_seconds") or 0.0
        )
        self._files, self._deck = dict(command), deck
        same_rate = rate == self._ahead.sample_rate
        if not same_rate:
            self._ahead.retune(rate)
        if not stay:
            self._ahead.clear(0)  # The other sound leaves at its own level.
        self._ahead.set_gains(*gains)
        if stay and same_rate:
            self._refill()
        else:
            self._jump(round(float(seconds) * rate))
        self._tell(Loaded(command["a"], command.get("b"), deck.frames / rate, rate))

    def _gain(self, command: Mapping[str, Any]) -> None:
        self._ahead.set_gains(*_gains(command))
        self._files = {**self._files, **{key: command.get(key) for key in ("gain_db_a", "gain_db_b")}}

    def _seek(self, command: Mapping[str, Any]) -> None:
        frame = round(float(command["seconds"]) * self._ahead.sample_rate)
        if self._deck is not None:
            self._jump(frame)

    def _loop(self, command: Mapping[str, Any]) -> None:
        """Set or end the loop. From outside of it, the sound goes to its start."""
        if self._deck is None:
            return
        self._deck.set_loop(_frames(command.get("loop"), self._ahead.sample_rate))
        self._files = {**self._files, "loop": command.get("loop")}
        loop, at = self._deck.loop, self._ahead.position
        if loop is not None and not loop[0] <= at < loop[1]:
            self._jump(loop[0])
        else:
            self._refill()

    def _choose(self, command: Mapping[str, Any]) -> None:
        """Take another device; playing goes on there."""
        self._close_output()
        self._wish = command.get("name")
        self._open()

    def _list(self, _command: Mapping[str, Any]) -> None:
        self._tell(Devices(device_names()))

    # -- filling -------------------------------------------------------------------------------------------

    def _hungry(self) -> bool:
        ahead = self._ahead
        return (
            self._deck is not None and not ahead.closed and ahead.frames < AHEAD_SECONDS * ahead.sample_rate
        )

    def _fill(self) -> None:
        """Render one chunk; a file that cannot be read further ends there."""
        try:
            self._render()
        except CovermakerError as error:
            self._ahead.close()
            self._tell(Problem(error.message, error.hint))

    def _render(self) -> None:
        block = self._chunk()
        if block is None:
            self._ahead.close()
        else:
            self._ahead.put(block)

    def _chunk(self) -> Block | None:
        assert self._deck is not None
        return self._deck.read(round(_CHUNK_SECONDS * self._ahead.sample_rate))

    def _jump(self, frame: int) -> None:
        """Go somewhere else."""
        assert self._deck is not None
        self._deck.seek(frame)
        self._ahead.clear(self._deck.position)
        self._render()

    def _refill(self) -> None:
        """Read again what is not heard yet; while playing, without a gap."""
        assert self._deck is not None
        if not self._ahead.playing:
            self._jump(self._ahead.position)
            return
        frame = self._ahead.seam(round(_LEAD_SECONDS * self._ahead.sample_rate))
        loop = self._deck.loop
        if loop is not None and self._ahead.position < loop[1]:
            frame = min(frame, loop[1])
        self._deck.seek(frame)
        blocks = [block for block in (self._chunk(), self._chunk()) if block is not None]
        if not self._ahead.splice(frame, blocks):
            self._jump(self._ahead.position)

    # -- the device ----------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """See to it that there is a device while playing, and that it lives."""
        if not self._ahead.playing or self._deck is None:
            return
        output = self._output
        if output is None:
            self._open()
        elif output.problem or time.monotonic() - self._ahead.pulled_at > _SILENT_DEVICE_SECONDS:
            self._close_output()
            self._ahead.pause()
            words = output.problem or f"{output.name} takes no more sound; choose another device"
            self._tell(Device(None, words=words))

    def _open(self) -> None:
        rate = self._ahead.sample_rate
        self._ahead.pulled_at = time.monotonic()
        try:
            self._output = output = open_output(self._wish, rate, self._ahead.pull)
        except ResourceError as error:
            self._ahead.pause()
            self._tell(Device(None, words=str(error)))
            return
        if output.sample_rate != rate:
            seconds = self._ahead.position / rate
            self._ahead.retune(output.sample_rate)
            if self._deck is not None:
                self._deck = _open_deck(self._files, output.sample_rate)
                self._jump(round(seconds * output.sample_rate))
        self._tell(Device(output.name, output.sample_rate))

    def _close_output(self) -> None:
        output, self._output = self._output, None
        if output is not None:
            try:
                output.close()
            except CovermakerError as error:
                self._tell(Problem(error.message, error.hint))

    # -- telling -------------------------------------------------------------------------------------------

    def _report(self, *, now: bool) -> None:
        """Tell the position after a command, at every frame of the display while playing, and the end."""
        ahead, clock = self._ahead, time.monotonic()
        playing = ahead.playing and self._deck is not None
        stopped, self._was_playing = self._was_playing and not playing, playing
        if not (now or stopped or (playing and clock - self._told_at >= self._frame_seconds)):
            return
        self._told_at = clock
        peak, gap_frames = ahead.report()
        self._tell(Position(ahead.position / ahead.sample_rate, playing, ahead.hearing, peak))
        if gap_frames:
            self._tell(Gap(gap_frames / ahead.sample_rate))
        if stopped and ahead.ended:
            self._tell(Ended())


def _open_deck(command: Mapping[str, Any], rate: int) -> Deck:
    tapes = tuple(
        Tape(Path(command[side]), rate, at_seconds=float(command.get(f"at_seconds_{side}") or 0.0))
        for side in ("a", "b")
        if command.get(side)
    )
    return Deck(tapes, _frames(command.get("loop"), rate))


def _gains(command: Mapping[str, Any]) -> tuple[float, float]:
    return db_to_gain(float(command.get("gain_db_a") or 0.0)), db_to_gain(
        float(command.get("gain_db_b") or 0.0)
    )


def _frames(loop: Any, rate: int) -> tuple[int, int] | None:
    return None if loop is None else (round(float(loop[0]) * rate), round(float(loop[1]) * rate))
