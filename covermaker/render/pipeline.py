"""THE LIST: which steps a project consists of, in order.

Song, stems, features, converted vocal, racks, mix, master, export. Nothing is computed here; `work` and `singwork` hold
the functions that the steps run, `singing` the part of the list that lies between a recorded vocal and a sung one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from covermaker.disk import file_sha256
from covermaker.errors import UsageError, nearest
from covermaker.features.content import ENCODER
from covermaker.features.pitch import METHODS
from covermaker.graph.run import in_order
from covermaker.graph.step import From, Outside, Step
from covermaker.project.document import CONVERTED
from covermaker.render import work
from covermaker.render.checks import INSTRUMENTAL, Checked, check
from covermaker.render.finishing import claim_of, export_step, master_step, part_tags, tags
from covermaker.render.finishing import voice_tags as voice_tags
from covermaker.render.melody import melody_step
from covermaker.render.mixing import Patch, Played, RackSteps, mix_step, patched
from covermaker.render.music import key_source, music_step
from covermaker.render.parting import bounces_step, mix_stems_step
from covermaker.render.singers import Singer, learner
from covermaker.render.singing import Second, in_key, sing, train_step
from covermaker.render.steps import KINDS, LEAD, Region, make_step, weight_hashes
from covermaker.units import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from covermaker.export.credentials import Claim
    from covermaker.graph.store import Store
    from covermaker.project.document import Track
    from covermaker.project.load import Project
    from covermaker.render.checks import MakeSeparator
    from covermaker.render.singing import Sung


@dataclass
class River:
    """A project's steps."""

    checked: Checked
    lead: Singer
    decode: Step
    separate: Step
    vocal: Sung
    racks: dict[str, Step]
    mix: Step
    master: Step
    export: Step
    music: Step
    melodies: dict[str, Step]
    patch: Patch
    mix_stems: Step
    bounces: Step
    extras: list[Step] = field(default_factory=list)
    claim: Claim | None = None

    @property
    def singers(self) -> list[Singer]:
        """Who sings: the lead first, then those of tracks and parts."""
        return [self.lead, *self.checked.others.values()]

    def targets(self, until: str | None = None) -> list[Step]:
        """List the steps that a render must end with: the export and the extras, or all steps of one kind.

        The music of the song, the melody, and the stems and bounces of the mix are there to be asked for, also where
        the document does not.
        """
        ends = [self.export, *self.extras]
        if until is None:
            return ends
        if until not in KINDS:
            raise UsageError(f"no step is called '{until}'", hint=nearest(until, KINDS))
        asked = [self.music, self.melodies[CONVERTED], self.mix_stems, self.bounces]
        found = [step for step in self.steps() if step.kind == until]
        found = found or [step for step in asked if step.kind == until]
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
    with project.document.naming():
        return _built(project, region, score, store)


def _built(project: Project, region: Region | None, score: bool, store: Store | None) -> River:
    checked = check(project)
    cover = project.cover
    if region is not None:
        _refuse_beyond(region, checked.song)
    decode = decode_step(checked.song)
    separate = separate_step(decode, checked.separator)
    singers = _singers(checked)
    lead = singers[LEAD]
    music = music_step(decode, cover)
    vocal = sing(
        From(separate, "vocals.wav"), singers, cover.convert, guide=checked.guide, region=region, store=store
    )
    played = {
        track.name: _played(track, checked, separate, vocal, singers, music, region, store)
        for track in cover.tracks
    }
    racks = RackSteps(checked, played, music, region).all()
    patch = patched(checked, decode, played, racks, music, region)
    mix = mix_step(patch)
    master = master_step(checked, mix, music, region)
    claim = claim_of(checked, singers.values()) if region is None else None
    export = export_step(checked, singers.values(), master, claim, preview=region is not None)
    melodies = {
        name: melody_step(cover, vocal, music, guide=checked.guide, original=name == "original")
        for name in (CONVERTED, "original")
    }
    extras = []
    if cover.export.melody and region is None:
        extras.append(melodies[CONVERTED])
    mix_stems = mix_stems_step(checked, patch, mix, singers)
    if cover.export.mix_stems and region is None:
        extras.append(mix_stems)
    if cover.export.stems and region is None:
        extras.append(_stems_step(checked, singers.values(), separate, vocal))
    if score and region is None:
        extras.append(_score_step(checked, lead, separate, vocal))
    return River(
        checked, lead, decode, separate, vocal, racks, mix, master, export, music, melodies, patch, mix_stems,
        bounces_step(patch, mix), extras, claim,
    )  # fmt: skip


