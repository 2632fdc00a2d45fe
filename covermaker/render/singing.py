"""The steps from a recorded voice to a sung one: features, training, conversion, several singers, another key."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from covermaker.convert.convert import VERSION as CONVERT_VERSION
from covermaker.convert.harmony import VERSION as HARMONY_VERSION
from covermaker.convert.harmony import needs_key
from covermaker.convert.instrumental import VERSION as KEY_VERSION
from covermaker.convert.parts import VERSION as PARTS_VERSION
from covermaker.errors import WeightsError
from covermaker.features.content import VERSION as CONTENT_VERSION
from covermaker.features.encoders import content_weights, encoders_of
from covermaker.features.pitch import METHODS, versions_of
from covermaker.graph.step import From, Outside
from covermaker.render import singwork, work
from covermaker.render.singers import heard_settings
from covermaker.render.steps import LEAD, NOBODY, ORIGINAL, make_step, region_params, weight_hashes
from covermaker.stems import SEPARATORS
from covermaker.takes.working import SEPARATOR
from covermaker.units import parse_clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from covermaker.graph.step import Step
    from covermaker.graph.store import Store
    from covermaker.project.document import Convert, Time
    from covermaker.render.singers import Singer, Trainee
    from covermaker.render.steps import Region

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
    key : From or None
        By how much the song's key moves, where the pitch decides about it.
    features : dict of str to Step
        ``content``, ``pitch`` and ``loudness`` of what was sung; of a second voice ``lead`` too, the first one's
        pitch.
    by_singer : mapping of str to dict of str to Step
        The same of every singer, as `Second` takes them.
    """

    source: From
    cut: bool
    whole: Step
    features: dict[str, Step]
    key: From | None = None
    by_singer: Mapping[str, dict[str, Step]] = field(default_factory=dict)


@dataclass(frozen=True)
class Second:
    """A second voice.

    Attributes
    ----------
    first : Sung
        What it goes along with.
    harmony : str
        An interval of `convert.harmony`, or what the document calls a MIDI file.
    song_key : str or From
        The song's key, or what finds it.
    melody : Path or None
        The MIDI file.
    """

    first: Sung
    harmony: str
    song_key: str | From
    melody: Path | None = None


def train_step(trainee: Trainee, song_seconds: float) -> Step:
    """Train a voice."""
    minutes = trainee.profile.minutes or trainee.profile.recipe.steps / 300.0
    return make_step(
        "train",
        "train",
        trainee.params(),
        {},
        partial(singwork.train, trainee=trainee),
        weights=weight_hashes(trainee.weights()),
        # The estimate is made by the song's minutes.
        cost=60.0 * minutes / max(1.0, song_seconds / 60.0),
    )


def heard(vocal: From, singer: Singer, *, of: str = "") -> From:
    """Return the recording as a voice hears it."""
    order = singer.high_pass_order
    if order is None:
        return vocal
    step = make_step(
        f"high-pass{of}",
        "high-pass",
        {"order": order},
        {"vocal": vocal},
        partial(singwork.high_pass, order=order),
    )
    return From(step, "vocals.wav")


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
            {"method": method.NAME, "version": versions_of(settings.pitch), **mending},
            inputs,
            partial(singwork.pitch, method=settings.pitch, mending=mending),
            weights=weight_hashes(method.WEIGHTS),
        ),
        "loudness": make_step(f"loudness{of}", "loudness", {}, inputs, singwork.loudness),
    }


def listen_step(vocal: From, loudness: Step) -> list[Step]:
    """Hear whether a recording is a lone vocal; nothing where there is no separator to ask."""
    try:
        weights = SEPARATORS.load(SEPARATOR)(device="cpu").weights_used()
    except WeightsError:
        return []
    return [
        make_step(
            "listen",
            "listen",
            {},
            {"vocal": vocal, "loudness": From(loudness, "loudness.npy")},
            work.listen,
            weights={f"part {index}": sha256 for index, sha256 in enumerate(weights)},
        )
    ]


