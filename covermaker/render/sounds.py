"""Where the sounds of a project lie once it was rendered: what a person hears, compares and mixes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from covermaker.graph.step import From
from covermaker.project.document import CONVERTED
from covermaker.render.naming import number_of
from covermaker.render.pipeline import build

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.graph.step import Outside, Step
    from covermaker.graph.store import Store
    from covermaker.project.load import Project
    from covermaker.render.pipeline import River


@dataclass(frozen=True, slots=True)
class TrackSound:
    """One track: what its rack reads, what came out of it at the last render, and the source's loudness."""

    source: Path | None
    racked: Path | None
    source_lufs: float | None


@dataclass(frozen=True, slots=True)
class Sounds:
    """Files of the store; None for what is not made yet.

    Attributes
    ----------
    song, vocal, converted, master : Path or None
        Audio files of the whole song.
    pitch : Path or None
        float array (frames,) in Hz of `vocal`, 100 frames a second, 0 where nothing is sung.
    semitones : float
        How much higher `converted` is sung.
    tracks : dict of str to TrackSound
        By name, in the mixer's order.
    music : Step or None
        What finds the song's tempo, made or not.
    """

    song: Path | None
    vocal: Path | None
    converted: Path | None
    master: Path | None
    pitch: Path | None
    semitones: float
    tracks: dict[str, TrackSound]
    music: Step | None = None


def find_sounds(project: Project, store: Store) -> Sounds:
    """Look for the sounds of a project as its document is now.

    Raises
    ------
    CovermakerError
        When the project cannot be rendered as it is.
    """
    river = build(project, store=store)
    tracks = {
        track.name: _track(river, index, track.name, store)
        for index, track in enumerate(project.cover.tracks)
    }
    sung = (
        tracks[track.name].source
        for track in project.cover.tracks
        if track.source == CONVERTED and track.harmony is None
    )
    steps = {step.kind: step for step in reversed(river.steps())}
    return Sounds(
        song=_file(From(river.decode, "song.wav"), store),
        vocal=_file(From(river.separate, "vocals.wav"), store),
        converted=next(sung, None),
        master=_file(From(river.master, "master.wav"), store),
        pitch=_file(From(steps["pitch"], "f0.npy"), store) if "pitch" in steps else None,
        semitones=_semitones(_file(From(steps["convert"], "report.json"), store))
        if "convert" in steps
        else 0.0,
        tracks=tracks,
        music=river.music,
    )


def _track(river: River, index: int, name: str, store: Store) -> TrackSound:
    mixed, step = river.mix.inputs[number_of(index)], river.racks.get(name)
    if step is None:
        found = _file(mixed, store)
        return TrackSound(found, found, None)
    level = step.inputs.get("level")
    file = _file(level, store) if level is not None else None
    lufs = json.loads(file.read_text(encoding="utf-8"))["integrated_lufs"] if file else None
    return TrackSound(_file(step.inputs["source"], store), _file(mixed, store), lufs)


def _file(source: From | Outside, store: Store) -> Path | None:
    if not isinstance(source, From):
        return source.path
    entry = store.get(source.step.key)
    path = entry.folder / source.file if entry else None
    return path if path is not None and path.is_file() else None


def _semitones(report: Path | None) -> float:
    return float(json.loads(report.read_text(encoding="utf-8"))["semitones"]) if report else 0.0
