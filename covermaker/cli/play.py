"""``covermaker play``: hear a file, or compare two, from the command line."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from covermaker.audio.files import probe
from covermaker.cli.alone import log_file
from covermaker.cli.cache import store_option
from covermaker.cli.output import json_option, show, words
from covermaker.errors import (
    AudioInputError,
    CovermakerError,
    ExitCode,
    ProjectError,
    ResourceError,
    UsageError,
)
from covermaker.play.messages import Device, Died, Ended, Gap, Loaded, Position, Problem
from covermaker.project.load import FILE_NAME, load
from covermaker.units import clock, parse_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from covermaker.play.client import Files, Player
    from covermaker.play.messages import Message


@click.command("play")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.argument("file_b", type=click.Path(path_type=Path), required=False)
@click.option("--device", help="Name of a device, none, or file:PATH to write what is heard as WAV.")
@click.option("--list-devices", is_flag=True, help="List this machine's devices.")
@click.option("--loop", help="Repeat a stretch, as in 1:20-1:32.")
@click.option("--start", help="Begin at this time, as in 0:30.")
@click.option("--for", "length", help="Stop after so long, as in 0:10.")
@click.option("--match", is_flag=True, help="Turn the louder file down to the loudness of the other.")
@click.option(
    "--level", "level_db", type=click.FloatRange(-48.0, 0.0), default=0.0, help="Listen at so many dB less."
)
@click.option("--mix", is_flag=True, help="Of a project, with --loop: the mix as it would be rendered now.")
@click.option("--solo", multiple=True, metavar="TRACK", help="With --mix: this track, without the others.")
@click.option("--bypass", multiple=True, metavar="CHANNEL", help="With --mix: a channel without its rack.")
@store_option
@json_option
def command(
    file: Path | None,
    file_b: Path | None,
    device: str | None,
    list_devices: bool,
    loop: str | None,
    start: str | None,
    length: str | None,
    match: bool,
    level_db: float,
    mix: bool,
    solo: tuple[str, ...],
    bypass: tuple[str, ...],
    store: Path | None,
    as_json: bool,
) -> int:
    """Play FILE, or FILE and FILE_B on one time line to compare them.

    A project in place of FILE is its last render, compared with the song; without a render, the song. With --mix it is
    a stretch of the mix before the master, with the values that cover.toml has now.
    In a terminal, type a line while it plays: an empty one hears the other file (or pauses, when there is one), a or b
    chooses, p pauses and goes on, a time as in 1:20 goes there, q ends.
    """
    if list_devices:
        from covermaker.play.output import device_names

        names = device_names()
        text = "\n".join(names) or "there is no audio device on this machine"
        show(list(names), as_json, text)
        return int(ExitCode.OK)
    if file is None:
        raise UsageError("nothing to play", hint="name a file, or ask for --list-devices")
    stretch = _stretch(loop) if loop else None
    if (solo or bypass) and not mix:
        raise UsageError("--solo and --bypass belong to --mix", hint="add --mix and --loop, as in 1:20-1:32")
    if mix and file_b is not None:
        raise UsageError("--mix is compared with the song", hint=f"leave {file_b} out")
    wanted = (parse_clock(start) if start else None, stretch, parse_clock(length) if length else None)
    with ExitStack() as heard:
        if mix:
            files = heard.enter_context(_mix(file, stretch, solo, bypass, match, store))
        else:
            if (file / FILE_NAME).is_file() and file_b is None:
                file, file_b = _of_project(file)
            files = _files(file, file_b, match, stretch)
        quieter = replace(files, gain_db_a=files.gain_db_a + level_db, gain_db_b=files.gain_db_b + level_db)
        try:
            asyncio.run(_play(quieter, device, *wanted, as_json=as_json))
        except KeyboardInterrupt:
            return int(ExitCode.INTERRUPTED)
    return int(ExitCode.OK)


@contextmanager
def _mix(
    folder: Path,
    stretch: tuple[float, float] | None,
    solo: tuple[str, ...],
    bypass: tuple[str, ...],
    match: bool,
    store: Path | None,
) -> Iterator[Files]:
    """Make a stretch of the mix; its file is gone afterwards."""
    from covermaker.cli.stretches import drop_stretch, make_stretches
    from covermaker.effects.owners import bypasses, owner_called
    from covermaker.play.client import Files
    from covermaker.render.previewing import MIX, Wish

    if stretch is None:
        raise UsageError(
            "--mix needs a stretch of the song", hint="say which: --loop 1:20-1:32, 30 s at most"
        )
    project = load(folder)
    alone = [owner_called(project.cover, track) for track in solo]
    without = [owner_called(project.cover, channel) for channel in bypass]
    for owner in alone:
        if owner.what != "track":
            raise UsageError(f"'{owner.name}' is no track: only tracks are soloed")
    if any(owner.what == "master" for owner in without):
        raise UsageError("the mix is heard before the rack of the master", hint="leave --bypass master out")
    out = bypasses(project.cover, [owner.place for owner in without])
    names = tuple(owner.name for owner in alone)
    (made,) = make_stretches(project, [Wish(1, stretch[0], stretch[1] - stretch[0], MIX, out, names)], store)
    gains = (made.gain_db, made.against_gain_db) if match else (0.0, 0.0)
    try:
        yield Files(Path(made.file), Path(made.against), *gains, at_seconds_a=made.start_seconds)
    finally:
        drop_stretch(made)


def _of_project(folder: Path) -> tuple[Path, Path | None]:
    """Return the last render of a project and its song, or the song alone."""
    from covermaker.render.hearable import hearable_of
    from covermaker.render.state import at_a_glance

    state = at_a_glance(load(folder))
    heard = hearable_of(folder, state)
    if heard.first is None:
        raise ProjectError(state.problem or f"{folder} has no sound", hint=state.hint or None)
    return heard.first, heard.original if heard.cover else None


def _files(a: Path, b: Path | None, match: bool, stretch: tuple[float, float] | None) -> Files:
    from covermaker.play.client import Files

    for path in (a, b):
        if path is not None:
            probe(
                path
            )  # The error of a file that cannot be read, with its exit code, before anything starts.
    if b is None or not match:
        return Files(a, b)
    from covermaker.play.match import matching_gains

    gain_db_a, gain_db_b = matching_gains(a, b, stretch=stretch)
    words(f"level matched: A {gain_db_a:.1f} dB, B {gain_db_b:.1f} dB")
    return Files(a, b, gain_db_a=gain_db_a, gain_db_b=gain_db_b)


def _stretch(text: str) -> tuple[float, float]:
    begin, dash, end = text.partition("-")
    if not dash or parse_clock(end) <= parse_clock(begin):
        raise UsageError(f"'{text}' is no stretch of time", hint="write begin and end, as in 1:20-1:32")
    return parse_clock(begin), parse_clock(end)


async def _play(
    files: Files,
    device: str | None,
    start_seconds: float | None,
    loop: tuple[float, float] | None,
    seconds: float | None,
    *,
    as_json: bool,
) -> None:
    """Play until the end, an error, or the time is up."""
    from covermaker.play.client import Player

    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    teller = _Teller(files, over, as_json=as_json)
    player = Player(teller, log=log_file("play"), device=device)
    try:
        await player.load(files, start_seconds=start_seconds or (loop[0] if loop else 0.0), loop=loop)
        await player.play()
        if sys.stdin is not None and sys.stdin.isatty():
            _listen(player, over)
        await asyncio.wait_for(over, seconds)
    except TimeoutError:
        return
    finally:
        await player.close()


class _Teller:
    """Says in plain lines what the audio process tells, and when it is over."""

    def __init__(self, files: Files, over: asyncio.Future[None], *, as_json: bool) -> None:
        self._files, self._over, self._as_json = files, over, as_json
        self._before: tuple[bool, str] | None = None
        self._length = 0.0

    def __call__(self, message: Message) -> None:
        if self._as_json:
            click.echo(message.to_json())
        elif isinstance(message, Loaded):
            self._length = message.seconds
        elif isinstance(message, Device) and message.name is not None:
            words(f"device: {message.name}, {message.sample_rate} Hz")
        elif isinstance(message, Position):
            self._say_change(message)
        elif isinstance(message, Gap):
            words(f"the files were read too slowly: {message.seconds:.2f} s of silence")
        error = _error(message)
        if self._over.done():
            return
        if error is not None:
            self._over.set_exception(error)
        elif isinstance(message, Ended):
            self._over.set_result(None)

    def _say_change(self, position: Position) -> None:
        now = (position.playing, position.hearing)
        if now == self._before or (self._before is None and not position.playing):
            return
        self._before = now
        path = self._files.b if position.hearing == "b" and self._files.b else self._files.a
        side = f" {position.hearing.upper()}" if self._files.b else ""
        verb = "playing" if position.playing else "paused"
        words(f"{verb}{side}: {path.name}, {clock(position.seconds)} of {clock(self._length)}")


def _error(message: Message) -> CovermakerError | None:
    if isinstance(message, Device) and message.name is None:
        return ResourceError(message.words, hint="--device none or --device file:PATH need no hardware")
    if isinstance(message, Died):
        return ResourceError(message.message, hint=f"log: {message.log}")
    return AudioInputError(message.message, hint=message.hint) if isinstance(message, Problem) else None


def _listen(player: Player, over: asyncio.Future[None]) -> None:
    """Read lines of the terminal in a thread of their own: reading cannot be given up, playing must."""
    loop = asyncio.get_running_loop()
    running: set[asyncio.Task[None]] = set()

    def obey(line: str) -> None:
        task = loop.create_task(_obey(player, over, line))
        running.add(task)
        task.add_done_callback(running.discard)

    def read(give: Callable[[Callable[[str], None], str], object]) -> None:
        for line in sys.stdin:
            if loop.is_closed():
                return
            give(obey, line.strip().lower())

    threading.Thread(target=read, args=(loop.call_soon_threadsafe,), daemon=True).start()


async def _obey(player: Player, over: asyncio.Future[None], line: str) -> None:
    if line == "q":
        if not over.done():
            over.set_result(None)
    elif line in ("a", "b"):
        await player.switch("b" if line == "b" else "a")
    elif line == "" and player.files is not None and player.files.b is not None:
        await player.switch()
    elif line in ("", "p"):
        await player.toggle()
    else:
        try:
            await player.seek(parse_clock(line))
        except UsageError:
            words("type a time, a, b, p, q or nothing")
