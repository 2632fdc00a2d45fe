"""From takes to a voice: THE LIST of what a training does, in order.

The voice's folder gets ``training/``: ``clips/``, ``examples/`` (kept by content), ``heldout/`` (the test phrases),
``checkpoints/``, ``history.jsonl``, ``scores.json``, ``run.json`` (what the run was asked for). A run that was stopped
is taken up by `resume` at its last checkpoint.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import disk_errors, file_sha256, write_text
from covermaker.errors import AudioInputError, CovermakerError, UsageError
from covermaker.features.encoders import content_fingerprint
from covermaker.graph.events import Note, StepFailed, StepFinished, StepProgress, StepStarted, nobody
from covermaker.progress import Progress, part, silent
from covermaker.takes.document import read_takes
from covermaker.training import material
from covermaker.training.gather import Making, forget, gather
from covermaker.training.heldout import read_phrases, split_off, write_phrases
from covermaker.training.install import Identity
from covermaker.training.profiles import Profile, load_profile
from covermaker.voices.card import CARD_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from covermaker.graph.events import Listener
    from covermaker.takes.document import Takes
    from covermaker.training.dataset import Dataset
    from covermaker.training.material import Piece, Source

FOLDER = "training"
RUN_FILE = "run.json"
VERSION = 1
_FEATURES_SHARE = 0.33  # of a wall-clock budget
_LEAST_TRAINING_SHARE = 0.35
_LAST_SECONDS = 20.0  # for the last score and writing
_LEAST_MADE_MINUTES = 3.0
_TOLD = ("silent", "no voice", "other singer", "two singers", "clipped", "inverted", "noisy")


@dataclass(frozen=True)
class Prepared:
    """Everything that training needs to know of the takes."""

    takes: Takes
    sources: list[Source]
    sample_rate: int
    median_hz: float
    singers: list[str]


def train_voice(
    folder: Path,
    *,
    profile: str | Profile = "quick",
    minutes: float | None = None,
    steps: int | None = None,
    device: str = "auto",
    resume: bool = False,
    force: bool = False,
    threads: int | None = None,
    encoder: str | None = None,
    seed: int = 1,
    home: Path | None = None,
    listener: Listener = nobody,
) -> dict[str, Any]:
    """Train a voice from the takes of a folder.

    Parameters
    ----------
    folder : Path
        With ``takes.toml``.
    profile : str or Profile
        ``quick``, ``studio`` or ``custom``.
    minutes : float, optional
        Wall-clock budget of everything, in place of the profile's.
    steps : int, optional
        A fixed number of steps, in place of any budget: repeats to the bit on the same machine.
    device : str
        As `weights.device.pick_device` takes it.
    resume : bool
        Take up the run that was stopped.
    force : bool
        Begin again although the folder holds a trained voice or a run that was stopped.
    threads : int, optional
        Processes for features and threads for training; all cores by default.
    encoder : str, optional
        What reads the content, in place of the profile's.
    seed : int
    home : Path, optional
        Where the voice and ``training/`` go; by default `folder`.
    listener : callable
        Told what happens.

    Returns
    -------
    dict
        ``voice`` (the folder), ``step`` (the chosen checkpoint), ``steps``, ``scores``, ``minutes``, ``phases``.

    Raises
    ------
    ProjectError
        When there are no takes, or their document is refused, for instance without a rights line.
    UsageError
        When something is asked for that does not exist, or the voice is already trained.
    AudioInputError
        When the takes hold too little voice.
    WeightsError
        When the encoder's weights are missing.
    AstrayError
        When the loss stops being a number; the last good checkpoint and the best voice so far stay.
    """
    clock = Clock(listener)
    home = home or folder
    work = home / FOLDER
    takes = read_takes(folder)
    wanted = (
        profile
        if isinstance(profile, Profile)
        else load_profile(profile, folder, minutes=minutes, steps=steps)
    )
    if encoder is not None:
        wanted = replace(wanted, encoder=encoder)
    run = _begin(home, wanted, seed, resume=resume, force=force)
    wanted, seed = Profile.from_dict(run["profile"]), int(run["seed"])
    if resume and minutes is not None:
        wanted = replace(wanted, minutes=minutes)
    if resume and encoder is not None and encoder != wanted.encoder:
        raise UsageError(
            f"the training was begun with the encoder '{wanted.encoder}'",
            hint="leave --encoder out, or begin again with --force",
        )
    if resume and steps is not None:
        wanted = replace(wanted, minutes=None, recipe=replace(wanted.recipe, steps=steps))
    encoder_sha256 = content_fingerprint(wanted.encoder)
    # Torch comes after everything that can be refused without it.
    from covermaker.training.steps import run_training
    from covermaker.weights.device import pick_device, torch_ready

    torch = torch_ready()
    where = pick_device(device)
    workers = threads or len(os.sched_getaffinity(0))

    with clock.phase("clips") as told:
        ready = prepare(folder, takes, work, progress=part(told, 0.0, 0.7))
        for doubt in doubts(folder, progress=part(told, 0.7, 1.0)):
            clock.note(doubt)
    trained, held = split_off(ready.sources, wanted.heldout_seconds, seed)
    making = Making(
        wanted.augmentation, ready.sample_rate, seed, ready.median_hz, wanted.encoder, encoder_sha256
    )
    with clock.phase("features") as told:
        dataset, made_minutes = _examples(trained, wanted, making, work, run, clock, workers, told)
    run |= {"made_minutes": made_minutes, "data_sha256": dataset.fingerprint()}
    _check_same(run, work)
    write_text(work / RUN_FILE, json.dumps(run, indent=1))
    torch.set_num_threads(workers)
    with clock.phase("phrases") as told:
        write_phrases(
            held, work / "heldout", sample_rate=ready.sample_rate, median_hz=ready.median_hz, seed=seed
        )
        language = takes.languages[0] if takes.languages else None
        phrases = read_phrases(
            work / "heldout", encoder=wanted.encoder, language=language, device=where, progress=told
        )
    return run_training(
        home, work, ready, wanted, dataset, phrases,
        identity=Identity(takes.name, takes.rights, takes.statement, list(takes.languages), created=None),
        encoder_sha256=encoder_sha256, seconds=_training_seconds(wanted, clock), device=where, resume=resume,
        seed=seed, clock=clock, run=run,
    )  # fmt: skip


class Clock:
    """Tells the listener what begins and ends, and keeps how long it took."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.started = time.monotonic()
        self.phases: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.started

    def phase(self, name: str) -> _Phase:
        """Return a context that stands for a phase and gives its progress function."""
        return _Phase(self, name)

    def note(self, text: str) -> None:
        """Tell something a person should know."""
        self.listener(Note(text))


