"""The steps from a recorded voice to a sung one: features, training, conversion, several singers, another key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from covermaker.convert.convert import VERSION as CONVERT_VERSION
from covermaker.convert.instrumental import VERSION as KEY_VERSION
from covermaker.convert.parts import VERSION as PARTS_VERSION
from covermaker.features.content import VERSION as CONTENT_VERSION
from covermaker.features.encoders import content_weights, encoders_of
from covermaker.features.pitch import METHODS
from covermaker.graph.step import From, Outside
from covermaker.render import singwork
from covermaker.render.steps import make_step, region_params, weight_hashes
from covermaker.units import parse_clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.graph.step import Step
    from covermaker.graph.store import Store
    from covermaker.project.document import Convert, Time
    from covermaker.render.singers import Singer, Trainee
    from covermaker.render.steps import Region

LEAD, ORIGINAL, NOBODY = "lead", "original", "nobody"  # what tracks and parts call whom
_KEPT_IN_KEY = ("drums",)  # what has no key


@dataclass(frozen=True)
class Sung:
    """A vocal, sung.

    Attributes
    ----------
    source : From
        What a track plays.
    cut : bool
        It holds only the preview's stretch.
    whole : Step
        The first singer's conversion of all of it.
    features : dict of str to Step
        ``content``, ``pitch`` and ``loudness`` of what was sung.
    """

    source: From
    cut: bool
    whole: Step
    features: dict[str, Step]


def train_step(trainee: Trainee, song_seconds: float) -> Step:
    """Train a voice."""
    minutes = trainee.profile.minutes or trainee.profile.recipe.steps / 300.0
    return make_step(
        "train",
        "train",
        trainee.params(),
        {},
        partial(singwork.train, trainee=trainee),
        weights=weight_hashes(content_weights(trainee.profile.encoder)),
        # The estimate is made by the song's minutes.
        cost=60.0 * minutes / max(1.0, song_seconds / 60.0),
    )


def feature_steps(vocal: From, settings: Convert, encoder: str, *, of: str = "") -> dict[str, Step]:
    """Find out what is sung: words, notes, loudness. `of` names the recording to people, when it is not the song's."""
    inputs = {"vocal": vocal}
    method = METHODS.load(settings.pitch)
    mending = settings.model_dump(include={"repair_octaves", "smooth_frames"}, exclude_defaults=True)
    return {
        "content": make_step(
            f"content{of}",
            "content",
            {
                "encoder": encoder,
                "version": [CONTENT_VERSION, *(one.VERSION for one in encoders_of(encoder))],
            },
            inputs,
            partial(singwork.content, encoder=encoder),
            weights=weight_hashes(content_weights(encoder)),
        ),
        "pitch": make_step(
            f"pitch{of}",
            "pitch",
            {"method": method.NAME, "version": method.VERSION, **mending},
            inputs,
            partial(singwork.pitch, method=settings.pitch, mending=mending),
            weights=weight_hashes(method.WEIGHTS),
        ),
        "loudness": make_step(f"loudness{of}", "loudness", {}, inputs, singwork.loudness),
    }


def convert_step(
    vocal: From,
    features: Mapping[str, Step],
    singer: Singer,
    settings: Convert,
    *,
    guide: Path | None = None,
    region: Region | None = None,
    like: Step | None = None,
    of: str = "",
) -> Step:
    """Sing a vocal with another voice; a region is sung with the noise of the whole, the step `like`."""
    inputs: dict[str, From | Outside] = {
        "vocal": vocal,
        "content": From(features["content"], "content.npy"),
        "f0": From(features["pitch"], "f0.npy"),
        "loudness": From(features["loudness"], "loudness.npy"),
        **singer.inputs(),
    }
    if guide is not None:
        inputs["guide"] = Outside(guide)
    return make_step(
        f"convert{of}" if region is None else f"convert{of} (preview)",
        "convert",
        {"version": CONVERT_VERSION, **_conversion(settings, guide), "region": region_params(region)},
        inputs,
        partial(
            singwork.convert,
            singer=singer,
            settings=settings,
            region=region,
            seed=None if like is None else like.seed,
        ),
        weights=singer.weights(),
    )


