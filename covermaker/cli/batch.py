"""``covermaker batch``: a playlist becomes covers; and what there is to do with one that runs or is over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.batch_watching import command as status
from covermaker.cli.batch_watching import ran_seconds
from covermaker.cli.cache import parse_size
from covermaker.cli.default_group import DefaultGroup
from covermaker.cli.device import device_option
from covermaker.cli.output import near, printable, table, terminal_width
from covermaker.cli.stopping import stoppable
from covermaker.errors import ExitCode, UsageError
from covermaker.units import clock, human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from covermaker.batch.options import Options
    from covermaker.batch.plan import Plan
    from covermaker.batch.queue import Queue
    from covermaker.batch.rows import Asked

_FOLDER = click.Path(path_type=Path, file_okay=False)
_folder = click.argument("folder", required=False, type=_FOLDER)
_songs = click.argument("songs", nargs=-1, type=int, metavar="[NUMBER]...")

# Sections of a dry run: by what would be done.
_STATES = {
    "done": "done already",
    "stale": "some steps",
    "new": "to do",
    "failed": "cannot be done",
    "cancelled": "cancelled",
}


@click.group("batch", cls=DefaultGroup, default="run")
def command() -> None:
    """Render a playlist; see the command that is meant by itself."""


@command.command("run")
@click.argument("playlist")
@click.option("--out", required=True, type=_FOLDER, help="Where projects, covers and the report go.")
@click.option("--voice", help="Who sings [default: demo, or as the template says].")
@click.option("--preset", help="Rack preset for the vocal [default: natural, or as the template says].")
@click.option("--master", help="Master preset: loudness and ceiling [default: streaming].")
@click.option("--loudness", type=float, metavar="LUFS", help="Loudness of each cover, or of the album.")
@click.option("--transpose", help="Semitones, auto, fit or off [default: auto].")
@click.option("--separator", help="spleeter or demucs [default: spleeter].")
@click.option(
    "--template",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A cover.toml that new projects are copies of.",
)
@click.option("--album", is_flag=True, help="One gain for all, so that songs keep their relation.")
@click.option(
    "--score/--no-score",
    default=True,
    show_default=True,
    help="Measure lag, similarity, pitch and words of each cover; half of the time.",
)
@click.option("--copy", is_flag=True, help="Copy songs into their projects instead of naming their places.")
@click.option("--strict", is_flag=True, help="Fail a song where a plug-in is missing or fails.")
@click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    help="Songs at once, as far as memory allows [default: as cores].",
)
@click.option("--memory", metavar="SIZE", help="What all workers may take [default: 70 % of what is free].")
@click.option("--retries", type=click.IntRange(0, 20), default=2, show_default=True, help="Of what may pass.")
@click.option("--engine", default="local", show_default=True, help="local or ray.")
@click.option("--address", default="", help="Of a Ray cluster: auto, ray://host:10001, or local.")
@click.option("--resume", is_flag=True, help="Go on with the batch in --out; that is so anyway.")
@click.option("--dry-run", is_flag=True, help="Say what would be done and how long it takes, and stop.")
@click.option(
    "--store",
    help="Store to use instead of the user's cache folder; of a cluster also a URL: s3://bucket/store.",
)
@device_option
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
def run(
    playlist: str,
    out: Path,
    template: Path | None,
    memory: str | None,
    store: str | None,
    loudness: float | None,
    album: bool,
    resume: bool,
    dry_run: bool,
    as_json: bool,
    **said: Any,
) -> int:
    """Turn the songs of PLAYLIST into mastered covers, unattended.

    PLAYLIST is M3U, PLS, XSPF, JSPF, CSV, TSV or TOML, a folder with songs or projects in it, a song, or a pattern as
    'songs/*.flac'. Every song becomes a project under --out; a second run makes only what changed. A song that fails
    does not stop the others; then the exit status is 7. See docs/batch.md.
    """
    from covermaker.batch.options import Options
    from covermaker.voices.library import is_place

    names = ("voice", "preset", "master", "transpose", "separator")
    wishes = {name: value for name in names if (value := said.pop(name)) is not None}
    if loudness is not None:
        wishes["loudness_lufs"] = loudness
    wishes = _checked(wishes)
    if is_place(str(wishes.get("voice", ""))):
        wishes["voice"] = _lasting(wishes["voice"], "--voice")
    album_lufs = wishes.pop("loudness_lufs", Options.album_lufs) if album else Options.album_lufs
    options = Options(
        playlist=_lasting(playlist, "PLAYLIST"),
        wishes=wishes,
        template=str(_file(template)) if template else "",
        album=album,
        album_lufs=album_lufs,
        memory_bytes=parse_size(memory) if memory else None,
        store=_store(store),
        **said,
    )
    if dry_run:
        return _dry_run(out, options, as_json)
    from covermaker.batch.work import begin

    with stoppable(), begin(out, options) as queue:
        return _work(queue, as_json=as_json)


def _checked(wishes: dict[str, Any]) -> dict[str, Any]:
    """Read options as the columns of a list are read."""
    from covermaker.batch.entries import Problem
    from covermaker.batch.playlist.columns import FILE, from_text, row_of
    from covermaker.batch.playlist.rows import Row

    values = {name: from_text(name, one) if isinstance(one, str) else one for name, one in wishes.items()}
    found = row_of({FILE: "song", **values}, "")
    if isinstance(found, Problem):
        raise UsageError(found.message.replace("loudness_lufs", "--loudness"), hint=found.hint)
    assert isinstance(found, Row)
    return dict(found.wishes)


def _file(template: Path) -> Path:
    """Return a template's whole path; what it says is checked as a project's document is."""
    from covermaker.documents.document import Document
    from covermaker.project.load import parse

    missing = UsageError(f"there is no template at {template}", hint="--template FILE: a cover.toml")
    parse(Document.read(template, missing=missing).text, str(template))
    return template.absolute()


def _store(place: str | None) -> str:
    """Return a store's place as another process finds it, too."""
    from covermaker.graph.opening import is_url

    return place if place and is_url(place) else _lasting(place, "--store") if place else ""


