"""Several projects rendered one after another: a failure does not stop the others, the end sums up."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.hints import hint_of
from covermaker.cli.output import near, table, words
from covermaker.cli.progress import listening
from covermaker.errors import CovermakerError, ExitCode, UsageError
from covermaker.graph.events import BatchFinished, Failed, ProjectStarted
from covermaker.jobs.launch import launch
from covermaker.project.library import scan
from covermaker.project.load import FILE_NAME, folder_of, hidden_folder
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from covermaker.graph.store import Store


@dataclass
class Outcome:
    """What became of one project.

    Attributes
    ----------
    state : str
        ``"done"``, ``"failed"``, ``"stopped"`` or ``"not begun"``.
    """

    project: str
    state: str = "not begun"
    seconds: float | None = None
    loudness_lufs: float | None = None
    files: tuple[str, ...] = ()
    message: str = ""
    hint: str | None = None
    exit_code: int = 0


def chosen(places: Sequence[Path], *, stale: bool, store: Store) -> tuple[list[Path], bool]:
    """Return the folders of the projects to render, each once; of a folder of projects, all in it; or what is stale.

    Returns
    -------
    list of Path
        The projects.
    bool
        Whether more was asked for than the one project that is named.

    Raises
    ------
    UsageError
        When none is named.
    """
    if not places:
        if not stale:
            raise UsageError("no PROJECT is named", hint="name one or several, or ask for --stale")
        from covermaker.tui.settings import load_settings, projects_folder

        places = [projects_folder(load_settings())]
    places = [folder_of(place) for place in places]
    found = list({folder.absolute(): folder for place in places for folder in _inside(place)}.values())
    if not stale:
        return found, len(places) > 1 or found != places
    from covermaker.render.state import project_state

    return [folder for folder in found if project_state(folder, store).is_stale], True


def _inside(place: Path) -> list[Path]:
    """Return a project itself, or the projects in a folder; what is neither is told of when it is rendered."""
    if (place / FILE_NAME).is_file() or not place.is_dir():
        return [place]
    return [place / row.folder.name for row in scan(place)] or [place]


def render_one(request: Mapping[str, Any], *, as_json: bool) -> dict[str, Any]:
    """Render a project in a child process and return its result; one that is cancelled leaves no note of a failure."""
    from covermaker.render.ending import LOG_NAME, forget, is_whole

    hidden = hidden_folder(Path(request["project"]))
    try:
        with listening(as_json=as_json) as listener:
            return launch(request, listener=listener, log=hidden / LOG_NAME)
    except KeyboardInterrupt:
        if is_whole(request):  # the child may have been ended in the middle of native code
            forget(hidden)
        raise


def render_many(projects: Sequence[Path], request: Mapping[str, Any], *, as_json: bool) -> int:
    """Render projects in turn and say what became of them; returns the exit code."""
    outcomes = {project: Outcome(str(project)) for project in projects}
    try:
        return each(projects, lambda one: _render(outcomes[one], request, as_json), as_json=as_json)
    finally:
        _end(list(outcomes.values()), as_json)


def each(projects: Sequence[Path], act: Callable[[Path], None], *, as_json: bool) -> int:
    """Do something with projects in turn, a failure of one told in its place; returns the exit code."""
    code = ExitCode.OK
    for number, project in enumerate(projects, start=1):
        if as_json:
            click.echo(ProjectStarted(str(project), number, len(projects)).to_json())
        else:
            words(f"{number} of {len(projects)}: {near(str(project))}")
        try:
            act(project)
        except CovermakerError as error:
            code, hint = ExitCode.BATCH_PARTLY_FAILED, hint_of(error)
            if as_json:
                click.echo(Failed(error.message, hint, int(error.exit_code)).to_json())
            else:
                words(f"failed: {error.message}" + (f" ({hint})" if hint else ""))
    return int(code)


def _render(outcome: Outcome, request: Mapping[str, Any], as_json: bool) -> None:
    outcome.state = "stopped"  # unless it comes to an end
    began = time.monotonic()
    try:
        result = render_one({**request, "project": outcome.project}, as_json=as_json)
    except CovermakerError as error:
        outcome.state, outcome.message, outcome.hint = "failed", error.message, hint_of(error)
        outcome.exit_code = int(error.exit_code)
        raise
    master = result.get("reports", {}).get("master") or {}
    outcome.state, outcome.loudness_lufs = "done", master.get("integrated_lufs")
    outcome.files = tuple(result.get("files") or result.get("folders", ()))
    outcome.seconds = round(time.monotonic() - began, 2)


def _end(outcomes: Sequence[Outcome], as_json: bool) -> None:
    if as_json:
        click.echo(BatchFinished([asdict(outcome) for outcome in outcomes]).to_json())
        return
    if not outcomes:
        click.echo("nothing is stale")
        return
    rows = [
        (
            Path(outcome.project).absolute().name,
            outcome.state,
            clock(outcome.seconds) if outcome.seconds is not None else "",
            f"{outcome.loudness_lufs:.1f} LUFS" if outcome.loudness_lufs is not None else "",
            outcome.message + (f" ({outcome.hint})" if outcome.hint else "")
            if outcome.state == "failed"
            else ", ".join(near(file) for file in outcome.files),
        )
        for outcome in outcomes
    ]
    click.echo(table(rows, header=("project", "state", "time", "loudness", "files, or why not")))
    done = sum(outcome.state == "done" for outcome in outcomes)
    click.echo(f"\n{done} of {len(outcomes)} done")
