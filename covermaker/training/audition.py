"""Listening to checkpoints, and choosing another one than the rule did."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from covermaker.disk import copy_file, replacing
from covermaker.errors import ProjectError, UsageError
from covermaker.progress import Progress, silent
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.checkpoint import checkpoint_path, load_checkpoint, steps_kept
from covermaker.training.course import FOLDER, WRITTEN
from covermaker.training.heldout import convert_phrase, read_listing, read_phrases
from covermaker.training.install import Identity, write_voice
from covermaker.training.lessons import lesson_of
from covermaker.training.lock import alone_in
from covermaker.training.sung import HELDOUT, LISTING, given_file, is_sung, sung_file
from covermaker.voices.card import CARD_FILE, VoiceCard, read_card
from covermaker.voices.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CANDIDATE = "auditioned"  # where a checkpoint is a voice for as long as it sings


def audition(
    folder: Path, steps: Sequence[int] | None = None, *, device: str = "cpu", progress: Progress = silent
) -> list[Path]:
    """Let kept checkpoints sing the test phrases; what they have sung before is used again.

    Parameters
    ----------
    folder : Path
        The voice's.
    steps : sequence of int, optional
        Of which checkpoints; of all that are kept when left out.

    Returns
    -------
    list of Path
        ``training/auditions/step-…-spoken.wav`` and so on, with ``source-…`` and ``singer-…`` (the truth) beside.

    Raises
    ------
    ProjectError
        When the voice was not trained here.
    UsageError
        When a checkpoint is not kept.
    ResourceError
        When a training of it runs.
    """
    with alone_in(folder, "an audition"):
        try:
            return _audition(folder, _of_run(folder), steps, device, progress)
        finally:
            shutil.rmtree(folder / FOLDER / CANDIDATE, ignore_errors=True)


def _audition(
    folder: Path, run: Voice, wanted: Sequence[int] | None, device: str, progress: Progress
) -> list[Path]:
    work = folder / FOLDER
    kept = steps_kept(work / CHECKPOINTS)
    if not kept or not (work / HELDOUT / LISTING).exists():
        raise ProjectError(
            f"there are no checkpoints of '{folder.name}' to listen to",
            hint="train it: covermaker train NAME",
        )
    steps = kept if wanted is None else list(wanted)
    for step in steps:
        _check_kept(folder, step, kept)
    kinds = list(read_listing(work / HELDOUT))
    singing = [step for step in steps if not all(is_sung(folder, step, kind) for kind in kinds)]
    if not singing:
        return _sung_files(folder, steps, kinds)
    phrases = read_phrases(work / HELDOUT, encoder=run.card.content.encoder, words=False, device=device)
    for phrase in phrases:
        for name, file in (("source", phrase.source), ("singer", phrase.target)):
            copy_file(file, given_file(folder, name, phrase.kind))
    for number, step in enumerate(singing):
        candidate = work / CANDIDATE
        _install(candidate, folder, run, step)
        for index, phrase in enumerate(phrases):
            # That it is there says that it is whole: see `is_sung`.
            with replacing(sung_file(folder, step, phrase.kind)) as whole:
                convert_phrase(phrase, Voice.open(candidate), whole, device=device)
            progress((number + (index + 1) / len(phrases)) / len(singing))
    return _sung_files(folder, steps, kinds)


def _sung_files(folder: Path, steps: Sequence[int], kinds: Sequence[str]) -> list[Path]:
    given = [given_file(folder, name, kind) for kind in kinds for name in ("source", "singer")]
    return [*given, *(sung_file(folder, step, kind) for step in steps for kind in kinds)]


def promote(folder: Path, step: int) -> VoiceCard:
    """Make a kept checkpoint the voice.

    Raises
    ------
    UsageError
        When the checkpoint is not kept.
    ProjectError
        When the voice was not trained here.
    ResourceError
        When a training of it runs.
    """
    with alone_in(folder, "a promotion"):
        run = _of_run(folder)
        _check_kept(folder, step, steps_kept(folder / FOLDER / CHECKPOINTS))
        return _install(folder, folder, run, step)


def _of_run(folder: Path) -> Voice:
    """Return the last voice that the run has written: its card says what the run's checkpoints hear.

    The voice beside it may be of an older run, with another encoder, or of none; a run of before has written none.
    """
    written = folder / FOLDER / WRITTEN
    place = written if (written / CARD_FILE).is_file() else folder
    return Voice(place, read_card(place))


def _check_kept(folder: Path, step: int, kept: Sequence[int]) -> None:
    if step not in kept:
        raise UsageError(
            f"'{folder.name}' has no checkpoint of step {step}",
            hint="kept: " + (", ".join(map(str, kept)) or "none"),
        )


def _install(target: Path, folder: Path, run: Voice, step: int) -> VoiceCard:
    checkpoint = load_checkpoint(checkpoint_path(folder / FOLDER / CHECKPOINTS, step))
    records = [r for r in checkpoint.state["chronicle"]["scores"] if r["step"] == step]
    scores = records[0] if records else {}
    card = run.card
    # What a person has written on the voice's own card since.
    own = read_card(folder) if (folder / CARD_FILE).is_file() else card
    identity = Identity(
        own.name, own.rights, own.statement, list(own.languages), own.description, own.licence, own.origin,
        own.created,
    )  # fmt: skip
    lesson = lesson_of(checkpoint.state)
    return write_voice(
        target,
        identity=identity,
        config=lesson.read_config(checkpoint.state["network"]),
        weights=lesson.trainer.sung_weights(checkpoint),
        encoder=card.content.encoder,
        encoder_sha256=card.content.sha256,
        f0=card.f0,
        embedding=run.embedding(),
        index=run.folder / card.index.file if card.index else None,
        singers=card.singers,
        kind=lesson.kind,
        is_half=lesson.is_half_on_disk,
        training={
            **card.training,
            **checkpoint.state.get("facts", {}),
            "step": step,
            "minutes_of_training": round(checkpoint.state["spent_seconds"] / 60.0, 1),
            "scores": scores,
        },
    )
