"""What the steps of `singing` run; see `work`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from covermaker.errors import AudioInputError, CovermakerError
from covermaker.render.work import frames_of, network_device, plain
from covermaker.voices.card import CARD_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.convert.settings import ConvertSettings
    from covermaker.graph.events import Event
    from covermaker.graph.step import Report, Work
    from covermaker.progress import Progress
    from covermaker.project.document import Convert
    from covermaker.render.singers import Singer, Trainee
    from covermaker.render.steps import Region

# Shares of a training's time that its phases take, for one bar over all of them.
_PHASES = {"clips": 0.02, "features": 0.32, "phrases": 0.03, "index": 0.03, "train": 0.6}
_ASKED_FILE = "asked.json"


def train(work: Work, *, trainee: Trainee) -> Report:
    """Turn takes into a voice: card.toml and the files it names.

    A training that was stopped is taken up where it stood when it was of the very same takes and profile.
    """
    from covermaker.disk import write_text
    from covermaker.takes.document import takes_hash
    from covermaker.training.run import FOLDER, RUN_FILE, train_voice
    from covermaker.voices.card import read_card

    asked = trainee.home / _ASKED_FILE
    same = asked.is_file() and json.loads(asked.read_text(encoding="utf-8")) == work.seed
    running = trainee.home / FOLDER / RUN_FILE
    resume = same and running.is_file() and json.loads(running.read_text("utf-8"))["status"] == "running"
    trainee.home.mkdir(parents=True, exist_ok=True)
    write_text(asked, json.dumps(work.seed))
    notes: list[str] = []
    done = train_voice(
        trainee.takes_folder,
        profile=trainee.profile,
        device=work.device,
        resume=resume,
        force=not resume,
        seed=trainee.seed,
        home=trainee.home,
        listener=_phases(work.progress, notes),
    )
    if takes_hash(trainee.takes_folder) != trainee.takes_sha256:
        raise AudioInputError(
            f"the takes in {trainee.takes_folder} changed during training", hint="render again"
        )
    card = read_card(trainee.home)
    named = [card.weights.file, card.index and card.index.file, card.speaker and card.speaker.embedding]
    for name in [CARD_FILE, *(name for name in named if name)]:
        shutil.copyfile(trainee.home / name, work.folder / name)
    return plain({**done, "voice": card.name, "notes": notes})


def _phases(progress: Progress, notes: list[str]) -> Any:
    """Return a listener that makes one progress of a training's phases, and keeps what a person should know."""
    from covermaker.graph.events import Note, StepProgress

    starts = {name: sum(list(_PHASES.values())[:index]) for index, name in enumerate(_PHASES)}

    def listener(event: Event) -> None:
        if isinstance(event, StepProgress) and event.name in _PHASES:
            progress(starts[event.name] + _PHASES[event.name] * event.fraction)
        elif isinstance(event, Note):
            notes.append(event.text)

    return listener


def content(work: Work, *, encoder: str) -> Report:
    """Vocal -> content.npy."""
    from covermaker.features.content import extract_content

    # CTranslate2 runs on CUDA or on the CPU, nothing else.
    device = "cuda" if network_device(work).startswith("cuda") else "cpu"
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
        seed=work.seed if seed is None else seed,
        settings=conversion(settings, work.inputs.get("guide")),
        device=network_device(work),
        start_seconds=region.start_seconds if region else 0.0,
        seconds=region.seconds if region else None,
        progress=work.progress,
    )
    report = plain(done)
    (work.folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return report


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
    )


def join(
    work: Work, *, parts: Sequence[Sequence[Any]], crossfade_seconds: float, region: Region | None
) -> Report:
    """Vocals of several singers -> converted.wav."""
    from covermaker.convert.parts import Part, join_parts
    from covermaker.render.singing import NOBODY

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


def key(work: Work, *, semitones: int) -> Report:
    """One track's source -> moved.wav."""
    from covermaker.convert.instrumental import shift_key

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