def _lasting(place: str, where: str) -> str:
    """Write a place so that it is found from elsewhere; a pattern stays one. `where` is what it was given as."""
    from covermaker.disk import expanded

    return str(expanded(place, where).absolute())


@command.command("resume")
@_folder
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
def resume(folder: Path | None, as_json: bool) -> int:
    """Go on with the batch in FOLDER as it was begun; without FOLDER, with the last one.

    Its list is not read again. Songs that failed because the machine was short of something are tried again.
    """
    from covermaker.batch.work import go_on

    with stoppable(), opened(folder) as queue:
        go_on(queue)
        return _work(queue, as_json=as_json)


def _work(queue: Queue, *, as_json: bool) -> int:
    from covermaker.batch.work import work
    from covermaker.cli.batch_progress import batch_listening

    with batch_listening(queue, as_json=as_json) as listener:
        code = work(queue, listener)
    if not as_json:
        click.echo(_end(queue))
    return code


def _end(queue: Queue) -> str:
    from covermaker.batch.report import PAGE_NAME

    return f"{standing(queue)}\nreport: {near(str(queue.folder / PAGE_NAME))}"


def standing(queue: Queue) -> str:
    """Write how it stands with all songs: a table and its sum."""
    from covermaker.batch.words import HEADER, summary_words, table_rows

    songs = queue.songs()
    rows = table_rows(songs, terminal_width(), folder=queue.folder)
    was_done = sum(song.was_done and song.state == "done" for song in songs)
    sums = summary_words(queue.counts(), ran_seconds(queue), was_done=was_done)
    return printable(f"{table(rows, header=HEADER)}\n\n{sums}")