def convert_step(
    vocal: From,
    features: Mapping[str, Step],
    singer: Singer,
    settings: Convert,
    *,
    guide: Path | None = None,
    key: From | None = None,
    region: Region | None = None,
    like: Step | None = None,
    of: str = "",
) -> Step:
    """Sing a vocal with another voice; a region is sung with the noise of the whole, the step `like`."""
    settings = heard_settings(singer, settings)
    inputs: dict[str, From | Outside] = {
        "vocal": vocal,
        "content": From(features["content"], "content.npy"),
        "f0": From(features["pitch"], "f0.npy"),
        "loudness": From(features["loudness"], "loudness.npy"),
        **singer.inputs(),
    }
    if "lead" in features:
        inputs["lead f0"] = From(features["lead"], "f0.npy")
        inputs["heard"] = From(features["pitch"], "heard.npy")
    if guide is not None:
        inputs["guide"] = Outside(guide)
    if key is not None:
        inputs["key"] = key
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
        cost=singer.conversion_cost,
    )


def sing(
    vocal: From,
    singers: Mapping[str, Singer],
    settings: Convert,
    *,
    guide: Path | None,
    region: Region | None,
    store: Store | None,
    key: From | None = None,
    of: str = "",
    alone: bool = False,
    second: Second | None = None,
) -> Sung:
    """Sing a vocal: by one singer, or where the document has parts (and not `alone`) by several.

    With `second` it is sung once more, on another melody. `singers` are those of the document by name; the first of
    them sings where no part says otherwise. With ``transpose = "fit"`` all follow the `key`; without one, the first of
    them chooses it.
    """
    parts = [] if alone else settings.parts
    lead, *others = list(singers) if not alone else list(singers)[:1]
    wanted = [lead, *(name for name in others if any(part.voice == name for part in parts))]
    names = {name: of if name == lead else f"{of}: {name}" for name in wanted}
    sources = {name: heard(vocal, singers[name], of=of) for name in wanted}
    features = dict(second.first.by_singer) if second is not None else {}
    features = features or {
        name: feature_steps(
            sources[name], settings, singers[name].encoder, of=of + _unlike(singers[name], singers[lead])
        )
        for name in wanted
    }
    if key is None and settings.transpose == "fit":
        key = From(_fit_step(features[lead]["pitch"], singers[lead], of=of), "key.json")
    wishes = {name: _settings_of(settings, name == LEAD, alone, guide) for name in wanted}
    if second is not None:
        # Corrected first: it goes along with what the first voice sings.
        features = {
            name: _second_features(found, settings, guide, second, of) for name, found in features.items()
        }
        wishes = {name: _uncorrected(wish) for name, wish in wishes.items()}
        guide = None
    wholes = {
        name: convert_step(
            sources[name], features[name], singers[name], wishes[name], guide=guide, key=key, of=names[name]
        )
        for name in wanted
    }
    cut = region is not None and any(store is None or store.get(step.key) is None for step in wholes.values())
    sung = wholes
    if cut:
        sung = {
            name: convert_step(
                sources[name], features[name], singers[name], wishes[name],
                guide=guide, key=key, region=region, like=wholes[name], of=names[name],
            )
            for name in wanted
        }  # fmt: skip
    source = From(sung[lead], "converted.wav")
    if parts:
        rows = [[seconds_of(part.start), seconds_of(part.stop), part.voice] for part in parts]
        if second is not None:  # the song's own singer has no second voice
            rows = [[start, stop, NOBODY if who == ORIGINAL else who] for start, stop, who in rows]
        joined = _join_step(vocal, sung, rows, settings, key, region if cut else None, of)
        source = From(joined, "converted.wav")
    return Sung(source, cut, wholes[lead], features[lead], key, features)


def _second_features(
    features: dict[str, Step], settings: Convert, guide: Path | None, second: Second, of: str
) -> dict[str, Step]:
    """Return the features of a second voice: the first one's, and another melody."""
    inputs: dict[str, From | Outside] = {
        "f0": From(features["pitch"], "f0.npy"),
        "loudness": From(features["loudness"], "loudness.npy"),
    }
    params: dict[str, Any] = {"version": HARMONY_VERSION, **_correction(settings, guide)}
    if guide is not None:
        inputs["guide"] = Outside(guide)
    if second.melody is not None:
        inputs["melody"] = Outside(second.melody)
    else:
        params["harmony"] = second.harmony
        if needs_key(second.harmony):
            if isinstance(second.song_key, From):
                inputs["music"] = second.song_key
            else:
                params["key"] = second.song_key
    step = make_step(
        f"harmony{of}",
        "harmony",
        params,
        inputs,
        partial(
            singwork.harmony,
            harmony=second.harmony,
            song_key=None if isinstance(second.song_key, From) else second.song_key,
            settings=settings,
        ),
    )
    return {**features, "pitch": step, "lead": features["pitch"]}