def _singers(checked: Checked) -> dict[str, Singer]:
    """Return the project's singers by the names that the document has for them, the lead first."""
    lead = checked.lead
    if lead is None:
        from covermaker.audio.files import probe

        assert checked.trainee is not None
        lead = learner(checked.trainee, train_step(checked.trainee, probe(checked.song).seconds))
    return {LEAD: lead, **checked.others}


def _played(
    track: Track,
    checked: Checked,
    separate: Step,
    vocal: Sung,
    singers: Mapping[str, Singer],
    music: Step,
    region: Region | None,
    store: Store | None,
) -> Played:
    """Return what a track plays: the sung vocal, a stem sung by a voice, or a stem, moved to the vocal's key."""
    settings = checked.project.cover.convert
    if track.harmony is not None:
        song_key = key_source(checked.project.cover, music)
        second = Second(vocal, track.harmony, song_key, checked.harmonies.get(track.name))
        sung = sing(
            From(separate, "vocals.wav"), singers, settings,
            guide=checked.guide, region=region, store=store, key=vocal.key, of=f": {track.name}", second=second,
        )  # fmt: skip
        return Played(sung.source, sung.cut)
    if track.source == CONVERTED:
        return Played(vocal.source, vocal.cut)
    stem = _stem(track, checked, separate)
    if track.voice is not None:
        sung = sing(
            stem, {track.voice: singers[track.voice]}, settings,
            guide=None, region=region, store=store, key=vocal.key, of=f": {track.name}", alone=True,
        )  # fmt: skip
        return Played(sung.source, sung.cut)
    return Played(in_key(stem, settings, track.source, vocal.key), False)


def decode_step(song: Path) -> Step:
    """Decode the song to stereo float32 at the project's rate."""
    return make_step("decode", "decode", {}, {"song": Outside(song)}, work.decode)


def vocal_step(vocal: Path) -> Step:
    """Decode a recording that is a vocal already; stands where `separate_step` stands for a song."""
    return make_step("decode", "vocal", {}, {"song": Outside(vocal)}, work.vocal)


def separate_step(decode: Step, make: MakeSeparator) -> Step:
    """Separate the song into stems."""
    separator = make("auto")
    return make_step(
        "separate",
        "separate",
        {"separator": type(separator).__name__, "version": separator.VERSION, **separator.params()},
        {"song": From(decode, "song.wav")},
        partial(work.separate, make=make),
        weights={f"part {index}": sha256 for index, sha256 in enumerate(separator.weights_used())},
    )


def _stems_step(checked: Checked, singers: Iterable[Singer], separate: Step, vocal: Sung) -> Step:
    inputs = {name: From(separate, f"{name}.wav") for name in checked.stems}
    texts = part_tags(tags(checked, singers))
    return make_step(
        "stems",
        "stems",
        {"converted_tags": texts},
        {**inputs, CONVERTED: vocal.source},
        partial(work.export_stems, converted_tags=texts),
    )


def _score_step(checked: Checked, lead: Singer, separate: Step, vocal: Sung) -> Step:
    from covermaker.evaluate.report import judge_of

    pitch = checked.project.cover.convert.pitch
    judge = METHODS.load(judge_of(pitch)).WEIGHTS
    return make_step(
        "score",
        "score",
        {"pitch": pitch},
        {
            "vocal": From(separate, "vocals.wav"),
            # The lead's alone: where several sing, each would have to be compared with another voice.
            "converted": From(vocal.whole, "converted.wav"),
            "conversion": From(vocal.whole, "report.json"),
            "f0": From(vocal.features["pitch"], "f0.npy"),
            **lead.inputs(),
        },
        partial(work.score, singer=lead, pitch=pitch),
        weights={**weight_hashes((ENCODER, "ge2e-speaker", *judge)), **_embedding(lead)},
    )


def _embedding(singer: Singer) -> dict[str, str]:
    """Return the hash of what the converted vocal is compared with; the voice's fingerprint leaves it out."""
    voice = singer.voice
    speaker = voice and voice.card.speaker
    if not voice or not speaker:
        return {}
    return {"speaker embedding": file_sha256(voice.folder / speaker.embedding)}


def _stem(track: Track, checked: Checked, separate: Step) -> From:
    if track.source == INSTRUMENTAL:
        return From(separate, work.instrumental_file(checked.stems))
    return From(separate, f"{track.source}.wav")


def _refuse_beyond(region: Region, song: Path) -> None:
    from covermaker.audio.files import probe

    seconds = probe(song).seconds
    if region.start_seconds >= seconds:
        raise UsageError(
            f"the song ends at {clock(seconds)}, before the preview begins", hint="choose an earlier one"
        )