def opened(folder: Path | None) -> Queue:
    """Open the queue of a folder, or of the last batch.

    Raises
    ------
    UsageError
        When no folder is named and no batch is known.
    """
    from covermaker.batch.known import known_batches
    from covermaker.batch.queue import Queue

    if folder is None:
        folder = next(iter(known_batches()), None)
        if folder is None:
            raise UsageError("no batch was begun yet", hint="covermaker batch PLAYLIST --out FOLDER")
    return Queue(folder)


def _dry_run(out: Path, options: Options, as_json: bool) -> int:
    from dataclasses import asdict

    from covermaker.batch.plan import plan
    from covermaker.batch.playlist import read
    from covermaker.batch.work import check, sized

    check(options)
    playlist = read(options.playlist)
    found = plan(playlist, options, out, sized(options, len(playlist.entries)))
    if as_json:
        import json

        click.echo(json.dumps(asdict(found), ensure_ascii=False))
    else:
        click.echo(printable(_plan_words(found)))
    return int(ExitCode.OK)


def _plan_words(plan: Plan) -> str:
    rows = [
        (
            str(song.number),
            song.title[:40],
            clock(song.seconds) if song.seconds is not None else "",
            _STATES[song.state],
            f"{clock(song.cost_seconds)}" if song.state in {"new", "stale"} else "",
            f"{song.origin}: {song.cause}" + (f" ({song.hint})" if song.hint else "") if song.cause else "",
        )
        for song in plan.songs
    ]
    counts = {state: sum(song.state == state for song in plan.songs) for state in _STATES}
    sums = ", ".join(f"{count} {_STATES[state]}" for state, count in counts.items() if count)
    end = (
        f"about {clock(plan.seconds)} with {plan.workers} at once, {human_bytes(plan.memory_bytes)} of memory"
    )
    unknown = sum(song.seconds is None and song.state == "new" for song in plan.songs)
    more = f"; of {unknown} songs the length was not looked up" if unknown else ""
    return "\n".join(
        [
            table(rows, header=("#", "song", "length", "would be", "takes", "problem")),
            "",
            f"{sums}\n{end}{more}",
        ]
    )


@command.command("save")
@_folder
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The list to write [default: songs.toml in FOLDER].",
)
@click.option("--force", is_flag=True, help="Replace the file at --to.")
def save(folder: Path | None, to: Path | None, force: bool) -> int:
    """Write the songs of the batch in FOLDER as a TOML list, in their order, with all that is said of each."""
    from covermaker.batch.saving import save as saved

    with opened(folder) as queue:
        click.echo(printable(f"the list: {near(str(saved(queue, to, force=force)))}"))
    return int(ExitCode.OK)


def _asking(what: Asked, doc: str, *, songs: bool) -> Callable[..., int]:
    """Make a command that leaves an ask in a batch's queue, or does what it says where nobody works on it."""

    def leave(folder: Path | None, **more: Any) -> int:
        from covermaker.batch.asking import leave_ask

        numbers: Sequence[int] = more.get("songs", ())
        with opened(folder) as queue:
            click.echo(printable(leave_ask(queue, what, numbers)))
        return int(ExitCode.OK)

    leave.__doc__ = doc
    return _songs(leave) if songs else leave


for _name, _what, _doc, _with_songs in (
    ("retry", "retry", "Try again what failed in the batch of FOLDER, or the songs of these NUMBERs.", True),
    ("cancel", "cancel", "Drop the songs of these NUMBERs from the batch of FOLDER; without any, all.", True),
    ("pause", "pause", "Begin no more songs of the batch in FOLDER; those that run are finished.", False),
    ("go-on", "go on", "Begin songs of a paused batch again.", False),
    ("stop", "stop", "Stop the batch in FOLDER; covermaker batch resume goes on.", False),
):
    command.command(_name, help=_doc)(_folder(_asking(_what, _doc, songs=_with_songs)))  # type: ignore[arg-type]

command.add_command(status)
