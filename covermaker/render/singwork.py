"""What the steps of `singing` run; see `work`."""

from __future__ import annotations

import json
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

from covermaker.errors import AudioInputError, CovermakerError
from covermaker.render.steps import NOBODY
from covermaker.render.work import frames_of, network_device, plain
from covermaker.voices.card import CARD_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.convert.settings import ConvertSettings
    from covermaker.graph.events import Event, Listener
    from covermaker.graph.step import Report, Work
    from covermaker.project.document import Convert
    from covermaker.render.singers import Singer, Trainee
    from covermaker.render.steps import Region

# Shares of a training's time that its phases take, for one bar over all of them.
_PHASES = {"clips": 0.02, "features": 0.32, "phrases": 0.03, "index": 0.03, "train": 0.6}


def train(work: Work, *, trainee: Trainee) -> Report:
    """Turn takes into a voice: card.toml and the files it names.

    A training that was stopped is taken up where it stood when this very step had begun it, and begun again when it
    was not, or cannot be: a render has no ``--force``.
    """
    from covermaker.takes.document import takes_hash
    from covermaker.training.asked import OtherRunError
    from covermaker.training.run import train_voice
    from covermaker.voices.card import read_card

    notes: list[str] = []
    ask = partial(
        train_voice,
        trainee.takes_folder,
        profile=trainee.profile,
        device=work.device,
        seed=trainee.seed,
        home=trainee.home,
        asked_by=str(work.seed),
        listener=_phases(work, notes),
    )
    try:
        done = ask(resume=True)
    except OtherRunError:
        done = ask(force=True)
    if takes_hash(trainee.takes_folder) != trainee.takes_sha256:
        raise AudioInputError(
            f"the takes in {trainee.takes_folder} changed during training", hint="render again"
        )
    card = read_card(trainee.home)
    named = [card.weights.file, card.index and card.index.file, card.speaker and card.speaker.embedding]
    for name in [CARD_FILE, *(name for name in named if name)]:
        shutil.copyfile(trainee.home / name, work.folder / name)
    return plain({**done, "voice": card.name, "notes": notes})


def _phases(work: Work, notes: list[str]) -> Listener:
    """Return a listener that passes on what a training tells, in the words of a step: one bar over all its phases.

    The phases come as stages of the step, ``train: features``; `notes` keeps what a person should know.
    """
    from dataclasses import replace

    from covermaker.graph.events import (
        Note,
        StepFailed,
        StepFinished,
        StepProgress,
        StepStarted,
        TrainingProgress,
    )

    starts = {name: sum(list(_PHASES.values())[:index]) for index, name in enumerate(_PHASES)}

    def stage(name: str) -> str:
        return f"train: {'steps' if name == 'train' else name}"

    def within(name: str, fraction: float) -> float:
        return starts[name] + _PHASES[name] * fraction

    def listener(event: Event) -> None:
        match event:
            case StepStarted(name=name) | StepFinished(name=name) | StepFailed(name=name):
                event = replace(event, name=stage(name))
            case StepProgress(name=name, fraction=fraction):
                work.progress(within(name, fraction))
                event = replace(event, name=stage(name))
            case TrainingProgress(fraction=fraction):
                event = replace(event, fraction=round(within("train", fraction), 5))
            case Note(text=text):
                notes.append(text)
        work.tell(event)

    return listener


def high_pass(work: Work, *, order: int) -> Report:
    """Vocal -> vocals.wav, one channel, without rumble."""
    from covermaker.audio.rumble import write_without_rumble

    frames = write_without_rumble(
        work.inputs["vocal"], work.folder / "vocals.wav", order=order, progress=work.progress
    )
    return {"frames": frames}


def content(work: Work, *, encoder: str) -> Report:
    """Vocal -> content.npy."""
    from covermaker.features.content import extract_content

    # CTranslate2 runs on CUDA, on the GPU that is asked for, or on the CPU, nothing else.
    device = network_device(work)
    device = device if device.startswith("cuda") else "cpu"
    found = extract_content(work.inputs["vocal"], encoder=encoder, progress=work.progress, device=device)
    return _save(work, "content.npy", found)


def pitch(work: Work, *, method: str, mending: Mapping[str, Any]) -> Report:
    """Vocal -> f0.npy."""
    from covermaker.features.pitch.estimate import estimate_pitch

    f0_hz = estimate_pitch(
        work.inputs["vocal"], method=method, **mending, progress=work.progress, device=network_device(work)
    )
    voiced = f0_hz > 0
    report = _save(work, "f0.npy", f0_hz)
    return {**report, "voiced_share": round(float(voiced.mean()), 4) if len(f0_hz) else 0.0}


def loudness(work: Work) -> Report:
    """Vocal -> loudness.npy."""
    from covermaker.features.loudness import frame_loudness_db

    return _save(work, "loudness.npy", frame_loudness_db(work.inputs["vocal"], progress=work.progress))


