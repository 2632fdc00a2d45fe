"""``covermaker render``: a project becomes a mastered cover, or several do, one after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from covermaker.cli.cache import open_store, store_option
from covermaker.cli.device import device_option
from covermaker.cli.output import near, table
from covermaker.cli.render_many import chosen, each, render_many, render_one
from covermaker.cli.stopping import stoppable
from covermaker.errors import ExitCode, UsageError
from covermaker.graph.events import Planned
from covermaker.units import clock, parse_clock


@click.command("render")
@click.argument("projects", nargs=-1, metavar="[PROJECT]...", type=click.Path(path_type=Path))
@click.option(
    "--stale",
    is_flag=True,
    help="Of these, or of your projects folder, only what is stale, also where a render failed.",
)
@click.option("--until", metavar="STEP", help="Stop after this step: decode, separate, … master, export.")
@click.option("--again", metavar="STEP", help="Make this step and all that follows once more, done or not.")
@click.option("--preview", metavar="FROM-TO", help="Only this stretch is converted and mixed: 0:30-0:45.")
@click.option("--score", is_flag=True, help="Also measure lag, similarity to the voice, pitch and words.")
@click.option("--strict", is_flag=True, help="Fail where a plug-in is missing or fails; else it is left out.")
@click.option("--dry-run", is_flag=True, help="Say what would run and why, and stop.")
@store_option
@device_option
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
def command(
    projects: tuple[Path, ...],
    stale: bool,
    until: str | None,
    again: str | None,
    preview: str | None,
    score: bool,
    strict: bool,
    dry_run: bool,
    store: Path | None,
    device: str,
    as_json: bool,
) -> int:
    """Render PROJECT: separate, convert, mix, master and export what is not done yet.

    Several projects, or a folder of them, are rendered one after another; one that fails does not stop the others, and
    the command ends with exit status 7.
    """
    request: dict[str, Any] = {
        "job": "render",
        "until": until,
        "again": again,
        "region": parse_region(preview) if preview else None,
        "score": score,
        "strict": strict,
        "store": str(store) if store else None,
        "device": device,
    }
    found, are_many = chosen(projects, stale=stale, store=open_store(store))
    if are_many:
        if dry_run:
            return each(
                found, lambda one: _dry_run({**request, "project": str(one)}, as_json), as_json=as_json
            )
        with stoppable():
            return render_many(found, request, as_json=as_json)
    request["project"] = str(found[0])
    if dry_run:
        _dry_run(request, as_json)
        return int(ExitCode.OK)
    with stoppable():
        result = render_one(request, as_json=as_json)
    if not as_json:
        click.echo(_words(result))
    return int(ExitCode.OK)


def parse_region(text: str) -> list[float]:
    """Read ``0:30-0:45`` as start and length in seconds."""
    start, dash, stop = text.partition("-")
    if not dash:
        raise UsageError(f"'{text}' is no stretch of the song", hint="write it as 0:30-0:45")
    first, last = parse_clock(start), parse_clock(stop)
    if last <= first:
        raise UsageError(f"the preview {text} ends before it begins", hint="write it as 0:30-0:45")
    return [first, last - first]


def _dry_run(request: dict[str, Any], as_json: bool) -> None:
    """Say what a render would do. Runs nothing and writes nothing."""
    from covermaker.render.record import compare, last_render
    from covermaker.render.tasks import planned, summary

    river, _, steps, store = planned(request)
    if as_json:
        click.echo(Planned(summary(steps)).to_json())
        return
    minutes = _song_minutes(river.checked.song)
    project = river.checked.project
    verdicts = compare(steps, last_render(project.out), project.cover)
    rows, seconds = [], 0.0
    for one, verdict in zip(steps, verdicts, strict=True):
        state = "would run" if one.will_run else verdict.state
        if one.will_run:
            seconds += one.step.cost * minutes
        rows.append((one.step.name, state, verdict.brief))
    click.echo(table(rows, header=("step", "state", "why")))
    click.echo(f"\nabout {seconds:.0f} s on two cores; store: {open_store(store.root).root}")


def _song_minutes(song: Path) -> float:
    from covermaker.audio.files import probe

    return probe(song).seconds / 60.0


def _words(result: dict[str, Any]) -> str:
    """Write the end of a render: what it measures and where it is."""
    if result.get("folders"):
        return "\n".join(result["folders"])
    reports = result["reports"]
    master, rows = reports["master"], []
    rows.append(
        ("length", clock(master["frames"] / master["sample_rate"]) + f" ({master['frames']} samples)")
    )
    rows.append(("loudness", _level(master["integrated_lufs"], "LUFS")))
    rows.append(("true peak", _level(master["true_peak_dbtp"], "dBTP")))
    conversion = next((reports[name] for name in ("convert", "convert (preview)") if name in reports), None)
    if conversion:
        rows.append(("transpose", f"{conversion['semitones']:+d} semitones: {conversion['why']}"))
    rows += _score_rows(reports.get("score"))
    rows += [("file" if index == 0 else "", near(file)) for index, file in enumerate(result["files"])]
    return table(rows)


def _score_rows(score: dict[str, Any] | None) -> list[tuple[str, str]]:
    if not score:
        return []
    rows = [("vocal lag", f"{score['lag_ms']:+.2f} ms")]
    if score["similarity"] is not None:
        source = score["source_similarity"]
        beside = "" if source is None else f" (the source: {source:.2f})"
        rows.append(("similarity", f"{score['similarity']:.2f} to the voice{beside}"))
    if score["f0_correlation"] is not None:
        text = f"correlation {score['f0_correlation']:.3f}, median error {score['f0_median_cents']:.0f} cents"
        rows.append(("pitch", text))
    if score["octave_errors"] is not None:
        share = f"{score['octave_errors']:.0%} in another octave than the song, as {score['octave_judge']} hears both"
        rows.append(("octaves", share))
    if score["words_read"] is not None:
        total = len(score["source_words"])
        rows.append(("words read", f"{score['words_read']:.0%} of {total} in the separated vocal"))
    rows.append(("new clicks", str(len(score["new_clicks_seconds"]))))
    return rows


def _level(value: float | None, unit: str) -> str:
    return "silence" if value is None else f"{value:.2f} {unit}"