def sing(
    vocal: From,
    singers: Mapping[str, Singer],
    settings: Convert,
    *,
    guide: Path | None,
    region: Region | None,
    store: Store | None,
    of: str = "",
    alone: bool = False,
) -> Sung:
    """Sing a vocal: by one singer, or where the document has parts (and not `alone`) by several.

    `singers` are those of the document by name; the first of them sings where no part says otherwise.
    """
    parts = [] if alone else settings.parts
    lead, *others = list(singers) if not alone else list(singers)[:1]
    wanted = [lead, *(name for name in others if any(part.voice == name for part in parts))]
    names = {name: of if name == lead else f"{of}: {name}" for name in wanted}
    features = {name: _features_of(vocal, settings, singers, name, lead, of) for name in wanted}
    wishes = {name: _settings_of(settings, name == LEAD, alone, guide) for name in wanted}
    wholes = {
        name: convert_step(vocal, features[name], singers[name], wishes[name], guide=guide, of=names[name])
        for name in wanted
    }
    cut = region is not None and any(store is None or store.get(step.key) is None for step in wholes.values())
    sung = wholes
    if cut:
        sung = {
            name: convert_step(
                vocal, features[name], singers[name], wishes[name],
                guide=guide, region=region, like=wholes[name], of=names[name],
            )
            for name in wanted
        }  # fmt: skip
    source = From(sung[lead], "converted.wav")
    if parts:
        rows = [[seconds_of(part.start), seconds_of(part.stop), part.voice] for part in parts]
        source = From(_join_step(vocal, sung, rows, settings, region if cut else None, of), "converted.wav")
    return Sung(source, cut, wholes[lead], features[lead])


def key_step(source: From, semitones: int, *, of: str) -> Step:
    """Move what plays along with the vocal to the vocal's new key."""
    return make_step(
        f"key: {of}",
        "key",
        {"version": KEY_VERSION, "semitones": semitones},
        {"source": source},
        partial(singwork.key, semitones=semitones),
    )


def moved_semitones(settings: Convert, stem: str) -> int:
    """Return by how much a stem has to move, -6..5: octaves leave a song in its key."""
    if not settings.move_instrumental or stem in _KEPT_IN_KEY or isinstance(settings.transpose, str):
        return 0
    return (settings.transpose + 6) % 12 - 6


def _settings_of(settings: Convert, lead: bool, alone: bool, guide: Path | None) -> Convert:
    """Return the settings for one of the singers: what is about the lead voice, or its melody, is not for others."""
    changes: dict[str, Any] = {} if lead else {"singers": {}}
    if alone and guide is None and settings.pitch_correction.guide is not None:
        changes["pitch_correction"] = settings.pitch_correction.model_copy(update={"strength": 0.0})
    return settings.model_copy(update=changes)


def _features_of(
    vocal: From, settings: Convert, singers: Mapping[str, Singer], name: str, lead: str, of: str
) -> dict[str, Step]:
    encoder = singers[name].encoder
    other = "" if encoder == singers[lead].encoder else f" ({encoder})"
    return feature_steps(vocal, settings, encoder, of=of + other)


def _conversion(settings: Convert, guide: Path | None) -> dict[str, Any]:
    """Return what decides about the sound of a conversion; what a switch leaves unread stays out."""
    values = settings.model_dump(
        include={"transpose", "protect", "loudness_mix", "index_ratio", "formant_semitones"}
    )
    if settings.singers:
        values["singers"] = dict(settings.singers)
    correction = settings.pitch_correction
    if correction.strength > 0.0:
        unread = {"guide", "scale"} if guide is not None else {"guide", "guide_track"}
        values["pitch_correction"] = correction.model_dump(exclude=unread)
    return values


def _join_step(
    vocal: From,
    sung: Mapping[str, Step],
    rows: list[list[Any]],
    settings: Convert,
    region: Region | None,
    of: str,
) -> Step:
    inputs: dict[str, From | Outside] = {
        f"voice {index}": From(step, "converted.wav") for index, step in enumerate(sung.values())
    }
    if any(row[2] == ORIGINAL for row in rows):
        semitones = moved_semitones(settings, "vocals")
        moved = From(key_step(vocal, semitones, of=f"vocals{of}"), "moved.wav") if semitones else vocal
        inputs["original"] = moved
    # Numbered: a voice's name is for people.
    numbers = {name: f"voice {index}" for index, name in enumerate(sung)}
    parts = [[start, stop, numbers.get(voice, voice)] for start, stop, voice in rows]
    params = {
        "version": PARTS_VERSION,
        "parts": parts,
        "crossfade_seconds": settings.parts_crossfade_seconds,
        "region": region_params(region),
    }
    return make_step(
        f"singers{of}" if region is None else f"singers{of} (preview)",
        "singers",
        params,
        inputs,
        partial(
            singwork.join, parts=parts, crossfade_seconds=settings.parts_crossfade_seconds, region=region
        ),
    )


def seconds_of(time: Time) -> float:
    """Return a moment of the document in seconds."""
    return parse_clock(time) if isinstance(time, str) else float(time)