def convert(
    work: Work, *, singer: Singer, settings: Convert, region: Region | None, seed: int | None
) -> Report:
    """Vocal and its features -> converted.wav and report.json."""
    import numpy as np

    from covermaker.convert.convert import convert_vocal

    done = convert_vocal(
        work.inputs["vocal"],
        work.folder / "converted.wav",
        content=np.load(work.inputs["content"], allow_pickle=False),
        f0_hz=np.load(work.inputs["f0"], allow_pickle=False),
        loudness_db=np.load(work.inputs["loudness"], allow_pickle=False),
        voice=singer.open(work.inputs),
        transpose=settings.transpose,
        key_semitones=_key(work) if "key" in work.inputs else None,
        seed=work.seed if seed is None else seed,
        settings=conversion(settings, work.inputs.get("guide")),
        device=network_device(work),
        start_seconds=region.start_seconds if region else 0.0,
        seconds=region.seconds if region else None,
        lead_f0_hz=_curve(work, "lead f0"),
        heard=_curve(work, "heard"),
        progress=work.progress,
    )
    report = plain(done)
    (work.folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return report


def _curve(work: Work, name: str) -> NDArray[np.floating[Any]] | None:
    import numpy as np

    return np.load(work.inputs[name], allow_pickle=False) if name in work.inputs else None


def harmony(work: Work, *, harmony: str, song_key: str | None, settings: Convert) -> Report:
    """Pitch and loudness of the first voice -> f0.npy and heard.npy of the second."""
    import numpy as np

    from covermaker.convert.guide import read_guide
    from covermaker.convert.harmony import in_interval, needs_key, on_guide
    from covermaker.convert.tuning import correct_pitch
    from covermaker.render.music import key_of

    f0_hz = np.load(work.inputs["f0"], allow_pickle=False)
    loudness_db = np.load(work.inputs["loudness"], allow_pickle=False)
    f0_hz = correct_pitch(f0_hz, conversion(settings, work.inputs.get("guide")).pitch_correction).f0_hz
    notes: list[str] = []
    if "melody" in work.inputs:
        done = on_guide(f0_hz, loudness_db, read_guide(work.inputs["melody"]))
    else:
        if song_key is None and needs_key(harmony):
            song_key = key_of(work.inputs["music"], f"the harmony '{harmony}'")
            notes.append(
                f"the harmony is in {song_key}, as the song was heard: write key under [song] if it is not"
            )
        done = in_interval(f0_hz, loudness_db, harmony, song_key)
    np.save(work.folder / "f0.npy", done.f0_hz, allow_pickle=False)
    np.save(work.folder / "heard.npy", done.heard, allow_pickle=False)
    return {"key": song_key, "semitones": round(done.semitones, 2), "moved_notes": done.notes, "notes": notes}


def conversion(settings: Convert, guide: Path | None) -> ConvertSettings:
    """Return a document's settings as the conversion takes them.

    Raises
    ------
    ProjectError
        When a value is refused, for instance an unknown scale.
    """
    from covermaker.convert.settings import ConvertSettings
    from covermaker.convert.tuning import PitchCorrection

    correction = settings.pitch_correction
    return ConvertSettings(
        index_ratio=settings.index_ratio,
        protect=settings.protect,
        formant_semitones=settings.formant_semitones,
        pitch_correction=PitchCorrection(**{**correction.model_dump(), "guide": guide}),
        loudness_mix=settings.loudness_mix,
        singers=dict(settings.singers),
        noise_scale=settings.noise_scale,
        auto_pitch=settings.auto_pitch,
    )


def join(
    work: Work, *, parts: Sequence[Sequence[Any]], crossfade_seconds: float, region: Region | None
) -> Report:
    """Vocals of several singers -> converted.wav."""
    from covermaker.convert.parts import Part, join_parts

    sources = {name: path for name, path in work.inputs.items() if name != "original"}
    if "original" in work.inputs:
        first = next(iter(sources.values()))
        sources["original"] = _like(work.inputs["original"], first, work.folder / ".original.wav", region)
    start = region.start_seconds if region else 0.0
    joined = work.folder / "converted.wav"
    join_parts(
        sources,
        [
            Part(max(0.0, begin - start), end - start, None if name == NOBODY else name)
            for begin, end, name in parts
            if end > start
        ],
        joined,
        default=next(iter(sources)),
        crossfade_seconds=crossfade_seconds,
        progress=work.progress,
    )
    (work.folder / ".original.wav").unlink(missing_ok=True)
    return {"parts": len(parts)}


def fit(work: Work, *, singer: Singer) -> Report:
    """Pitch and the voice that shall sing it -> key.json."""
    import numpy as np

    from covermaker.convert.transpose import fitting_key

    f0_hz = np.load(work.inputs["f0"], allow_pickle=False)
    chosen = {"semitones": fitting_key(f0_hz, singer.open(work.inputs).card.f0)}
    (work.folder / "key.json").write_text(json.dumps(chosen), encoding="utf-8")
    return chosen


def _key(work: Work) -> int:
    """Return by how much the song's key moves, as `fit` chose."""
    return int(json.loads(work.inputs["key"].read_text(encoding="utf-8"))["semitones"])


def key(work: Work, *, semitones: int) -> Report:
    """One track's source -> moved.wav."""
    from covermaker.convert.instrumental import shift_key

    if "key" in work.inputs:
        semitones = _key(work)
    shift_key(work.inputs["source"], work.folder / "moved.wav", semitones=semitones, progress=work.progress)
    return {"semitones": semitones}


def _like(original: Path, other: Path, cut: Path, region: Region | None) -> Path:
    """Return the original vocal as long as a converted one: that of a preview holds only its stretch."""
    from covermaker.audio.files import blocks, probe, wav_writer

    if region is None:
        return original
    info, wanted = probe(original), probe(other)
    start, frames = frames_of(region, info.sample_rate, info.frames)
    if frames != wanted.frames:
        raise CovermakerError(f"the original has {frames} frames in the preview, a voice {wanted.frames}")
    with wav_writer(cut, sample_rate=info.sample_rate, channels=info.channels) as writer:
        for block in blocks(original, start=start, frames=frames):
            writer.write(block)
    return cut


def _save(work: Work, name: str, values: NDArray[np.floating[Any]]) -> Report:
    import numpy as np

    np.save(work.folder / name, values, allow_pickle=False)
    return {"shape": list(values.shape)}
