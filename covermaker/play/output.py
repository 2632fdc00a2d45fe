"""Where the sound goes: a device of the machine, nowhere in real time, or a file.

``"none"`` takes frames at the pace of a device and drops them; ``"file:PATH"`` writes what would be heard as float32
WAV, pauses left out. Both need no hardware.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from covermaker.audio.files import wav_writer
from covermaker.errors import ResourceError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from covermaker.audio.buffer import Samples

    Pull = Callable[[int], Samples]

# A period of the device: a switch is heard after two to three of them.
_PERIOD_MS = 40
_PACE_SECONDS = 0.01
_USUAL_RATE = 48_000

# ALSA lists this when there is no card: a sink that throws everything away.
_NO_DEVICE = "Discard all samples"


class Output(Protocol):
    """An open device; it calls ``pull(frames)`` from a thread of its own until closed.

    `problem` says in words why it no longer does.
    """

    name: str
    sample_rate: int
    problem: str | None

    def close(self) -> None:
        """Stop pulling and let go of the device."""


def open_output(wish: str | None, wanted_rate: int, pull: Pull) -> Output:
    """Open a device.

    Parameters
    ----------
    wish : str, optional
        A name of `device_names`, ``"none"`` or ``"file:PATH"``; the system's choice when left out.
    wanted_rate : int
        Rate of the files; a device that cannot run at it takes its own, see ``Output.sample_rate``.
    pull : callable
        Gives the next (2, n) samples, n at most what is asked for.

    Raises
    ------
    ResourceError
        When there is no such device, or none at all; the message is a plain sentence.
    """
    if wish == "none":
        return _Paced("none", wanted_rate, pull, None)
    if wish is not None and wish.startswith("file:"):
        return _Paced(wish, wanted_rate, pull, Path(wish.removeprefix("file:")))
    return _Miniaudio(wish, wanted_rate, pull)


def device_names() -> tuple[str, ...]:
    """Return the names of this machine's devices, as the system lists them."""
    return tuple(device["name"] for device in _devices())


class _Paced:
    """No hardware: pulls by the clock, and writes to a file when there is one."""

    def __init__(self, name: str, sample_rate: int, pull: Pull, path: Path | None) -> None:
        self.name, self.sample_rate = name, sample_rate
        self.problem: str | None = None
        self._pull = pull
        self._stop = threading.Event()
        self._stack = ExitStack()
        self._writer = (
            self._stack.enter_context(wav_writer(path, sample_rate=sample_rate, channels=2)) if path else None
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop pulling; a file is finished."""
        self._stop.set()
        self._thread.join()
        self._stack.close()

    def _run(self) -> None:
        started, done = time.monotonic(), 0
        while not self._stop.wait(_PACE_SECONDS):
            due = int((time.monotonic() - started) * self.sample_rate)
            samples = self._pull(due - done)
            done = due
            if self._writer is None or not samples.shape[1]:
                continue
            try:
                self._writer.write(samples)
            except OSError as error:
                self.problem = f"'{self.name.removeprefix('file:')}' cannot be written: {error.strerror}"
                return


class _Miniaudio:
    """A device of the machine."""

    def __init__(self, wish: str | None, wanted_rate: int, pull: Pull) -> None:
        import miniaudio

        self.problem: str | None = None
        devices = _devices()
        if not devices:
            raise ResourceError(
                "there is no audio device on this machine",
                hint='files can still be exported; audio_device = "file:PATH" in the settings writes what is heard',
            )
        by_name = {device["name"]: device for device in devices}
        if wish is not None and wish not in by_name:
            raise ResourceError(f"there is no audio device '{wish}'", hint=nearest(wish, by_name))
        chosen = by_name[wish] if wish is not None else devices[0]
        self.name = wish or "the system's device"
        self.sample_rate = _rate(chosen, wanted_rate)
        try:
            self._device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.FLOAT32,
                nchannels=2,
                sample_rate=self.sample_rate,
                buffersize_msec=_PERIOD_MS,
                device_id=chosen["id"] if wish is not None else None,
                app_name="covermaker",
            )
            feed = _feed(pull)
            next(feed)
            self._device.start(feed)
        except miniaudio.MiniaudioError as error:
            raise ResourceError(
                f"{self.name} could not be opened for sound", hint="another program may hold it"
            ) from error

    def close(self) -> None:
        """Stop pulling and let go of the device."""
        self._device.close()


def _devices() -> list[dict[str, Any]]:
    import miniaudio

    try:
        found = miniaudio.Devices()
        names = [] if found.backend == "Null" else found.get_playbacks()
    except miniaudio.MiniaudioError:
        return []
    return [device for device in names if not device["name"].startswith(_NO_DEVICE)]


def _rate(device: dict[str, Any], wanted: int) -> int:
    """Choose the rate to open a device at: the files' own where it has it, so that nothing is resampled."""
    rates = [form["samplerate"] for form in device["formats"] if form["samplerate"]]
    if not rates or wanted in rates:
        return wanted if rates else _USUAL_RATE
    return _USUAL_RATE if _USUAL_RATE in rates else int(rates[0])


def _feed(pull: Pull) -> Generator[Any, int, None]:
    """Answer the device's requests, in miniaudio's form: a generator that is sent how many frames it wants."""
    frames: int = yield b""
    while True:
        out = np.zeros((frames, 2), np.float32)
        samples = pull(frames)
        out[: samples.shape[1]] = samples.T
        frames = yield out
