"""The jobs that run in a child process: render a project, separate a song, convert a vocal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from covermaker.disk import copy_file, file_sha256, jot, same_content
from covermaker.errors import UsageError
from covermaker.export.files import export_file
from covermaker.export.report import build_report, write_report
from covermaker.features.pitch.repair import check_smoothing
from covermaker.graph.events import Note, Planned
from covermaker.graph.opening import open_store
from covermaker.graph.run import from_here, in_order, plan, run
from covermaker.graph.step import From
from covermaker.graph.store import Entry, Store
from covermaker.project.document import Convert, Stems
from covermaker.project.load import hidden_folder, load
from covermaker.project.saved import RENDERED_NAME
from covermaker.render import pipeline, record
from covermaker.render.checks import make_separator
from covermaker.render.ending import ending, is_whole
from covermaker.render.finishing import prepare_signing
from covermaker.render.naming import named_reports, named_steps, named_text
from covermaker.render.plugins import absent_notes, refuse_missing, surviving
from covermaker.render.settling import settle
from covermaker.render.singers import check_singing, ready, singer_notes
from covermaker.render.singing import convert_step, feature_steps, heard, listen_step
from covermaker.render.singwork import conversion
from covermaker.render.steps import Region
from covermaker.render.unheard import unheard
from covermaker.voices.library import find_voice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from covermaker.graph.events import Event, Listener
    from covermaker.graph.run import PlannedStep
    from covermaker.graph.step import Step
    from covermaker.project.document import Cover

Request = dict[str, Any]

MIX_STEMS_FOLDER = "mix stems"
# Where the files of a step go in the project's `out`, by its kind; the others' lie there.
_FOLDERS = {"stems": "stems", "mix-stems": MIX_STEMS_FOLDER}
M = TypeVar("M", bound="BaseModel")


def planned(request: Request) -> tuple[pipeline.River, list[Step], list[PlannedStep], Store]:
    """Return what a render request consists of, without running it: also what is asked for, and the way there."""
    river, targets, store = river_of(request)
    again = from_here(targets, request["again"]) if request.get("again") else ()
    return river, targets, plan(store, targets, again=again), store


def river_of(request: Request) -> tuple[pipeline.River, list[Step], Store]:
    """Return the steps of a render request, and which are asked for, without looking at what is there."""
    project = load(Path(request["project"]))
    store = _store(request)
    region = Region(*request["region"]) if request.get("region") else None
    river = pipeline.build(project, region=region, score=bool(request.get("score")), store=store)
    if request.get("strict"):
        refuse_missing(river.checked)
    return river, river.targets(request.get("until")), store


def render(request: Request, listener: Listener) -> dict[str, Any]:
    """Render a project; see `covermaker.cli.render` for what a request holds."""
    if request.get("region"):
        return _render(request, listener)
    hidden = hidden_folder(Path(request["project"]))
    with ending(hidden, listener, whole=is_whole(request)) as hear:
        return _render(request, hear)


def _render(request: Request, listener: Listener) -> dict[str, Any]:
    return surviving(
        lambda hear: _rendered(request, hear), _once(listener), strict=bool(request.get("strict"))
    )


def _rendered(request: Request, listener: Listener) -> dict[str, Any]:
    river, targets, steps, store = planned(request)
    if prepare_signing(river.checked, river.claim, steps):
        river, targets, steps, store = planned(request)
    listener(Planned(summary(steps)))
    until, again = request.get("until"), [one.step.key for one in steps if one.again]
    entries = run(store, targets, listener=listener, device=request.get("device", "auto"), again=again)
    cover = river.checked.project.cover
    result: dict[str, Any] = {"title": cover.title, "until": until, "files": []}
    _tell_notes(targets, store, listener, cover, _known_notes(river, targets))
    if until is not None:
        result["folders"] = [str(entry.folder) for entry in entries]
        return result
    return {**result, **_publish(request, river, targets, entries, store)}


def separate(request: Request, listener: Listener) -> dict[str, Any]:
    """Separate ``request["song"]`` into files in ``request["out"]``."""
    store, out = _store(request), Path(request["out"])
    make = make_separator(_validated(Stems, request.get("stems", {})), {})
    step = pipeline.separate_step(pipeline.decode_step(Path(request["song"])), make)
    (entry,) = run(store, [step], listener=listener, device=request.get("device", "auto"))
    _tell_notes([step], store, listener)
    files = _copy(entry, out, [f"{name}.wav" for name in make("auto").stems])
    return {"files": list(files), "report": entry.meta["report"]}


def convert(request: Request, listener: Listener) -> dict[str, Any]:
    """Convert the vocal ``request["vocal"]`` with a voice into the file ``request["out"]``."""
    store, out = _store(request), Path(request["out"])
    settings = _validated(Convert, request.get("convert", {}))
    guide = Path(request["guide"]) if request.get("guide") else None
    conversion(settings, guide)
    vocal = From(pipeline.vocal_step(Path(request["vocal"])), "vocals.wav")
    singer = ready(find_voice(request["voice"]))
    check_singing(settings, singer)
    check_smoothing(settings.smooth_frames)
    source = heard(vocal, singer)
    features = feature_steps(source, settings, singer.encoder)
    step = convert_step(source, features, singer, settings, guide=guide)
    targets = [step, *listen_step(source, features["loudness"])]
    entry, *_ = run(store, targets, listener=listener, device=request.get("device", "auto"))
    _tell_notes(targets, store, listener, others=singer_notes([singer], settings, targets))
    export_file(
        entry.folder / "converted.wav", out, format="wav32f", tags=pipeline.voice_tags([singer]), seed=0
    )
    return {"files": [str(out)], "report": entry.meta["report"]}


def summary(steps: Sequence[PlannedStep]) -> list[dict[str, Any]]:
    """Write a plan as JSON values."""
    return [
        {
            "name": planned.step.name,
            "kind": planned.step.kind,
            "key": planned.step.key,
            "state": "run" if planned.will_run else "kept" if planned.cached else "not needed",
        }
        for planned in steps
    ]


# What the command line calls a key of the document, where it has another name for it.
_OPTIONS = {"formant_semitones": "formant", "pitch_correction": "correct"}


def _validated(model: type[M], values: dict[str, Any]) -> M:
    """Check options of the command line with the rules of the document."""
    from pydantic import ValidationError

    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        option = _OPTIONS.get(name, name.replace("_", "-"))
        raise UsageError(f"--{option} {first['input']}: {first['msg'].lower()}") from error


def _publish(
    request: Request, river: pipeline.River, targets: Sequence[Step], entries: Sequence[Entry], store: Store
) -> dict[str, Any]:
    """Copy the finished files into the project's ``out`` folder and write the record beside them."""
    out = river.checked.project.out
    files: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.meta["step"] == "score":
            continue
        folder = out / _FOLDERS.get(entry.meta["step"], "")
        copied = _copy(entry, folder, sorted(entry.meta["files"]))
        if entry.meta["step"] == "mix-stems":
            hashes = {Path(name): facts["sha256"] for name, facts in copied.items()}
            settle(river.checked.project.hidden, folder, hashes)
        files |= copied
    named = {Path(file).relative_to(out).as_posix(): facts for file, facts in files.items()}
    reports = _reports(targets, store)
    reports["master"] = reports["export"]["master"]
    tracks = [track.name for track in river.checked.project.cover.tracks]
    reports = named_reports(reports, tracks)
    report = build_report(
        title=river.checked.project.cover.title,
        settings=river.checked.project.cover.model_dump(mode="json", by_alias=True),
        master=reports["master"],
        files=[{"name": name, **facts} for name, facts in named.items()],
        notes=[
            *_known_notes(river, targets),
            *notes_of(reports, river.checked.project.cover),
        ],
        extra={
            "voice": river.lead.fingerprint,
            "reports": reports,
            "steps": named_steps(record.describe(in_order(targets)), tracks),
        },
    )
    if not request.get("region"):
        _remove_stale(out, set(named))
        project = river.checked.project
        jot(project.hidden / RENDERED_NAME, project.document.text)
    place = out / ("preview.json" if request.get("region") else record.FILE_NAME)
    write_report(place, report)
    missed = unheard(river.checked.project.cover)
    return {"files": list(files), "record": str(place), "reports": reports, "unheard": missed}


