"""From takes to a voice: THE LIST of what a training does, in order.

The voice's folder gets ``training/``: ``clips/``, ``examples/`` (kept by content), ``heldout/`` (the test phrases),
``checkpoints/``, ``history.jsonl``, ``scores.json``, ``run.json`` (what the run was asked for). A run that was stopped
is taken up by `resume` at its last checkpoint.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from covermaker.disk import disk_errors
from covermaker.features.encoders import content_fingerprint
from covermaker.graph.events import nobody
from covermaker.progress import Progress, part
from covermaker.takes.document import read_takes
from covermaker.training.asked import AGAIN, OtherRunError, asked_for
from covermaker.training.audition import CANDIDATE
from covermaker.training.board import FOLDER_NAME as BOARD_FOLDER
from covermaker.training.board import check_tensorboard
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.course import FOLDER, RUN_FILE, WRITTEN, Clock, read_run, write_run
from covermaker.training.crew import ALONE, Crew, cores_each
from covermaker.training.gather import Making, read_all
from covermaker.training.going_on import going_on
from covermaker.training.heldout import Phrase, read_phrases, split_off, write_phrases
from covermaker.training.history import FILE_NAME as HISTORY_FILE
from covermaker.training.install import Identity
from covermaker.training.lock import alone_in
from covermaker.training.needs import weights_of
from covermaker.training.prepare import (
    Prepared,
    check_singers,
    doubts,
    make_examples,
    pitch_ranges,
    prepare,
)
from covermaker.training.pulse import Pulse
from covermaker.training.stopping import check_stop, forget, heeding
from covermaker.training.sung import AUDITIONS, HELDOUT
from covermaker.training.vits_shapes import segment_frames
from covermaker.training.vits_stock import network_of
from covermaker.training.watch import SCORES_FILE
from covermaker.weights.catalog import fingerprint
from covermaker.weights.device import cores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from covermaker.graph.events import Listener
    from covermaker.takes.document import Takes
    from covermaker.training.material import Source
    from covermaker.training.profiles import Profile

_LEAST_TRAINING_SHARE = 0.35  # of a wall-clock budget
_LAST_SECONDS = 20.0  # for the last score and writing


def train_voice(
    folder: Path,
    *,
    profile: str | Profile | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    device: str = "auto",
    resume: bool = False,
    force: bool = False,
    threads: int | None = None,
    encoder: str | None = None,
    seed: int | None = None,
    home: Path | None = None,
    asked_by: str | None = None,
    tensorboard: bool = False,
    network: str | None = None,
    base: Sequence[str] | None = None,
    listener: Listener = nobody,
    crew: Crew = ALONE,
) -> dict[str, Any]:
    """Train a voice from the takes of a folder.

    Parameters
    ----------
    folder : Path
        With ``takes.toml``.
    profile : str or Profile, optional
        One of `profiles.PROFILES`, or ``custom``; by default that of the network, and that of the run that is taken
        up.
    minutes : float, optional
        Wall-clock budget of everything, in place of the profile's.
    steps : int, optional
        A fixed number of steps, in place of any budget: repeats to the bit on the same machine with the same number
        of threads, unless short memory makes it work in smaller parts; see `machine.pieces_for_memory`.
    device : str
        As `weights.device.pick_device` takes it.
    resume : bool
        Take up the run that was stopped; what it was begun with is not to be changed but for `minutes` and `steps`,
        which become the run's own and take up one that is finished, too.
    force : bool
        Begin again although the folder holds a trained voice or a run that was stopped.
    threads : int, optional
        Processes for features and threads for training; all cores by default.
    encoder : str, optional
        What reads the content, in place of the profile's.
    seed : int, optional
        Of every random draw; by default 1, and that of the run that is taken up.
    home : Path, optional
        Where the voice and ``training/`` go; by default `folder`.
    asked_by : str, optional
        Kept with the run: it is taken up only by who began it.
    tensorboard : bool
        Write ``training/tensorboard``, too.
    network : str, optional
        ``ddsp`` or ``vits``; by default that of the profile.
    base : sequence of str, optional
        Files of pretrained weights that a VITS network begins with, or ``none``; by default those of the catalog, where
        they are installed.
    listener : callable
        Told what happens.
    crew : Crew
        The processes that train together; every one of them calls this, with the same arguments.

    Returns
    -------
    dict
        ``voice`` (the folder), ``step`` (the chosen checkpoint), ``steps``, ``scores``, ``minutes`` (where it was taken
        up, with the training before), ``phases``.

    Raises
    ------
    ProjectError
        When there are no takes, or their document is refused, for instance without a rights line.
    UsageError
        When something is asked for that does not exist, or the voice is already trained, or TensorBoard is asked for
        and not installed, or what should be taken up has nothing more to do.
    OtherRunError
        When the run that should be taken up is not there or is another one; nothing is changed.
    ResourceError
        When the device is not there, or a training of this voice runs already.
    AudioInputError
        When the takes hold too little voice.
    WeightsError
        When weights are missing.
    AstrayError
        When the loss stops being a number; the last good checkpoint and the best voice so far stay.
    StoppedError
        When it was asked to save and end; see `stopping`.
    """
    if tensorboard:
        check_tensorboard()
    home = home or folder
    pulse = Pulse(home / FOLDER, listener)
    clock = Clock(pulse if crew.leads else listener)
    with ExitStack() as held:

        def begin() -> tuple[Takes, Profile, dict[str, Any]]:
            takes = read_takes(folder)
            held.enter_context(alone_in(home))
            forget(home / FOLDER)
            held.callback(forget, home / FOLDER)
            held.callback(pulse.end)
            pulse.begin()
            asked = asked_for(folder, home, profile, minutes=minutes, steps=steps, encoder=encoder, seed=seed,
                           resume=resume, force=force, asked_by=asked_by, network=network, base=base)  # fmt: skip
            _check_needs(asked[0], crew, device)
            if not resume and (base or asked[0].network == "vits"):
                from covermaker.training.vits_base import base_files

                asked[1]["base"] = [str(file) for file in base_files(asked[0], base or (), clock.note)]
            if not resume:
                _clear(home / FOLDER)
            return takes, *asked

        takes, wanted, run = crew.led(begin)
        wishes = {
            "profile": profile if isinstance(profile, str) else None, "network": network, "encoder": encoder,
            "base": base, "minutes": minutes, "steps": steps, "seed": seed, "resume": resume, "threads": threads,
            "device": device, "tensorboard": tensorboard,
        }  # fmt: skip
        return _train(
            folder, home, takes, wanted, run, wishes=wishes, clock=clock, pulse=pulse, crew=crew,
        )  # fmt: skip


def _train(
    folder: Path,
    home: Path,
    takes: Takes,
    wanted: Profile,
    run: dict[str, Any],
    *,
    wishes: Mapping[str, Any],
    clock: Clock,
    pulse: Pulse,
    crew: Crew,
) -> dict[str, Any]:
    """Do what `train_voice` was asked for, from clips to the written voice."""
    work = home / FOLDER
    resume, threads = bool(wishes["resume"]), wishes["threads"]
    go_on = partial(going_on, home, wishes) if run.get("asked_by") is None else lambda: "covermaker render"
    seed = int(run["seed"])
    encoder_sha256 = content_fingerprint(wanted.encoder)
    # Torch comes after everything that can be refused without it.
    from covermaker.training.dataset import Dataset
    from covermaker.training.silence import read_silence
    from covermaker.training.steps import run_training
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    where = crew.device(wishes["device"])
    # What a run that is taken up has spent already is not known before it is read.
    pulse.on(where, seconds_left=lambda: None if resume else _seconds_left(wanted, clock))
    workers = threads or cores()
    if wanted.network == "vits" and where == "cpu":
        clock.note(
            "a network of this kind is for a GPU: on a CPU it takes seconds a step, and it needs thousands"
        )

    with clock.phase("clips") as told:
        ready = crew.led(lambda: _looked_at(folder, takes, work, clock, heeding(work, told, go_on)))
    if wanted.network == "vits":  # its rate is the network's, whatever the takes hold
        ready = replace(ready, sample_rate=wanted.vits.sample_rate)
    crew.led(lambda: check_stop(work, go_on))
    trained, held = split_off(ready.sources, wanted.heldout_seconds, seed)
    making = Making(
        wanted.augmentation, ready.sample_rate, seed, ready.medians_hz, wanted.encoder, encoder_sha256
    )
    place = work / "examples"
    with clock.phase("features") as told:
        pieces, made_minutes = crew.led(
            lambda: make_examples(
                trained, wanted, making, place,
                decided_minutes=run.get("made_minutes"), spent_seconds=clock.seconds, workers=workers,
                progress=heeding(work, told, go_on), note=clock.note,
            )
        )  # fmt: skip
        examples = read_all(pieces, making, place)
        silence = crew.led(
            lambda: read_silence(wanted.encoder, encoder_sha256, place) if wanted.network == "vits" else None
        )
        dataset = Dataset(
            examples, sample_rate=making.sample_rate, clip_frames=_least_frames(wanted), silence=silence
        )
        check_singers(dataset, ready.singers)
        pitch = pitch_ranges(pieces, examples, wanted, ready)
    run |= {"made_minutes": made_minutes, "data_sha256": dataset.fingerprint()}
    crew.led(lambda: _keep(run, work))
    torch.set_num_threads(cores_each(workers))
    crew.led(lambda: check_stop(work, go_on))
    with clock.phase("phrases") as told:
        phrases = crew.led(
            lambda: _phrases(held, work / HELDOUT, wanted, ready, seed, where, heeding(work, told, go_on))
        )
    return run_training(
        home, work, ready, wanted, dataset, phrases, pitch=pitch,
        identity=Identity(takes.name, takes.rights, takes.statement, list(takes.languages), created=None),
        encoder_sha256=encoder_sha256, seconds=crew.led(lambda: _training_seconds(wanted, clock)), device=where,
        resume=resume, seed=seed, clock=clock, run=run, crew=crew, tensorboard=bool(wishes["tensorboard"]),
    )  # fmt: skip


def _check_needs(profile: Profile, crew: Crew, device: str) -> None:
    """Refuse now what would only be missed after minutes, and after an older run is gone."""
    for name in weights_of(profile):
        fingerprint(name)
    crew.device(device)


def _least_frames(profile: Profile) -> int:
    """Return how long an example must be: VITS networks read shorter ones than a cut, too."""
    if profile.network != "vits":
        return profile.recipe.clip_frames
    from covermaker.training.vits_batch import shortest_frames

    return shortest_frames(segment_frames(profile.vits), network_of(profile))


def _clear(work: Path) -> None:
    """Take away an older run, but for its examples. Its record goes first: nobody must take up what is left of it."""
    with disk_errors(work):
        for name in (RUN_FILE, HISTORY_FILE, SCORES_FILE):
            (work / name).unlink(missing_ok=True)
    for name in (CHECKPOINTS, WRITTEN, AUDITIONS, CANDIDATE, HELDOUT, BOARD_FOLDER):
        shutil.rmtree(work / name, ignore_errors=True)


def _looked_at(folder: Path, takes: Takes, work: Path, clock: Clock, told: Progress) -> Prepared:
    ready = prepare(folder, takes, work, progress=part(told, 0.0, 0.7), note=clock.note)
    for doubt in doubts(folder, progress=part(told, 0.7, 1.0)):
        clock.note(doubt)
    return ready


def _phrases(
    held: Sequence[Source],
    place: Path,
    profile: Profile,
    ready: Prepared,
    seed: int,
    device: str,
    told: Progress,
) -> list[Phrase]:
    write_phrases(
        held,
        place,
        sample_rate=ready.sample_rate,
        medians_hz=ready.medians_hz,
        singers=ready.singers,
        seed=seed,
    )
    languages = ready.takes.languages
    return read_phrases(
        place,
        encoder=profile.encoder,
        language=languages[0] if languages else None,
        device=device,
        progress=told,
    )


def _keep(run: dict[str, Any], work: Path) -> None:
    """Write what the run was asked for; refuse to go on with other data than it began with."""
    before = (read_run(work) or {}).get("data_sha256")
    if before is not None and before != run["data_sha256"]:
        raise OtherRunError("the takes have changed since this training began", hint=AGAIN)
    write_run(work, run)


def _seconds_left(profile: Profile, clock: Clock) -> float | None:
    """Return how long a training that is being prepared still takes, as its budget has it; None without one."""
    training = _training_seconds(profile, clock)
    return None if training is None else training + _LAST_SECONDS


def _training_seconds(profile: Profile, clock: Clock) -> float | None:
    """Return what is left of the budget for training."""
    if profile.minutes is None:
        return None
    whole = 60.0 * profile.minutes
    return max(_LEAST_TRAINING_SHARE * whole, whole - clock.seconds - _LAST_SECONDS)
