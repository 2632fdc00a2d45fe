"""A progress bar a step, drawn on stderr from the events of a job; or the events themselves as JSON lines."""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import click

from covermaker.cli.output import is_plain
from covermaker.evaluate.table import CHOOSING_FIGURES, SAVE_FIGURES, chosen_phrase
from covermaker.graph.events import (
    Event,
    Note,
    StepCached,
    StepFailed,
    StepFinished,
    StepProgress,
    StepStarted,
    StepWaiting,
    TrainingProgress,
    TrainingScored,
    nobody,
)
from covermaker.training.stages import phase_words
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from covermaker.graph.events import Listener


@contextmanager
def listening(*, as_json: bool) -> Iterator[Listener]:
    """Give the listener that fits: JSON lines on stdout, bars on a terminal, lines with --plain and elsewhere."""
    import sys

    if as_json:
        yield lambda event: click.echo(event.to_json())
    elif is_plain():
        yield _plain()
    elif sys.stderr.isatty():
        with _bars() as listener:
            yield listener
    else:
        yield _line


def unless_quiet(*, quiet: bool) -> AbstractContextManager[Listener]:
    """Give the listener for a person; of one value as JSON nobody is told on the way."""
    return nullcontext(nobody) if quiet else listening(as_json=False)


def _line(event: Event) -> None:
    """Write finished steps only: for logs."""
    match event:
        case StepCached(name=name):
            click.echo(f"{phase_words(name):<24} kept", err=True)
        case StepFinished(name=name, seconds=seconds):
            click.echo(f"{phase_words(name):<24} {seconds:.1f} s", err=True)
        case StepWaiting(name=name):
            click.echo(f"{phase_words(name):<24} waits for another render that is making it", err=True)
        case StepFailed(name=name):
            click.echo(f"{phase_words(name):<24} failed", err=True)
        case TrainingScored():
            click.echo(_scored(event), err=True)
        case Note(text=text):
            click.echo(f"note: {text}", err=True)


def _plain() -> Listener:
    """Write what changes as lines: beginnings and every quarter of a step, too."""
    quarters: dict[str, int] = {}

    def listener(event: Event) -> None:
        match event:
            case StepStarted(name=name):
                quarters[name] = 0
                click.echo(f"{phase_words(name)}: begins", err=True)
            case StepProgress(name=name, fraction=fraction) if int(4 * fraction) > quarters.get(name, 0):
                quarters[name] = int(4 * fraction)
                if fraction < 1.0:
                    click.echo(f"{phase_words(name)}: {fraction:.0%}{_in_all(event)}", err=True)
            case TrainingProgress(fraction=fraction) if int(20 * fraction) > quarters.get("train", 0):
                quarters["train"] = int(20 * fraction)
                click.echo(f"train: {_training(event).strip()}", err=True)
            case _:
                _line(event)

    return listener


def _in_all(event: StepProgress) -> str:
    return f", {clock(event.seconds_left)} left in all" if event.seconds_left is not None else ""


def _scored(event: TrainingScored) -> str:
    """Say what a save scored, in a line of 80 cells; ``voices status`` has all figures."""
    row = event.figures.get(chosen_phrase(event.figures), {})
    figures = [
        f"  {head} {value:{form}}"
        for name, head, form in SAVE_FIGURES
        if name in CHOOSING_FIGURES and (value := row.get(name)) is not None
    ]
    score = "no score" if event.score is None else f"score {event.score:.3f}"
    return f"step {event.step}: {score}{' (best)' if event.best else ''}{''.join(figures)}"


def _training(event: TrainingProgress) -> str:
    """Say how a training goes, in a line."""
    loss = event.losses.get("loss")
    minutes, seconds = divmod(round(event.seconds_left), 60)
    return (
        f"{event.fraction:4.0%}  {minutes}:{seconds:02} left  step {event.step}  "
        f"{'loss ' + format(loss, '.3f') if loss is not None else 'no loss'}  "
        f"{event.seconds_per_step:.2f} s/step"
    )


@contextmanager
def _bars() -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[words]}"),
    )
    tasks: dict[str, TaskID] = {}
    started: dict[str, float] = {}
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=8) as bars:

        def task(name: str) -> TaskID:
            if name not in tasks:
                tasks[name] = bars.add_task(phase_words(name), total=1.0, words="")
            return tasks[name]

        def listener(event: Event) -> None:
            match event:
                case StepStarted(name=name):
                    started[name] = time.monotonic()
                    bars.update(task(name), completed=0.0, words="")
                case StepProgress(name=name, fraction=fraction):
                    spent = time.monotonic() - started.get(name, time.monotonic())
                    left = f"{fraction:4.0%}"
                    if event.seconds_left is not None:
                        left += _in_all(event)
                    elif fraction > 0.02 and spent > 2.0:
                        left += f"  about {spent * (1 - fraction) / fraction:.0f} s left"
                    bars.update(task(name), completed=fraction, words=left)
                case StepFinished(name=name, seconds=seconds):
                    bars.update(task(name), completed=1.0, words=f"{seconds:.1f} s")
                case StepCached(name=name):
                    bars.update(task(name), completed=1.0, words="kept")
                case StepWaiting(name=name):
                    bars.update(task(name), words="another render is making it")
                case StepFailed(name=name):
                    bars.update(task(name), words="failed")
                case TrainingProgress(fraction=fraction):
                    bars.update(task("train"), completed=fraction, words=_training(event))
                case TrainingScored():
                    bars.console.print(_scored(event), highlight=False, markup=False)
                case Note(text=text):
                    bars.console.print(f"note: {text}", highlight=False, markup=False)

        yield listener
