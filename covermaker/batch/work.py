"""A batch from its list to its report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.batch.changing import AGAIN, left
from covermaker.batch.coordinate import Coordinator
from covermaker.batch.engines import ENGINES
from covermaker.batch.engines.base import Setting, Sized, songs_at_once
from covermaker.batch.estimate import workers_for
from covermaker.batch.events import BatchOver, BatchSaid, BatchStarted
from covermaker.batch.foresee import Foresight
from covermaker.batch.gather import gather
from covermaker.batch.holding import working_on
from covermaker.batch.known import note_batch
from covermaker.batch.lengths import look_up
from covermaker.batch.options import Options
from covermaker.batch.playlist import read
from covermaker.batch.policy import MAY_PASS
from covermaker.batch.queue import Queue
from covermaker.batch.remarks import remarks
from covermaker.batch.report import write_report
from covermaker.batch.telling import moved
from covermaker.errors import ExitCode, UsageError, nearest
from covermaker.training.machine import free_memory_bytes
from covermaker.weights.device import checked_device, cores

if TYPE_CHECKING:
    from covermaker.batch.entries import Playlist
    from covermaker.graph.events import Listener

# Of what is free when the batch begins; the rest is for what else the machine does.
_SHARE_OF_MEMORY: Final = 0.7


def check(options: Options) -> None:
    """Refuse what is wrong for every song, before anything is written.

    Raises
    ------
    CovermakerError
        A voice, preset, separator, device or engine that is not there, or weights that are not.
    """
    Foresight(options).refuse()
    if options.engine not in ENGINES:
        raise UsageError(
            f"unknown batch engine '{options.engine}'", hint=nearest(options.engine, ENGINES.names())
        )
    checked_device(options.device)


def begin(out: Path, options: Options) -> Queue:
    """Read the list into the queue in `out`, made or brought in line, and return it.

    Raises
    ------
    CovermakerError
        When the list cannot be read, or what is asked is refused for every song.
    """
    check(options)
    playlist = read(options.playlist)
    queue = Queue.made(out)
    try:
        with working_on(queue):
            take(queue, playlist, options)
    except BaseException:
        queue.close()
        raise
    note_batch(queue.folder)
    return queue


def take(queue: Queue, playlist: Playlist, options: Options) -> None:
    """Write a list and options into a queue."""
    with queue.writing():
        said = remarks(playlist, options, queue.fact("options"))
        gather(queue, playlist)
        queue.note(title=playlist.title, options=options.to_json(), state="new", remarks=said)


def go_on(queue: Queue) -> None:
    """Let what failed for want of something, which may be there now, wait again.

    Raises
    ------
    ResourceError
        When another process works on the queue.
    """
    with working_on(queue), queue.writing():
        for song in queue.songs("failed"):
            if song.exit_code in MAY_PASS:
                queue.change(song.id, **AGAIN)


def sized(options: Options, songs: int) -> Sized:
    """Return how much a batch may use of this machine."""
    memory = options.memory_bytes or int(_SHARE_OF_MEMORY * free_memory_bytes("cpu"))
    return Sized(workers_for(cores(), memory, songs, options.workers), cores(), memory)


def work(queue: Queue, tell: Listener) -> int:
    """Work on a queue until nothing is left, write the report, and return the exit code.

    Raises
    ------
    CovermakerError
        When another process works on it, or its engine is not to be had.
    KeyboardInterrupt
        After what ran was dropped and noted.
    """
    options = Options.of(queue.fact("options", {}))
    with working_on(queue):
        began = time.time()
        before = {name: queue.fact(name) for name in ("began", "ended")}
        size = sized(options, left(queue))
        engine = ENGINES.load(options.engine)(
            Setting(
                queue.folder,
                size,
                options.store,
                options.device,
                options.address,
                {"songs": options.workers},
            )
        )
        queue.note(began=began)
        stopped, begun = True, 0
        try:
            engine.open()
            tell(
                BatchStarted(
                    str(queue.folder),
                    queue.fact("title", ""),
                    queue.counts(),
                    songs_at_once(engine.places()),
                    options.engine,
                )
            )
            _tell_first(queue, tell)
            look_up(queue)
            coordinator = Coordinator(queue, options, engine, tell)
            try:
                coordinator.run()
            finally:
                begun = coordinator.begun
            stopped = coordinator.is_stopped
        finally:
            engine.close()
            if not begun and all(before.values()):  # what the songs tell is of the run that made them
                queue.note(**before)
            report = write_report(queue)
            tell(BatchOver(queue.counts(), round(time.time() - began, 2), str(report), stopped))
    if stopped:
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.BATCH_PARTLY_FAILED if queue.counts().get("failed") else ExitCode.OK)


def _tell_first(queue: Queue, tell: Listener) -> None:
    """Tell what is odd, and what cannot be done, before anything is."""
    for words in queue.fact("remarks") or ():
        queue.say(words)
        tell(BatchSaid(words))
    queue.note(remarks=[])
    for song in queue.songs("failed"):
        tell(moved(song))
