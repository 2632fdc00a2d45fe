"""THE LIST: which steps a project consists of, in order.

Song, stems, features, converted vocal, racks, mix, master, export. Nothing is computed here; `work` holds the functions
that the steps run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from covermaker.convert.convert import VERSION as CONVERT_VERSION
from covermaker.disk import file_sha256
from covermaker.effects.rack import rack_params
from covermaker.errors import ProjectError, UsageError, nearest
from covermaker.features.content import ENCODER
from covermaker.features.content import VERSION as CONTENT_VERSION
from covermaker.features.pitch import METHODS
from covermaker.graph.run import in_order
from covermaker.graph.step import From, Outside, Step
from covermaker.render import work
from covermaker.render.checks import CONVERTED, INSTRUMENTAL, Checked, check
from covermaker.units import clock
from covermaker.weights import catalog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.graph.store import Store
    from covermaker.project.document import Convert, Track
    from covermaker.project.load import Project
    from covermaker.render.checks import MakeSeparator
    from covermaker.voices.voice import Voice

# Raised when the glue in `work` changes what a step makes; the rooms' own versions are added where they have one.
VERSIONS = {
    "decode": 1, "vocal": 1, "separate": 1, "content": 1, "pitch": 1, "loudness": 1, "convert": 1,
    "level": 1, "rack": 1, "mix": 1, "master": 1, "export": 1, "stems": 1, "score": 1,
}  # fmt: skip

# The order of the river, and what ``--until`` accepts.
KINDS = tuple(VERSIONS)

# Seconds a minute of song on two cores, for the dry run's estimate; measured, see docs/benchmarks.md.
COSTS = {
    "decode": 0.3, "vocal": 0.3, "separate": 9.0, "content": 4.0, "pitch": 3.0, "loudness": 0.1, "convert": 1.5,
    "level": 0.1, "rack": 0.4, "mix": 0.5, "master": 1.0, "export": 0.8, "stems": 0.5, "score": 12.0,
}  # fmt: skip


@dataclass(frozen=True)
class Region:
    """A stretch of the song, in seconds."""

    start_seconds: float
    seconds: float


@dataclass
class River:
    """A project's steps."""

    checked: Checked
    decode: Step
    separate: Step
    features: dict[str, Step]
    convert: Step
    racks: dict[str, Step]
    mix: Step
    master: Step
    export: Step
    extras: list[Step] = field(default_factory=list)

    def targets(self, until: str | None = None) -> list[Step]:
        """List the steps that a render must end with: the export and the extras, or all steps of one kind."""
        ends = [self.export, *self.extras]
        if until is None:
            return ends
        if until not in KINDS:
            raise UsageError(f"no step is called '{until}'", hint=nearest(until, KINDS))
        found = [step for step in self.steps() if step.kind == until]
        if not found:
            raise UsageError(f"this project has no step '{until}'", hint="see: covermaker status")
        return found

    def steps(self) -> list[Step]:
        """List all steps, upstream first."""
        return in_order([self.export, *self.extras])


def build(
    project: Project, *, region: Region | None = None, score: bool = False, store: Store | None = None
) -> River:
    """Check a project and list its steps.

    Parameters
    ----------
    region : Region, optional
        Only this stretch is converted (unless `store` already holds the whole converted vocal), mixed and mastered.
    score : bool
        Also measure lag, similarity and words.
    """
    checked = check(project)
    cover = project.cover
    if region is not None:
        _refuse_beyond(region, checked.song)
    decode = decode_step(checked.song)
    separate = separate_step(decode, checked.separator)
    features = feature_steps(separate, cover.convert.pitch)
    whole = convert_step(separate, features, checked.voice, cover.convert)
    convert = whole
    if region is not None and (store is None or store.get(whole.key) is None):
        convert = convert_step(separate, features, checked.voice, cover.convert, region, like=whole)
    racks = {
        track.name: _rack_step(track, checked, separate, convert, region, cut=convert is not whole)
        for track in cover.tracks
        if rack_params(checked.racks[track.name])
    }
    mix = _mix_step(checked, decode, separate, convert, racks, region, cut=convert is not whole)
    master = _master_step(checked, mix)
    export = _export_step(checked, master, preview=region is not None)
    extras = []
    if cover.export.stems and region is None:
        extras.append(_stems_step(checked, separate, whole))
    if score and region is None:
        extras.append(_score_step(checked, separate, features, whole))
    return River(checked, decode, separate, features, convert, racks, mix, master, export, extras)


