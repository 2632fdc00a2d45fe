"""The job of ``covermaker export``: parts of a cover for other programs, made of steps that are made if need be.

A part is a row of `PARTS`: which steps it needs, and what it writes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.disk import copy_file
from covermaker.errors import UsageError, nearest
from covermaker.export import dawproject, reaper
from covermaker.export.label_track import beat_labels, section_labels, write_labels
from covermaker.export.names import safe_name
from covermaker.features.song.music import read_music
from covermaker.graph.events import Note, Planned
from covermaker.graph.run import in_order, plan, run
from covermaker.graph.store import Store, default_root
from covermaker.project.document import CONVERTED
from covermaker.project.load import load
from covermaker.render.instrumental import instrumental_step, without_own_mutes, write_instrumental
from covermaker.render.music import FILE_NAME, known_music, told, words
from covermaker.render.naming import named_reports
from covermaker.render.pipeline import build
from covermaker.render.plugins import absent_notes, refuse_missing, surviving
from covermaker.render.sessions import (
    dawproject_file,
    reaper_file,
    refuse_foreign,
    session_steps,
    write_dawproject_session,
    write_reaper_session,
)
from covermaker.render.settling import settle
from covermaker.render.singers import singer_notes
from covermaker.render.tasks import MIX_STEMS_FOLDER, notes_of, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from covermaker.graph.events import Listener
    from covermaker.graph.step import Step
    from covermaker.graph.store import Entry
    from covermaker.render.pipeline import River

    Steps = Callable[[River, Mapping[str, Any]], list[Step]]
    Write = Callable[[River, Sequence[Entry], Path], list[Path]]
    Check = Callable[[River, Path], None]


@dataclass(frozen=True)
class Part:
    """Something to export.

    Attributes
    ----------
    steps : callable
        Returns the steps that it needs, of a river and the request.
    write : callable
        Takes the river, the entries of these steps and the folder; returns the files that it wrote.
    check : callable
        Takes the river and the folder, and refuses what must not be written over; asked before anything is made.
    """

    steps: Steps
    write: Write
    check: Check | None = None


@dataclass(frozen=True)
class Order:
    """What a request asks for.

    Attributes
    ----------
    parts : dict of str to list of Step
        What each part is made of.
    """

    river: River
    parts: dict[str, list[Step]]
    store: Store
    out: Path

    @property
    def targets(self) -> list[Step]:
        """All their steps, each once."""
        return list({step.key: step for steps in self.parts.values() for step in steps}.values())


def ordered(request: Mapping[str, Any]) -> Order:
    """Return what a request asks for; makes nothing.

    Raises
    ------
    UsageError
        When a part is unknown, or would write over what another program has saved, without ``request["force"]``.
    PlaceError
        When a plug-in is missing, with ``request["strict"]``.
    """
    for name in request["parts"]:
        if name not in PARTS:
            raise UsageError(f"nothing to export is called '{name}'", hint=nearest(name, PARTS))
    project = load(Path(request["project"]))
    store = Store(Path(request["store"]) if request.get("store") else default_root())
    out = Path(request["out"]) if request.get("out") else project.out
    river = build(project, store=store)
    if request.get("strict"):
        refuse_missing(river.checked)
    if not request.get("force"):
        for name in request["parts"]:
            if check := PARTS[name].check:
                check(river, out)
    parts = {name: PARTS[name].steps(river, request) for name in dict.fromkeys(request["parts"])}
    return Order(river, parts, store, out)


def export(request: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Export ``request["parts"]``, names of `PARTS`, of ``request["project"]`` into the folder ``request["out"]``.

    Raises
    ------
    UsageError
        See `ordered`.
    """
    return surviving(lambda hear: _exported(request, hear), listener, strict=bool(request.get("strict")))