def _uncorrected(settings: Convert) -> Convert:
    correction = settings.pitch_correction.model_copy(update={"strength": 0.0})
    return settings.model_copy(update={"pitch_correction": correction})


def _fit_step(pitch: Step, singer: Singer, *, of: str) -> Step:
    """Choose the key that suits a voice; a step of its own, since the instrumental waits for nothing else."""
    return make_step(
        f"fit{of}",
        "fit",
        {"version": CONVERT_VERSION},
        {"f0": From(pitch, "f0.npy"), **singer.inputs()},
        partial(singwork.fit, singer=singer),
        weights=singer.weights(),
    )


def in_key(source: From, settings: Convert, stem: str, key: From | None) -> From:
    """Return what plays along with the vocal, in the vocal's new key."""
    semitones = moved_semitones(settings, stem)
    if not semitones and (key is None or not _moves(settings, stem)):
        return source
    inputs: dict[str, From | Outside] = {"source": source}
    if key is not None:
        inputs["key"] = key
    step = make_step(
        f"key: {stem}",
        "key",
        {"version": KEY_VERSION, "semitones": "fit" if key is not None else semitones},
        inputs,
        partial(singwork.key, semitones=semitones),
    )
    return From(step, "moved.wav")


def moved_semitones(settings: Convert, stem: str) -> int:
    """Return by how much the document moves a stem, -6..5: octaves leave a song in its key."""
    if not _moves(settings, stem) or isinstance(settings.transpose, str):
        return 0
    return (settings.transpose + 6) % 12 - 6


def _moves(settings: Convert, stem: str) -> bool:
    return settings.move_instrumental and stem not in _KEPT_IN_KEY


def _settings_of(settings: Convert, lead: bool, alone: bool, guide: Path | None) -> Convert:
    """Return the settings for one of the singers: what is about the lead voice, or its melody, is not for others."""
    changes: dict[str, Any] = {} if lead else {"singers": {}, "auto_pitch": False}
    if alone and guide is None and settings.pitch_correction.guide is not None:
        changes["pitch_correction"] = settings.pitch_correction.model_copy(update={"strength": 0.0})
    return settings.model_copy(update=changes)


def _unlike(singer: Singer, lead: Singer) -> str:
    """Name what a singer hears, where it is not what the first one hears."""
    if singer.high_pass_order != lead.high_pass_order:
        return f" ({singer.name})"
    return "" if singer.encoder == lead.encoder else f" ({singer.encoder})"


def _conversion(settings: Convert, guide: Path | None) -> dict[str, Any]:
    """Return what decides about the sound of a conversion; what a switch leaves unread stays out."""
    values = settings.model_dump(
        include={"transpose", "protect", "loudness_mix", "index_ratio", "formant_semitones"}
    )
    # Younger than the projects whose keys are to stay.
    values |= settings.model_dump(include={"singers", "noise_scale", "auto_pitch"}, exclude_defaults=True)
    return {**values, **_correction(settings, guide)}


def _correction(settings: Convert, guide: Path | None) -> dict[str, Any]:
    """Return what decides about the pitch correction; nothing where there is none."""
    correction = settings.pitch_correction
    if correction.strength == 0.0:
        return {}
    unread = {"guide", "scale"} if guide is not None else {"guide", "guide_track"}
    return {"pitch_correction": correction.model_dump(exclude=unread)}


def _join_step(
    vocal: From,
    sung: Mapping[str, Step],
    rows: list[list[Any]],
    settings: Convert,
    key: From | None,
    region: Region | None,
    of: str,
) -> Step:
    inputs: dict[str, From | Outside] = {
        f"voice {index}": From(step, "converted.wav") for index, step in enumerate(sung.values())
    }
    if any(row[2] == ORIGINAL for row in rows):
        inputs["original"] = in_key(vocal, settings, f"vocals{of}", key)
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
