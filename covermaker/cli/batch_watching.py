"""``covermaker batch status``: how it stands with a batch, once or for as long as it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from covermaker.cli.batch_facts import facts_of, state_words
from covermaker.cli.batch_opening import folder_argument, opened
from covermaker.cli.batch_tables import MOST_SONGS, standing
from covermaker.cli.output import near, printable
from covermaker.errors import ExitCode
from covermaker.texts import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.batch.queue import Queue


@click.command("status")
@folder_argument
@click.option("--follow", is_flag=True, help="Go on telling what changes until it is over; Ctrl-C ends that.")
@click.option("--failed", is_flag=True, help="Only the songs that failed.")
@click.option(
    "--all",
    "of_all",
    is_flag=True,
    help=f"All songs; of more than {MOST_SONGS}, else those that run or failed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --follow, a line a change.")
def command(folder: Path | None, follow: bool, failed: bool, of_all: bool, as_json: bool) -> int:
    """Show how it stands with the batch in FOLDER; without FOLDER, with the last one."""
    with opened(folder) as queue:
        if follow:
            from covermaker.cli.batch_following import follow as follow_batch

            try:
                return follow_batch(queue, as_json=as_json)
            except KeyboardInterrupt:  # somebody has seen enough; the batch goes on
                return int(ExitCode.INTERRUPTED)
        which = "failed" if failed else "all" if of_all else ""
        _once(queue, which, as_json=as_json)
    return int(ExitCode.OK)


def _once(queue: Queue, which: str, *, as_json: bool) -> None:
    from covermaker.batch.rows import as_row

    facts = facts_of(queue)
    if as_json:
        found = queue.songs("failed") if which == "failed" else queue.songs()
        songs = [as_row(song) for song in found]
        if not facts["worked_on"]:
            songs = [{**song, "state": "waiting"} if song["state"] == "running" else song for song in songs]
        click.echo(json.dumps({**facts, "songs": songs}, ensure_ascii=False))
        return
    click.echo(printable(f"{one_line(facts['title'])}, in {near(facts['folder'])}\n"))
    click.echo(standing(queue, which=which))
    if state := state_words(queue, facts):
        click.echo(printable(state))