def decode_step(song: Path) -> Step:
    """Decode the song to stereo float32 at the project's rate."""
    return _step("decode", "decode", {}, {"song": Outside(song)}, work.decode)


def vocal_step(vocal: Path) -> Step:
    """Decode a recording that is a vocal already; stands where `separate_step` stands for a song."""
    return _step("decode", "vocal", {}, {"song": Outside(vocal)}, work.vocal)


def separate_step(decode: Step, make: MakeSeparator) -> Step:
    """Separate the song into stems."""
    separator = make("auto")
    return _step(
        "separate",
        "separate",
        {"separator": type(separator).__name__, "version": separator.VERSION, **separator.params()},
        {"song": From(decode, "song.wav")},
        partial(work.separate, make=make),
        weights={f"part {index}": sha256 for index, sha256 in enumerate(separator.weights_used())},
    )


def feature_steps(separate: Step, pitch: str) -> dict[str, Step]:
    """Find out what is sung: words, notes, loudness."""
    vocal = {"vocal": From(separate, "vocals.wav")}
    method = METHODS.load(pitch)
    return {
        "content": _step(
            "content",
            "content",
            {"encoder": ENCODER, "version": CONTENT_VERSION},
            vocal,
            work.content,
            weights=_weights(("whisper-base",)),
        ),
        "pitch": _step(
            "pitch",
            "pitch",
            {"method": method.NAME, "version": method.VERSION},
            vocal,
            partial(work.pitch, method=pitch),
            weights=_weights(method.WEIGHTS),
        ),
        "loudness": _step("loudness", "loudness", {}, vocal, work.loudness),
    }


def convert_step(
    separate: Step,
    features: Mapping[str, Step],
    voice: Voice,
    settings: Convert,
    region: Region | None = None,
    *,
    like: Step | None = None,
) -> Step:
    """Sing the vocal with another voice; a region is sung with the noise of the whole, the step `like`."""
    params: dict[str, Any] = {
        "version": CONVERT_VERSION,
        "transpose": settings.transpose,
        "protect": settings.protect,
        "loudness_mix": settings.loudness_mix,
        "region": _region(region),
    }
    return _step(
        "convert" if region is None else "convert (preview)",
        "convert",
        params,
        {
            "vocal": From(separate, "vocals.wav"),
            "content": From(features["content"], "content.npy"),
            "f0": From(features["pitch"], "f0.npy"),
            "loudness": From(features["loudness"], "loudness.npy"),
        },
        partial(
            work.convert,
            voice=voice,
            settings=settings,
            region=region,
            seed=None if like is None else like.seed,
        ),
        weights={"the voice": voice.fingerprint},
    )


def _rack_step(
    track: Track, checked: Checked, separate: Step, convert: Step, region: Region | None, *, cut: bool
) -> Step:
    source = _source(track, checked, separate, convert)
    # A source that holds only the region already is taken whole.
    span = None if cut and track.source == CONVERTED else region
    settings = checked.racks[track.name]
    inputs = {"source": source}
    if track.rack_lufs != "off":
        # A step of its own: a changed rack must not measure its source again.
        level = _step(f"level: {track.name}", "level", {}, {"source": source}, work.level)
        inputs["level"] = From(level, "level.json")
    return _step(
        f"rack: {track.name}",
        "rack",
        {"rack": rack_params(settings), "rack_lufs": track.rack_lufs, "region": _region(span)},
        inputs,
        partial(work.rack, settings=settings, rack_lufs=track.rack_lufs, region=span),
    )


def _mix_step(
    checked: Checked,
    decode: Step,
    separate: Step,
    convert: Step,
    racks: Mapping[str, Step],
    region: Region | None,
    *,
    cut: bool,
) -> Step:
    cover = checked.project.cover
    inputs: dict[str, From | Outside] = {"length": From(decode, "song.json")}
    tracks = []
    for index, track in enumerate(cover.tracks):
        racked = track.name in racks
        # Inputs are numbered: a track's name is for people and must not enter the key.
        inputs[f"track {index}"] = (
            From(racks[track.name], "racked.wav") if racked else _source(track, checked, separate, convert)
        )
        row = track.model_dump(exclude={"rack", "rack_lufs", "source", "name"})
        tracks.append({**row, "cut": racked or (cut and track.source == CONVERTED)})
    params = {
        "tracks": tracks,
        "buses": [
            {"name": bus.name, "gain_db": bus.gain_db, "rack": rack_params(checked.bus_racks[bus.name])}
            for bus in cover.buses
        ],
        "tail": cover.mix.tail,
        "region": _region(region),
    }
    return _step(
        "mix", "mix", params, inputs, partial(work.mix, tracks=tracks, checked=checked, region=region)
    )


