"""``covermaker batch retry``, ``cancel``, ``pause``, ``go-on`` and ``stop``: what is asked of a batch from outside."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import click

from covermaker.cli.batch_opening import FOLDER, numbers_of, opened, parted
from covermaker.cli.output import printable
from covermaker.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from covermaker.batch.rows import Asked, SongState

_meant = click.argument("words", nargs=-1, metavar="[FOLDER] [NUMBER]...")


@click.command("retry")
@_meant
@click.option(
    "--cancelled", is_flag=True, help="All songs that were cancelled, in place of those that failed."
)
@click.option("--all", "of_all", is_flag=True, help="All songs that failed or were cancelled.")
def retry(words: tuple[str, ...], cancelled: bool, of_all: bool) -> int:
    """Try again what failed in the batch of FOLDER, or the songs of these NUMBERs; 150-400 is a range.

    Without FOLDER the last batch is meant.
    """
    states: set[SongState] = {"cancelled"} if cancelled else set()
    if of_all:
        states = {"failed", "cancelled"}
    folder, spans = parted(words)
    if spans and states:
        raise UsageError("numbers and --all or --cancelled are too much", hint="leave one of them out")
    return _leave(folder, "retry", spans, states)


@click.command("cancel")
@_meant
@click.option("--all", "of_all", is_flag=True, help="All songs that are not over.")
def cancel(words: tuple[str, ...], of_all: bool) -> int:
    """Drop the songs of these NUMBERs from the batch of FOLDER, or --all; 150-400 is a range.

    Without FOLDER the last batch is meant. Finished steps are kept.
    """
    folder, spans = parted(words)
    if bool(spans) == of_all:
        named = f" {quote(str(folder))}" if folder is not None else ""
        raise UsageError(
            "which songs? Name their numbers, or all of them"
            if not spans
            else "numbers and --all are too much",
            hint=f"covermaker batch cancel{named} 9 150-400, or: covermaker batch cancel{named} --all",
        )
    return _leave(folder, "cancel", spans)


def _leave(
    folder: Path | None, what: Asked, spans: Sequence[range] = (), states: Collection[SongState] = ()
) -> int:
    from covermaker.batch.asking import leave_ask

    with opened(folder) as queue:
        click.echo(printable(leave_ask(queue, what, numbers_of(queue, spans), states=states)))
    return int(ExitCode.OK)


def _of_the_batch(name: str, what: Asked, doc: str) -> click.Command:
    """Make a command that asks something of a batch as a whole."""

    def leave(folder: Path | None) -> int:
        return _leave(folder, what)

    return click.command(name, help=f"{doc} Without FOLDER the last batch is meant.")(
        click.argument("folder", required=False, type=FOLDER)(leave)
    )


_WHOLE: Sequence[tuple[str, Asked, str]] = (
    ("pause", "pause", "Begin no more songs of the batch in FOLDER; those that run are finished."),
    ("go-on", "go on", "Begin songs of a paused batch again."),
    ("stop", "stop", "Stop the batch in FOLDER; covermaker batch resume goes on."),
)
COMMANDS: Sequence[click.Command] = (
    retry,
    cancel,
    *(_of_the_batch(*one) for one in _WHOLE),
)
