"""What a queue's rows say to whoever watches: where a song is, and how long the rest takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from covermaker.batch.estimate import seconds_left, seconds_of
from covermaker.batch.events import SongMoved

if TYPE_CHECKING:
    from covermaker.batch.options import Options
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song
    from covermaker.graph.events import Event


def moved(song: Song) -> Event:
    """Say in an event how it stands with a song."""
    return SongMoved(
        song.id, song.name, song.state, song.running_at, song.step, round(song.fraction, 3),
        round(song.spent_seconds, 2) if song.is_over else None, song.was_done, song.cause, song.hint, song.exit_code,
    )  # fmt: skip


def time_left(queue: Queue, options: Options, workers: int) -> float | None:
    """Return how long the rest of a batch takes, in seconds, as far as can be told; None where nothing is left."""
    usual = str(options.wanted({}).get("separator", "spleeter"))
    now = time.time()
    done, rest = [], []
    for song in queue.lengths():
        thought = seconds_of(song.seconds, song.separator or usual, score=options.score)
        if song.state == "done" and not song.was_done and song.spent_seconds:
            done.append((song.spent_seconds, thought))
        elif song.state == "waiting":
            rest.append(thought)
        elif song.state == "running":
            rest.append(max(1.0, thought - (now - (song.began or now))))
    return seconds_left(done, rest, workers=workers)