class _Phase:
    def __init__(self, clock: Clock, name: str) -> None:
        self.clock, self.name = clock, name

    def __enter__(self) -> Progress:
        self.started = time.monotonic()
        self.clock.listener(StepStarted(self.name, ""))
        return lambda fraction: self.clock.listener(StepProgress(self.name, fraction))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        seconds = time.monotonic() - self.started
        self.clock.phases[self.name] = round(seconds, 2)
        if error is None:
            self.clock.listener(StepFinished(self.name, "", seconds))
        elif isinstance(error, CovermakerError):
            self.clock.listener(StepFailed(self.name, error.message))


def prepare(folder: Path, takes: Takes, work: Path, *, progress: Progress = silent) -> Prepared:
    """Cut the takes into clips and find out what they are: rate, usual pitch, whose they are."""
    from covermaker.takes.clips import prepare_clips

    place = work / "clips"
    clips = prepare_clips(folder, place, progress=part(progress, 0.0, 0.9))
    current = {clip.path.name for clip in clips}
    for file in place.glob("*.wav"):
        if file.name not in current:
            file.unlink()
    singer_of = {row.file: row.singer or takes.name for row in takes.used}
    singers = sorted({singer_of[clip.take] for clip in clips})
    sources = [
        material.Source(clip.path, file_sha256(clip.path), clip.seconds, singers.index(singer_of[clip.take]))
        for clip in clips
    ]
    rate = material.voice_rate([clip.band_limit_hz for clip in clips], [clip.seconds for clip in clips])
    median_hz = _median_hz(sources)
    progress(1.0)
    return Prepared(takes, sources, rate, median_hz, singers)


def doubts(folder: Path, *, progress: Progress = silent) -> list[str]:
    """Return what speaks against the takes that are used, a sentence each; none of it stops a training."""
    from covermaker.takes.scan import scan

    found = scan(folder, bleed=False, progress=progress)
    return [
        f"{take.take}: {finding.text}; {finding.advice}"
        for take in found.takes
        if take.used
        for finding in take.findings
        if finding.word in _TOLD
    ]


