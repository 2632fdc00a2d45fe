"""What the steps between the tracks and the mix run; see `covermaker.render.work`."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from covermaker.effects.sync import is_synced, with_tempo
from covermaker.features.song.music import read_music
from covermaker.render.naming import number_of
from covermaker.render.work import INAUDIBLE_LUFS, frames_of, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from covermaker.effects.automation import Move
    from covermaker.effects.rack import EffectSettings
    from covermaker.graph.step import Report, Work
    from covermaker.mix.ending import Tail
    from covermaker.mix.mixer import Source
    from covermaker.mix.strips import Strip
    from covermaker.render.steps import Region

# What a synced effect is told of the song; see `covermaker.render.music`.
_MUSIC = "music"


@dataclass(frozen=True)
class Key:
    """A track that a rack listens to: its name, whether its file is the stretch alone, at which level it is heard."""

    name: str
    cut: bool
    rack_lufs: float | str

    def params(self) -> dict[str, Any]:
        """Return what of it belongs into a step's key."""
        return {"cut": self.cut, "rack_lufs": self.rack_lufs}


def rack(
    work: Work,
    *,
    settings: Sequence[EffectSettings],
    rack_lufs: float | str,
    region: Region | None,
    moves: Sequence[Move] = (),
    keys: Sequence[Key] = (),
    tempo_bpm: float | None = None,
    begins: Region | None = None,
) -> Report:
    """One track's source -> racked.wav, tail included."""
    from covermaker.audio.files import probe
    from covermaker.effects.rack_file import KeyFile, render_rack

    source = work.inputs["source"]
    info = probe(source)
    start, frames = frames_of(region, info.sample_rate, info.frames)
    offset = 0 if begins is None else round(begins.start_seconds * info.sample_rate)
    level_db = louder_db(rack_lufs, work.inputs.get("level"))
    listened = {
        key.name: KeyFile(
            work.inputs[f"key {number}"],
            offset + start if key.cut else 0,
            louder_db(key.rack_lufs, work.inputs[f"key {number} level"]),
        )
        for number, key in enumerate(keys)
    }
    played, notes = in_time(settings, work, tempo_bpm)
    done = render_rack(
        source,
        work.folder / "racked.wav",
        played,
        sample_rate=info.sample_rate,
        channels=2,
        start=start,
        frames=frames,
        level_db=level_db,
        moves=moves,
        keys=listened,
        offset=offset,
        progress=work.progress,
    )
    return {**plain(done), "level_db": level_db, "notes": [*done.notes, *notes]}


@dataclass(frozen=True)
class Setting:
    """What a desk is set to.

    Attributes
    ----------
    strips : sequence of Strip
        Its tracks are called as their inputs are.
    cut : sequence of bool
        Which tracks' files hold the stretch alone.
    """

    strips: Sequence[Strip]
    cut: Sequence[bool]
    tail: Tail
    region: Region | None
    tempo_bpm: float | None = None

    def strips_in_time(self, work: Work) -> tuple[list[Strip], list[str]]:
        """Return the strips, their synced effects with the song's tempo, and notes; see `in_time`."""
        strips, notes = [], []
        for strip in self.strips:
            rack, told = in_time(strip.rack, work, self.tempo_bpm)
            strips.append(replace(strip, rack=rack))
            notes += told
        return strips, list(dict.fromkeys(notes))

    def span(self, work: Work) -> tuple[int, int, int]:
        """Return the rate, and first frame and number of frames of what is mixed."""
        length = json.loads(work.inputs["length"].read_text(encoding="utf-8"))
        rate = length["sample_rate"]
        return rate, *frames_of(self.region, rate, length["frames"])

    def sources(self, work: Work, start: int) -> dict[str, Source]:
        """Return what the tracks play."""
        from covermaker.mix.mixer import Source

        return {
            number_of(index): Source(work.inputs[number_of(index)], start if alone else 0)
            for index, alone in enumerate(self.cut)
        }


def mix(work: Work, *, setting: Setting) -> Report:
    """Tracks, groups and buses -> mix.wav."""
    from covermaker.mix.mixer import mix_tracks

    rate, start, frames = setting.span(work)
    strips, notes = setting.strips_in_time(work)
    done = mix_tracks(
        strips,
        setting.sources(work, start),
        work.folder / "mix.wav",
        sample_rate=rate,
        frames=frames,
        start=start,
        tail=setting.tail,
        progress=work.progress,
    )
    report = plain(done)
    if setting.region is not None:
        # A stretch never ends in silence, so this says nothing.
        report["notes"] = [note for note in report["notes"] if "fade" not in note]
    report["notes"] += notes
    return report


def in_time(
    settings: Sequence[EffectSettings], work: Work, tempo_bpm: float | None
) -> tuple[tuple[EffectSettings, ...], list[str]]:
    """Return a rack whose synced effects have the song's tempo, and notes: without one they keep their own time."""
    followers = [row.effect for row in settings if is_synced(row.values)]
    if not followers:
        return tuple(settings), []
    bpm = read_music(work.inputs[_MUSIC]).tempo_bpm if tempo_bpm is None else tempo_bpm
    if bpm is None:
        return tuple(settings), [
            f"no tempo was found in the song: {', '.join(dict.fromkeys(followers))} at its own time (write tempo_bpm "
            "under [song])"
        ]
    return synced(settings, bpm), []


def synced(settings: Sequence[EffectSettings], tempo_bpm: float) -> tuple[EffectSettings, ...]:
    """Return a rack whose synced effects have this tempo."""
    return tuple(replace(row, values=with_tempo(row.values, tempo_bpm)) for row in settings)


def louder_db(rack_lufs: float | str, level: Path | None) -> float:
    """Return how much louder than it is a rack hears its source; `level` is what `work.level` wrote of it."""
    if isinstance(rack_lufs, str) or level is None:
        return 0.0
    found = json.loads(level.read_text(encoding="utf-8"))["integrated_lufs"]
    return 0.0 if found is None or found < INAUDIBLE_LUFS else round(rack_lufs - found, 2)
