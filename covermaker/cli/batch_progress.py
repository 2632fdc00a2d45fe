"""How a batch is told while it runs: a bar for all and one for each song that runs, lines, or JSON lines."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from covermaker.batch.events import BatchLeft, SongMoved
from covermaker.cli.batch_lines import OVER, Lines, broken
from covermaker.cli.output import is_plain, printable
from covermaker.texts import cut, one_line
from covermaker.training.stages import phase_words
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.batch.queue import Queue
    from covermaker.graph.events import Event, Listener

_TITLE_CELLS: Final = 24


@contextmanager
def batch_listening(queue: Queue, *, as_json: bool) -> Iterator[Listener]:
    """Give the listener that fits: JSON lines on stdout, bars on a terminal, lines with --plain and elsewhere."""
    import sys

    if as_json:
        yield lambda event: click.echo(event.to_json())
    elif sys.stderr.isatty() and not is_plain():
        with _bars(queue) as listener:
            yield listener
    else:
        yield _lines(Lines(steps=is_plain()))


def _lines(lines: Lines) -> Listener:
    def listener(event: Event) -> None:
        for line in lines.of(event):
            click.echo(printable(line), err=True)

    return listener


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
    lines = Lines(steps=False)
    # They go when it is over: what stays on the screen is true.
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=6, transient=True) as bars:
        whole = bars.add_task("all", total=float(total or 1), words="")
        tasks: dict[int, TaskID] = {}

        def listener(event: Event) -> None:
            for line in lines.of(event):
                for part in broken(printable(line), bars.console.width):
                    bars.console.print(part, highlight=False, markup=False)
            match event:
                case SongMoved(state="running", number=number):
                    if number not in tasks:
                        title = cut(one_line(printable(event.title)), _TITLE_CELLS)
                        tasks[number] = bars.add_task(title, total=1.0, words="")
                    words = f"{phase_words(event.step)} {event.fraction:4.0%}" if event.step else "begins"
                    bars.update(tasks[number], completed=event.fraction, words=words)
                case SongMoved(number=number):
                    task = tasks.pop(number, None)
                    if task is not None:
                        bars.remove_task(task)
                case BatchLeft():
                    over = sum(event.counts.get(state, 0) for state in OVER)
                    bars.update(
                        whole, completed=float(over), words=_whole(event, total), visible=not event.paused
                    )
                case _:
                    pass

        yield listener


def _whole(event: BatchLeft, total: int) -> str:
    failed = event.counts.get("failed", 0)
    return (
        f"{event.counts.get('done', 0)} of {total} done"
        + (f", {failed} failed" if failed else "")
        + (f", {clock(event.seconds_left)} left" if event.seconds_left is not None else "")
    )
