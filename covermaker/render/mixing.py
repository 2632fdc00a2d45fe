"""The part of the list between what the tracks play and the mix: levels, racks, the desk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.effects.rack import listened_to, rack_params
from covermaker.effects.sync import is_synced
from covermaker.graph.step import From, Outside
from covermaker.render import mixwork, work
from covermaker.render.music import tempo_source
from covermaker.render.naming import number_of
from covermaker.render.patching import strips_of
from covermaker.render.steps import make_step, region_params

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.effects.rack import EffectSettings
    from covermaker.graph.step import Step
    from covermaker.project.document import Track
    from covermaker.render.checks import Checked
    from covermaker.render.steps import Region


@dataclass(frozen=True)
class Played:
    """What a track plays; `cut` when it holds only the preview's stretch."""

    source: From
    cut: bool


@dataclass(frozen=True)
class Tempo:
    """The tempo that synced effects follow: a number, or a file among a step's inputs."""

    bpm: float | None
    inputs: Mapping[str, From]

    def params(self) -> dict[str, Any]:
        """Return what of it belongs into a step's key."""
        return {} if self.bpm is None else {"tempo_bpm": self.bpm}


def tempo_for(racks: Sequence[Sequence[EffectSettings]], checked: Checked, music: Step) -> Tempo:
    """Return the tempo where an effect of these racks follows it; nothing to read otherwise."""
    if not any(is_synced(row.values) for rack in racks for row in rack):
        return Tempo(None, {})
    found = tempo_source(checked.project.cover, music)
    return Tempo(None, {"music": found}) if isinstance(found, From) else Tempo(found, {})


def files_of(racks: Sequence[Sequence[EffectSettings]]) -> dict[str, Outside]:
    """Return the files that effects of these racks read, as inputs: one that changes meanwhile is then told."""
    found = [
        Path(str(row.values[spec.name]))
        for rack in racks
        for row in rack
        for spec in row.specs()
        if spec.file and row.values.get(spec.name) not in spec.choices and not row.bypass
    ]
    return {f"file {number}": Outside(path) for number, path in enumerate(dict.fromkeys(found))}


class RackSteps:
    """The steps of the tracks' racks, each made once, behind those that it listens to."""

    def __init__(
        self, checked: Checked, played: Mapping[str, Played], music: Step, region: Region | None
    ) -> None:
        self._checked, self._played, self._music, self._region = checked, played, music, region
        self._made: dict[str, Step] = {}
        self._levels: dict[str, Step] = {}

    def all(self) -> dict[str, Step]:
        """Return the step of every track whose rack does anything."""
        tracks = self._checked.project.cover.tracks
        return {track.name: self._step(track) for track in tracks if self._params(track)}

    def _params(self, track: Track) -> list[dict[str, Any]]:
        return rack_params(
            self._checked.racks["tracks", track.name], self._checked.lanes.of_rack("tracks", track.name)
        )

    def _step(self, track: Track) -> Step:
        if track.name not in self._made:
            self._made[track.name] = self._new(track)
        return self._made[track.name]

    def _new(self, track: Track) -> Step:
        played = self._played[track.name]
        settings = self._checked.racks["tracks", track.name]
        moves = self._checked.lanes.of_rack("tracks", track.name)
        # A source that holds only the region already is taken whole.
        span = None if played.cut else self._region
        tempo = tempo_for([settings], self._checked, self._music)
        inputs: dict[str, From | Outside] = {"source": played.source, **tempo.inputs, **files_of([settings])}
        if track.rack_lufs != "off":
            inputs["level"] = self._level(track)
        keys: list[mixwork.Key] = []
        for name in listened_to(settings, moves):
            key = self._key(name)
            inputs |= {
                f"key {len(keys)}": key.source,
                f"key {len(keys)} level": self._level(self._track(name)),
            }
            keys.append(mixwork.Key(name, key.cut, self._track(name).rack_lufs))
        params = {
            "rack": rack_params(settings, moves),
            "rack_lufs": track.rack_lufs,
            "region": region_params(span),
            **tempo.params(),
        }
        if keys or moves:
            # What moves and what is listened to are on the song's time, also behind a source that was cut.
            params |= {"begins": region_params(self._region), "keys": [key.params() for key in keys]}
        return make_step(
            f"rack: {track.name}", "rack", params, inputs,
            partial(
                mixwork.rack, settings=settings, rack_lufs=track.rack_lufs, region=span, moves=moves, keys=keys,
                tempo_bpm=tempo.bpm, begins=self._region if played.cut else None,
            ),
        )  # fmt: skip

    def _level(self, track: Track) -> From:
        # A step of its own: a changed rack must not measure its source again.
        if track.name not in self._levels:
            inputs = {"source": self._played[track.name].source}
            self._levels[track.name] = make_step(f"level: {track.name}", "level", {}, inputs, work.level)
        return From(self._levels[track.name], "level.json")

    def _key(self, name: str) -> Played:
        """Return what is heard of a track that is listened to: it is behind its rack, before its fader."""
        track = self._track(name)
        if not self._params(track):
            return self._played[name]
        return Played(From(self._step(track), "racked.wav"), self._region is not None)

    def _track(self, name: str) -> Track:
        return next(track for track in self._checked.project.cover.tracks if track.name == name)


@dataclass(frozen=True)
class Patch:
    """What is mixed: for the step that mixes, and those that hear single channels of the same desk.

    Attributes
    ----------
    inputs, params : mapping
        Of such a step.
    tracks : dict of str to From
        What each track gives from behind its rack.
    setting : mixwork.Setting
        What such a step's function is told.
    """

    inputs: Mapping[str, From | Outside]
    params: Mapping[str, Any]
    tracks: Mapping[str, From]
    setting: mixwork.Setting


def patched(
    checked: Checked,
    decode: Step,
    played: Mapping[str, Played],
    racks: Mapping[str, Step],
    music: Step,
    region: Region | None,
) -> Patch:
    """Say what is mixed."""
    cover = checked.project.cover
    inputs: dict[str, From | Outside] = {"length": From(decode, "song.json")}
    cut = []
    names = {}
    tracks = {}
    for index, track in enumerate(cover.tracks):
        racked = track.name in racks
        # Inputs are numbered: a track's name is for people and must not enter the key.
        names[track.name] = number_of(index)
        source = From(racks[track.name], "racked.wav") if racked else played[track.name].source
        inputs[number_of(index)] = tracks[track.name] = source
        cut.append(racked or played[track.name].cut)
    strips = strips_of(cover, checked.racks, checked.lanes, track_names=names)
    tempo = tempo_for([strip.rack for strip in strips], checked, music)
    params = {
        "strips": [strip.params() for strip in strips],
        "cut": cut,
        "tail": cover.mix.tail,
        "region": region_params(region),
        **tempo.params(),
    }
    setting = mixwork.Setting(strips, cut, cover.mix.tail, region, tempo.bpm)
    inputs |= {**tempo.inputs, **files_of([strip.rack for strip in strips])}
    return Patch(inputs, params, tracks, setting)


def mix_step(patch: Patch) -> Step:
    """Mix the tracks."""
    return make_step("mix", "mix", patch.params, patch.inputs, partial(mixwork.mix, setting=patch.setting))
