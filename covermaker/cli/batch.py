"""``covermaker batch``: a playlist becomes covers; and what there is to do with one that runs or is over."""

from __future__ import annotations

import time
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

import click

from covermaker.cli import batch_asking, batch_watching
from covermaker.cli.batch_opening import FOLDER, folder_argument, opened
from covermaker.cli.batch_tables import plan_words, standing
from covermaker.cli.cache import parse_size
from covermaker.cli.default_group import DefaultGroup
from covermaker.cli.device import device_option
from covermaker.cli.output import near, printable, words
from covermaker.cli.stopping import stoppable
from covermaker.errors import ExitCode, ResourceError, UsageError

if TYPE_CHECKING:
    from covermaker.batch.options import Options
    from covermaker.batch.queue import Queue

_LOOK_SECONDS: Final = 0.1
_json = click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
_detach = click.option(
    "--detach",
    is_flag=True,
    help="Go on in a process of its own, and return; batch status tells how it stands.",
)


@click.group("batch", cls=DefaultGroup, default="run")
def command() -> None:
    """Render a playlist; see the command that is meant by itself."""


@command.command("run")
@click.argument("playlist")
@click.option("--out", required=True, type=FOLDER, help="Where projects, covers and the report go.")
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
@_detach
@_json
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
    detach: bool,
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
        if detach:
            for remark in queue.fact("remarks") or ():
                words(printable(f"note: {remark}"))
            return _detached(queue, as_json=as_json)
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
@folder_argument
@_detach
@_json
def resume(folder: Path | None, detach: bool, as_json: bool) -> int:
    """Go on with the batch in FOLDER as it was begun; without FOLDER, with the last one.

    Its list is not read again. Songs that failed because the machine was short of something are tried again.
    """
    from covermaker.batch.work import go_on

    with stoppable(), opened(folder) as queue:
        if detach:
            return _detached(queue, as_json=as_json)
        go_on(queue)
        return _work(queue, as_json=as_json)


def _work(queue: Queue, *, as_json: bool) -> int:
    from covermaker.batch.work import work
    from covermaker.cli.batch_progress import batch_listening

    with batch_listening(queue, as_json=as_json) as listener:
        code = work(queue, listener)
    if not as_json:
        words("")
        click.echo(_end(queue))
    return code


def _end(queue: Queue) -> str:
    from covermaker.batch.report import PAGE_NAME

    return f"{standing(queue)}\nreport: {near(str(queue.folder / PAGE_NAME))}"


def _detached(queue: Queue, *, as_json: bool) -> int:
    """Have a process of its own work on a batch; returns when it does.

    Raises
    ------
    CovermakerError
        When another process works on it, or this one ended before its time.
    """
    from covermaker.batch.detached import failure, log_of, resume
    from covermaker.batch.holding import working_on

    with working_on(queue):
        pass  # refused here and now, not in a log
    process = resume(queue.folder)
    while process.poll() is None and not (queue.is_worked_on and queue.fact("process") == process.pid):
        time.sleep(_LOOK_SECONDS)
    if process.returncode not in {None, ExitCode.OK, ExitCode.BATCH_PARTLY_FAILED}:
        raise failure(queue.folder) or ResourceError(
            f"the process of the batch ended with {process.returncode}", hint=f"see {log_of(queue.folder)}"
        )
    here = quote(near(str(queue.folder)))
    if as_json:
        import json

        click.echo(json.dumps({"folder": str(queue.folder), "process": process.pid}))
    elif process.returncode is not None:
        click.echo(_end(queue))
    else:
        click.echo(
            f"the batch goes on in a process of its own: covermaker batch status --follow {here}\n"
            f"it ends before with: covermaker batch stop {here}"
        )
    return process.returncode or int(ExitCode.OK)


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
        click.echo(printable(plan_words(found)))
    return int(ExitCode.OK)


@command.command("save")
@folder_argument
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


for _one in (*batch_asking.COMMANDS, batch_watching.command):
    command.add_command(_one)