def _master_step(checked: Checked, mix: Step) -> Step:
    settings = checked.project.cover.master
    params = {**settings.model_dump(exclude={"rack"}), "rack": rack_params(checked.master_rack)}
    return _step(
        "master",
        "master",
        params,
        {"mix": From(mix, "mix.wav")},
        partial(work.master, settings=settings, rack=checked.master_rack),
    )


def _export_step(checked: Checked, master: Step, *, preview: bool) -> Step:
    cover = checked.project.cover
    formats = ["wav24"] if preview else list(cover.export.formats)
    name = f"{cover.title} (preview)" if preview else cover.title
    return _step(
        "export",
        "export",
        {"formats": formats, "name": name, "tags": tags(checked)},
        {"master": From(master, "master.wav"), "measured": From(master, "report.json")},
        partial(work.export, formats=formats, name=name, tags=tags(checked)),
    )


def tags(checked: Checked) -> dict[str, str]:
    """Return what is written into the files' tags."""
    cover = checked.project.cover
    rows = {
        "title": cover.title,
        "artist": cover.artist,
        "original_artist": cover.song.artist,
        **voice_tags(checked.voice),
    }
    return {name: text for name, text in rows.items() if text}


def voice_tags(voice: Voice) -> dict[str, str]:
    """Return the tag that says that the voice is artificial, and whose it is."""
    return {"comment": f"AI voice: {voice.card.name} (rights: {voice.card.rights}), made with Covermaker"}


def _stems_step(checked: Checked, separate: Step, convert: Step) -> Step:
    names = checked.stems
    inputs = {name: From(separate, f"{name}.wav") for name in names}
    return _step(
        "stems",
        "stems",
        {"converted_tags": tags(checked)},
        {**inputs, CONVERTED: From(convert, "converted.wav")},
        partial(work.export_stems, converted_tags=tags(checked)),
    )


def _score_step(checked: Checked, separate: Step, features: Mapping[str, Step], convert: Step) -> Step:
    return _step(
        "score",
        "score",
        {"pitch": checked.project.cover.convert.pitch},
        {
            "vocal": From(separate, "vocals.wav"),
            "converted": From(convert, "converted.wav"),
            "conversion": From(convert, "report.json"),
            "f0": From(features["pitch"], "f0.npy"),
        },
        partial(work.score, voice=checked.voice, pitch=checked.project.cover.convert.pitch),
        weights={**_weights((ENCODER, "ge2e-speaker")), **_embedding(checked.voice)},
    )


def _embedding(voice: Voice) -> dict[str, str]:
    """Return the hash of what the converted vocal is compared with; the voice's fingerprint leaves it out."""
    speaker = voice.card.speaker
    return {} if speaker is None else {"speaker embedding": file_sha256(voice.folder / speaker.embedding)}


def _source(track: Track, checked: Checked, separate: Step, convert: Step) -> From:
    if track.source == CONVERTED:
        return From(convert, "converted.wav")
    if track.source == INSTRUMENTAL:
        return From(separate, work.instrumental_file(checked.stems))
    names = checked.stems
    if track.source not in names:
        known = [CONVERTED, INSTRUMENTAL, *names]
        raise ProjectError(
            f"track '{track.name}': source = '{track.source}' is not there", hint=nearest(track.source, known)
        )
    return From(separate, f"{track.source}.wav")


def _step(
    name: str,
    kind: str,
    params: Mapping[str, Any],
    inputs: Mapping[str, From | Outside],
    run: Any,
    *,
    weights: Mapping[str, str] | None = None,
) -> Step:
    return Step(name, kind, VERSIONS[kind], params, inputs, run, weights or {}, COSTS[kind])


def _weights(names: tuple[str, ...]) -> dict[str, str]:
    return {name: catalog.fingerprint(name) for name in names}


def _refuse_beyond(region: Region, song: Path) -> None:
    from covermaker.audio.files import probe

    seconds = probe(song).seconds
    if region.start_seconds >= seconds:
        raise UsageError(
            f"the song ends at {clock(seconds)}, before the preview begins", hint="choose an earlier one"
        )


def _region(region: Region | None) -> list[float] | None:
    return None if region is None else [region.start_seconds, region.seconds]
