"""What a queue's rows say to whoever watches: where a song is, and how long the rest takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from covermaker.batch.engines.base import cores_at, songs_at_once
from covermaker.batch.estimate import TABLE_CORES, learned, seconds_left, seconds_of, usual
from covermaker.batch.events import SongMoved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.batch.engines.base import Place
    from covermaker.batch.options import Options
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Length, Song
    from covermaker.graph.events import Event


def moved(song: Song) -> Event:
    """Say in an event how it stands with a song."""
    return SongMoved(
        song.id, song.name, song.state, song.running_at, song.step, round(song.fraction, 3),
        round(song.spent_seconds, 2) if song.is_over else None, song.was_done, song.cause, song.hint, song.exit_code,
        song.result.get("loudness_lufs") if song.state == "done" else None,
    )  # fmt: skip


def time_left(
    queue: Queue, options: Options, places: Sequence[Place], known: Mapping[int, float]
) -> float | None:
    """Return how long the rest of a batch takes, in seconds, as far as can be told; None where nothing is left.

    Parameters
    ----------
    known : mapping
        What songs take of which some steps are there already, on two cores, by their numbers.
    """
    separator = str(options.wanted({}).get("separator", "spleeter"))
    cores, now, songs = cores_at(places), time.time(), queue.lengths()
    usual_seconds = usual(song.seconds for song in songs)

    def thought(song: Length) -> float:
        if song.id in known:
            return known[song.id] * TABLE_CORES / cores
        return seconds_of(
            song.seconds,
            song.separator or separator,
            score=options.score,
            usual_seconds=usual_seconds,
            cores=cores,
        )

    made = [song for song in songs if song.state == "done" and not song.was_done and song.spent_seconds]
    factor = learned((song.spent_seconds, thought(song)) for song in made)
    rest = [factor * thought(song) for song in songs if song.state == "waiting"]
    rest += [
        max(1.0, factor * thought(song) - (now - (song.began or now)))
        for song in songs
        if song.state == "running"
    ]
    return seconds_left(rest, workers=songs_at_once(places))