def _remove_stale(out: Path, current: set[str]) -> None:
    """Remove what an earlier render wrote and this one does not: an old format, title or stem, and only unchanged."""
    for name, sha256 in record.last_files(out).items():
        file = out / name
        if name not in current and file.is_file() and file_sha256(file) == sha256:
            file.unlink()


def _copy(entry: Entry, folder: Path, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Copy files of a step out of the store, unless the very same are there; returns sha256 and size by path."""
    done = {}
    for name in names:
        target = folder / name
        if not same_content(target, entry.folder / name):
            copy_file(entry.folder / name, target)
        done[str(target)] = dict(entry.meta["files"][name])
    return done


def _reports(targets: Sequence[Step], store: Store) -> dict[str, Any]:
    """Collect what the steps found out; of a step that was collected since, nothing."""
    return {
        step.name: found.meta["report"]
        for step in in_order(targets)
        if (found := store.get(step.key)) is not None
    }


def _once(listener: Listener) -> Listener:
    """Return a listener that hears no note twice: a long step tells its own at once, and the end tells them all."""
    told: set[str] = set()

    def hear(event: Event) -> None:
        if isinstance(event, Note):
            if event.text in told:
                return
            told.add(event.text)
        listener(event)

    return hear


def _known_notes(river: pipeline.River, targets: Sequence[Step]) -> list[str]:
    """Tell what no step finds out: plug-ins that are absent, and what `singer_notes` says."""
    absent = absent_notes(river.checked.racks, river.checked.lanes)
    settings = river.checked.project.cover.convert
    return [*absent, *singer_notes(river.singers, settings, in_order(targets))]


def _tell_notes(
    targets: Sequence[Step],
    store: Store,
    listener: Listener,
    cover: Cover | None = None,
    others: Sequence[str] = (),
) -> None:
    for text in (*others, *notes_of(_reports(targets, store), cover)):
        listener(Note(text))


def notes_of(reports: Mapping[str, Any], cover: Cover | None = None) -> list[str]:
    """Collect what the steps noticed: a damaged song, a silent vocal, a target that could not be reached.

    `cover` is what was rendered: it knows what the mix knows by number only, and whether a voice is heard at all.
    """
    notes = [str(text) for report in reports.values() for text in report.get("notes") or []]
    if cover is not None:
        notes = [named_text(text, [track.name for track in cover.tracks]) for text in notes]
        missed = unheard(cover) if "mix" in reports else ""
        # It says why, too: what the mix says of these tracks would be the same again.
        notes = [*([missed] if missed else []), *(text for text in notes if text not in missed)]
    master = reports.get("master", {})
    return notes + ([str(master["reason"])] if master.get("reached") is False else [])


def _store(request: Request) -> Store:
    return open_store(request.get("store"), attended=bool(request.get("attended")))