def _exported(request: Mapping[str, Any], listener: Listener) -> dict[str, Any]:
    order = ordered(request)
    targets = order.targets
    listener(Planned(summary(plan(order.store, targets))))
    made = run(order.store, targets, listener=listener, device=request.get("device", "auto"))
    entries = {step.key: entry for step, entry in zip(targets, made, strict=True)}
    reports = {
        step.name: entry.meta["report"]
        for step in in_order(targets)
        if (entry := order.store.get(step.key)) is not None
    }
    cover = order.river.checked.project.cover
    reports = without_own_mutes(order.river, reports)
    # What hears no rack lacks no plug-in.
    is_mixed = any(step.kind == "mix" for step in in_order(targets))
    absent = absent_notes(order.river.checked.racks, order.river.checked.lanes) if is_mixed else []
    sung = singer_notes(order.river.singers, cover.convert, in_order(targets))
    for text in dict.fromkeys([*absent, *sung, *notes_of(reports, cover)]):
        listener(Note(text))
    files = {
        name: [
            str(file)
            for file in PARTS[name].write(order.river, [entries[step.key] for step in steps], order.out)
        ]
        for name, steps in order.parts.items()
    }
    music = known_music(order.river.music, order.store, cover) if order.river.music.name in reports else None
    if music is not None:
        reports[order.river.music.name] = {**music.as_dict(), "beats": len(music.beats)}
    return {
        "title": cover.title,
        "music": None if music is None else words(music),
        "parts": files,
        "files": [file for written in files.values() for file in written],
        "reports": named_reports(reports, [track.name for track in cover.tracks]),
    }


def _melody_steps(river: River, request: Mapping[str, Any]) -> list[Step]:
    return [river.melodies["original" if request.get("original") else CONVERTED]]


def _copied(river: River, entries: Sequence[Entry], out: Path) -> list[Path]:
    """Copy the files of finished steps."""
    files = []
    for entry in entries:
        for name in sorted(entry.meta["files"]):
            copy_file(entry.folder / name, out / name)
            files.append(out / name)
    return files


def _labels_steps(river: River, request: Mapping[str, Any]) -> list[Step]:
    return [river.music]


def _labels(river: River, entries: Sequence[Entry], out: Path) -> list[Path]:
    """Write parts and beats of the song."""
    cover = river.checked.project.cover
    music = told(read_music(entries[0].folder / FILE_NAME), cover)
    files = []
    for what, labels in (("sections", section_labels(music)), ("beats", beat_labels(music))):
        if labels:
            files.append(out / f"{safe_name(f'{cover.title} ({what})')}.txt")
            write_labels(files[-1], labels)
    return files


def _stems_steps(river: River, request: Mapping[str, Any]) -> list[Step]:
    return [river.mix_stems]


def _stems(river: River, entries: Sequence[Entry], out: Path) -> list[Path]:
    """Copy what each channel adds to the mix; what was written of channels that are gone goes.

    With it, the files of the folder would not sum to the mix.
    """
    folder = out / MIX_STEMS_FOLDER
    written = _copied(river, entries, folder)
    facts = [row for entry in entries for row in entry.meta["files"].items()]
    settle(river.checked.project.hidden, folder, {folder / name: one["sha256"] for name, one in facts})
    return written


def _instrumental_steps(river: River, request: Mapping[str, Any]) -> list[Step]:
    return [instrumental_step(river)]


def _instrumental(river: River, entries: Sequence[Entry], out: Path) -> list[Path]:
    return write_instrumental(river, entries[0], out)


def _session_steps(river: River, request: Mapping[str, Any]) -> list[Step]:
    return session_steps(river)


def _reaper(river: River, entries: Sequence[Entry], out: Path) -> list[Path]:
    return write_reaper_session(river, _by_key(river, entries), out)


def _dawproject(river: River, entries: Sequence[Entry], out: Path) -> list[Path]:
    return write_dawproject_session(river, _by_key(river, entries), out)


def _by_key(river: River, entries: Sequence[Entry]) -> dict[str, Entry]:
    return {step.key: entry for step, entry in zip(session_steps(river), entries, strict=True)}


PARTS: Final = {
    "stems": Part(_stems_steps, _stems),
    "reaper": Part(
        _session_steps, _reaper, lambda river, out: refuse_foreign(reaper_file(river, out), reaper.is_ours)
    ),
    "dawproject": Part(
        _session_steps,
        _dawproject,
        lambda river, out: refuse_foreign(dawproject_file(river, out), dawproject.is_ours),
    ),
    "instrumental": Part(_instrumental_steps, _instrumental),
    "melody": Part(_melody_steps, _copied),
    "labels": Part(_labels_steps, _labels),
}
