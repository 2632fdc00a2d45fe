"""How a batch is told while it runs: a bar for all and one for each song that runs, lines, or JSON lines."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from covermaker.batch.events import BatchLeft, BatchSaid, BatchStarted, SongMoved
from covermaker.cli.output import is_plain, printable
from covermaker.training.stages import phase_words
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.batch.queue import Queue
    from covermaker.graph.events import Event, Listener

_OVER = {"done", "failed", "cancelled"}
_SIGNS = {"done": "done", "failed": "failed", "cancelled": "cancelled"}


@contextmanager
def batch_listening(queue: Queue, *, as_json: bool) -> Iterator[Listener]:
    """Give the listener that fits: JSON lines on stdout, bars on a terminal, lines elsewhere."""
    import sys

    if as_json:
        yield lambda event: click.echo(event.to_json())
    elif sys.stderr.isatty() and not is_plain():
        with _bars(queue) as listener:
            yield listener
    else:
        yield _line


def _line(event: Event) -> None:
    match event:
        case BatchStarted():
            click.echo(printable(_started(event)), err=True)
        case SongMoved(state=state) if state in _OVER:
            click.echo(printable(over_words(event)), err=True)
        case BatchSaid():
            click.echo(printable(f"note: {_said(event)}"), err=True)
        case _:
            pass


def _started(event: BatchStarted) -> str:
    total = sum(event.counts.values())
    return f"{event.title or event.folder}: {total} songs, {event.workers} at once, engine {event.engine}"


def _said(event: BatchSaid) -> str:
    return f"{event.number}: {event.words}" if event.number is not None else event.words


def over_words(event: SongMoved) -> str:
    """Say in a line how a song ended."""
    took = f" in {clock(event.seconds)}" if event.seconds else ""
    if event.state == "done":
        return f"{event.number:>4}  {event.title}: " + (
            "was done already" if event.was_done else f"done{took}"
        )
    cause = event.cause if event.cause != event.state else ""
    return f"{event.number:>4}  {event.title}: {_SIGNS[event.state]}" + (f": {cause}" if cause else "")


@contextmanager
def _bars(queue: Queue) -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[words]}", markup=False),
    )
    total = sum(queue.counts().values())
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=6) as bars:
        whole = bars.add_task("all", total=float(total or 1), words="")
        tasks: dict[int, TaskID] = {}

        def listener(event: Event) -> None:
            match event:
                case BatchStarted():
                    bars.console.print(_started(event), highlight=False, markup=False)
                case SongMoved(state="running", number=number):
                    if number not in tasks:
                        tasks[number] = bars.add_task(printable(event.title)[:24], total=1.0, words="")
                    words = f"{phase_words(event.step)} {event.fraction:4.0%}" if event.step else "begins"
                    bars.update(tasks[number], completed=event.fraction, words=words)
                case SongMoved(number=number, state=state):
                    task = tasks.pop(number, None)
                    if task is not None:
                        bars.remove_task(task)
                    if state in _OVER:
                        bars.console.print(printable(over_words(event)), highlight=False, markup=False)
                case BatchSaid():
                    bars.console.print(printable(f"note: {_said(event)}"), highlight=False, markup=False)
                case BatchLeft(counts=counts, seconds_left=left):
                    done = sum(counts.get(state, 0) for state in _OVER)
                    words = f"{done} of {total}" + (f", {clock(left)} left" if left is not None else "")
                    bars.update(whole, completed=float(done), words=words)
                case _:
                    pass

        yield listener