def _median_hz(sources: Sequence[Source]) -> float:
    """Return the usual pitch of at most two minutes of clips spread over the takes."""
    from covermaker.training.augment import Voice

    voiced = []
    step = max(1, sum(source.seconds for source in sources) // 120)
    for source in sources[:: int(step)]:
        f0_hz = Voice.pitch_of(material.read_cut(source.path, 16_000, 0.0, min(source.seconds, 15.0)), 16_000)
        voiced.append(f0_hz[f0_hz > 0])
    found = np.concatenate(voiced)
    if not len(found):
        raise AudioInputError("the takes hold no pitch: nobody sings in them", hint="covermaker voices scan")
    # To the semitone: one take more or less should not make every example anew.
    semitones = round(12.0 * float(np.log2(np.median(found) / 440.0)))
    return round(float(440.0 * 2.0 ** (semitones / 12.0)), 2)


def _begin(home: Path, profile: Profile, seed: int, *, resume: bool, force: bool) -> dict[str, Any]:
    """Decide whether to begin or to go on; returns what the run was asked for."""
    work = home / FOLDER
    run_file = work / RUN_FILE
    if resume:
        if not run_file.exists():
            raise UsageError(f"there is no training to take up in {home}", hint="leave --resume out")
        run: dict[str, Any] = json.loads(run_file.read_text(encoding="utf-8"))
        return run
    if not force:
        if run_file.exists() and json.loads(run_file.read_text(encoding="utf-8"))["status"] != "finished":
            raise UsageError(
                f"a training of '{home.name}' was stopped before its end",
                hint="--resume takes it up, --force begins again",
            )
        if (home / CARD_FILE).exists():
            raise UsageError(f"'{home.name}' is trained already", hint="--force trains it again")
    for name in ("checkpoints", "candidate", "auditions", "heldout"):
        shutil.rmtree(work / name, ignore_errors=True)
    for name in ("history.jsonl", "scores.json", RUN_FILE):
        (work / name).unlink(missing_ok=True)
    with disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    return {"version": VERSION, "status": "running", "profile": profile.as_dict(), "seed": seed}


def _check_same(run: dict[str, Any], work: Path) -> None:
    """Refuse to go on with other data than the run began with."""
    file = work / RUN_FILE
    if not file.exists():
        return
    before = json.loads(file.read_text(encoding="utf-8")).get("data_sha256")
    if before is not None and before != run["data_sha256"]:
        raise UsageError("the takes have changed since this training began", hint="--force begins again")


def _examples(
    sources: Sequence[Source],
    profile: Profile,
    making: Making,
    work: Path,
    run: dict[str, Any],
    clock: Clock,
    workers: int,
    told: Progress,
) -> tuple[Dataset, float]:
    """Make the examples. With a wall-clock budget, the time that the plain ones took says how many more there are."""
    from covermaker.training.dataset import Dataset

    place = work / "examples"

    def planned(made_minutes: float) -> list[Piece]:
        return material.plan(sources, profile.augmentation, seed=making.seed, made_minutes=made_minutes)

    made_minutes = run.get("made_minutes", profile.augmentation.made_minutes)
    if profile.minutes is not None and "made_minutes" not in run:
        began = time.monotonic()
        plain = planned(0.0)
        gather(plain, making, place, workers=workers, progress=part(told, 0.0, 0.5))
        seconds = time.monotonic() - began
        left = _FEATURES_SHARE * 60.0 * profile.minutes - clock.seconds
        a_minute = seconds / max(0.1, sum(piece.seconds for piece in plain) / 60.0)
        possible = float(np.floor(left / max(a_minute, 1e-3)))
        made_minutes = min(made_minutes, max(_LEAST_MADE_MINUTES, possible))
    pieces = planned(made_minutes)
    examples = gather(pieces, making, place, workers=workers, progress=part(told, 0.5, 1.0))
    forget(place, making.keys(pieces))
    clip_frames = profile.recipe.clip_frames
    return Dataset(examples, sample_rate=making.sample_rate, clip_frames=clip_frames), made_minutes


def _training_seconds(profile: Profile, clock: Clock) -> float | None:
    """Return what is left of the budget for training."""
    if profile.minutes is None:
        return None
    whole = 60.0 * profile.minutes
    return max(_LEAST_TRAINING_SHARE * whole, whole - clock.seconds - _LAST_SECONDS)
