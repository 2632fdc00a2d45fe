"""``covermaker batch status``: how it stands with a batch, once or for as long as it runs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.output import printable
from covermaker.errors import ExitCode

if TYPE_CHECKING:
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Song
    from covermaker.graph.events import Event

_LOOK_SECONDS = 0.5
_MOST_AT_ONCE = 500


@click.command("status")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--follow", is_flag=True, help="Go on telling what changes until it is over.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --follow, a line a change.")
def command(folder: Path | None, follow: bool, as_json: bool) -> int:
    """Show how it stands with the batch in FOLDER; without FOLDER, with the last one."""
    from covermaker.cli.batch import opened

    with opened(folder) as queue:
        if follow:
            return _follow(queue, as_json=as_json)
        _once(queue, as_json=as_json)
    return int(ExitCode.OK)


def _facts(queue: Queue) -> dict[str, Any]:
    worked_on = queue.is_worked_on
    return {
        "folder": str(queue.folder),
        "title": queue.fact("title", ""),
        "state": queue.fact("state", "new") if worked_on else "over",
        "worked_on": worked_on,
        "counts": queue.counts(),
        "seconds_left": queue.fact("seconds_left") if worked_on else None,
        "places": queue.fact("places", []) if worked_on else [],
    }


def _once(queue: Queue, *, as_json: bool) -> None:
    from covermaker.batch.queue import as_row
    from covermaker.cli.batch import standing

    if as_json:
        songs = [dict(as_row(song)) for song in queue.songs()]
        click.echo(json.dumps({**_facts(queue), "songs": songs}, ensure_ascii=False))
        return
    facts = _facts(queue)
    click.echo(standing(queue))
    if not facts["worked_on"] and queue.counts().get("waiting"):
        click.echo(f"nobody works on it; go on with: covermaker batch resume {queue.folder}")


def _follow(queue: Queue, *, as_json: bool) -> int:
    """Tell every change; ends when nobody works on the batch any more."""
    from covermaker.batch.words import summary_words

    at, after, version = 0, max((line.id for line in queue.lines(last=1)), default=0), -1
    told: dict[int, tuple[Any, ...]] = {}
    while True:
        worked_on = queue.is_worked_on
        before, version = version, queue.version
        if version != before:
            at, songs = _changed(queue, at)
            for song in songs:
                _tell(song, told, as_json=as_json)
            for line in queue.lines(after):
                after = line.id
                if not as_json:
                    click.echo(printable(f"      {line.words}"))
        if not worked_on:
            break
        time.sleep(_LOOK_SECONDS)
    click.echo(_over(queue).to_json() if as_json else summary_words(queue.counts()))
    return int(ExitCode.BATCH_PARTLY_FAILED if queue.counts().get("failed") else ExitCode.OK)


def _changed(queue: Queue, at: int) -> tuple[int, list[Song]]:
    """Return the songs that changed after a moment, in the order of their turns, and the moment now."""
    songs: dict[int, Song] = {}
    more = True
    while more:
        part = queue.moved(at, most=_MOST_AT_ONCE)
        songs |= {song.id: song for song in part.songs}
        at, more = part.at, part.more
    return at, sorted(songs.values(), key=lambda song: (song.turn, song.id))


def _tell(song: Song, told: dict[int, tuple[Any, ...]], *, as_json: bool) -> None:
    from covermaker.batch.telling import moved
    from covermaker.batch.words import state_words

    mark = (song.state, song.step, song.tries, int(4 * song.fraction) if as_json else 0)
    if told.get(song.id) == mark or (song.id not in told and song.state == "waiting"):
        return
    told[song.id] = mark
    if as_json:
        click.echo(moved(song).to_json())
    else:
        click.echo(printable(f"{song.id:>4}  {song.name}: {state_words(song)}"))


def _over(queue: Queue) -> Event:
    """Return the last event of a batch as who works on it tells it."""
    from covermaker.batch.events import BatchOver
    from covermaker.batch.report import PAGE_NAME

    counts = queue.counts()
    stopped = any(counts.get(state) for state in ("waiting", "running"))
    seconds = round(ran_seconds(queue) or 0.0, 2)
    return BatchOver(counts, seconds, str(queue.folder / PAGE_NAME), stopped)


def ran_seconds(queue: Queue) -> float | None:
    """Return how long a batch ran the last time; None where nobody has noted its end."""
    began, ended = queue.fact("began"), queue.fact("ended")
    return ended - began if began and ended and ended >= began else None
