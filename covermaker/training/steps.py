"""The training itself: the trainer and what it needs, its steps, its end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.errors import WeightsError
from covermaker.graph.events import TrainingProgress
from covermaker.graph.plain import plain
from covermaker.training.board import Board
from covermaker.training.character import facts_of, speaker_embedding
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.checkpoint import load_latest, steps_kept
from covermaker.training.course import write_run
from covermaker.training.crew import ALONE, Crew
from covermaker.training.history import History
from covermaker.training.lessons import LESSONS
from covermaker.training.loop import AstrayError
from covermaker.training.machine import pieces_for_memory
from covermaker.training.pitch_range import on_card
from covermaker.training.saving import INDEX_FILE, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.training.checkpoint import Checkpoint
    from covermaker.training.course import Clock
    from covermaker.training.dataset import Dataset
    from covermaker.training.heldout import Phrase
    from covermaker.training.install import Identity
    from covermaker.training.loop import Report
    from covermaker.training.pitch_range import PitchRange
    from covermaker.training.prepare import Prepared
    from covermaker.training.profiles import Profile

_TELL_SECONDS = 1.0


def run_training(
    home: Path,
    work: Path,
    ready: Prepared,
    profile: Profile,
    dataset: Dataset,
    phrases: Sequence[Phrase],
    *,
    pitch: tuple[PitchRange, PitchRange],
    identity: Identity,
    encoder_sha256: str,
    seconds: float | None,
    device: str,
    resume: bool,
    seed: int,
    clock: Clock,
    run: dict[str, Any],
    crew: Crew = ALONE,
    tensorboard: bool = False,
) -> dict[str, Any]:
    """Train, save, score, choose; see `run.train_voice`. `pitch` is that of the takes and the trained one.

    A run that was killed between its last save and its early end ends when it is taken up, unless more was asked for
    since that save.
    """
    width = dataset.examples[0].contents[0].shape[1]
    lesson = LESSONS[profile.network]
    config = lesson.config(profile, ready.sample_rate, width, len(ready.singers))
    with clock.phase("index"):
        # Of the clean content, which no step of the training changes: built once, installed with every best save.
        crew.led(lambda: lesson.build_index(dataset, work / INDEX_FILE, seed))
        embedding = crew.led(lambda: speaker_embedding(dataset, work))
    recipe = profile.recipe
    half = recipe.half not in ("off", "auto") or (
        recipe.half == "auto" and crew.led(lambda: lesson.uses_half(device))
    )
    with clock.phase("train") as told:
        kept = load_latest(work / CHECKPOINTS) if resume else None
        base = _base(run, kept, profile)
        trainer = lesson.make(
            profile, config, dataset, base, seed=seed, device=device, seconds=seconds, half=half, crew=crew
        )
        fitting = pieces_for_memory(
            lesson.cut_bytes(profile, config), recipe.batch_size, device,
            kept_bytes=trainer.bytes_to_come(), processes=crew.size,
        )  # fmt: skip
        trainer.pieces = max(crew.everyone(fitting))
        state = Run(
            home, work, profile, identity, encoder_sha256, dataset, phrases, embedding,
            on_card(*pitch), facts_of(ready, dataset, profile, seed, run, pitch[0]), device, trainer, clock,
        )  # fmt: skip
        if kept is not None:
            state.restore(kept, again=int(kept.state["step"]) <= run.get("more_from", -1))
        seconds_before = trainer.spent_seconds
        del kept  # as large as the networks
        if tensorboard and crew.leads:
            state.board = Board(work, from_step=trainer.step)
        try:
            early = _train(state, told)
        except AstrayError as error:
            crew.led(lambda: write_run(work, {**run, "status": "astray"}))
            steps = steps_kept(state.checkpoints)
            left = (
                f"the checkpoint of step {steps[-1]} is kept" if steps else "no checkpoint was written before"
            )
            raise AstrayError(f"{error.message}; {left}", hint=error.hint) from error
    crew.led(lambda: write_run(work, {**run, "status": "finished"}))
    best = state.chronicle.best()
    return {
        "voice": str(home),
        "steps": trainer.step,
        "step": best["step"] if best else trainer.step,
        "stopped_early": early,
        "scores": best or {},
        "sample_rate": config.sample_rate,
        "minutes": round((seconds_before + clock.seconds) / 60.0, 2),
        "phases": clock.phases,
        "seconds_per_step": round(trainer.seconds_per_step, 4),
    }


def _base(run: dict[str, Any], kept: Checkpoint | None, profile: Profile) -> list[Path]:
    """Return the pretrained weights that are still to be given: to all, or to discriminators that have not joined.

    Raises
    ------
    WeightsError
        When they are not those that the run began with.
    """
    files = [Path(file) for file in run.get("base", [])]
    if not files or (kept is not None and (kept.part("critics") or profile.recipe.adversarial >= 1.0)):
        return []  # what the run began with is in its checkpoint
    from covermaker.training.vits_base import facts_of

    if kept is not None and facts_of(files) != kept.state["facts"].get("base"):
        raise WeightsError(
            f"{' and '.join(str(file) for file in files)} changed since this training began with them",
            hint="put back what was there, or begin again with --force",
        )
    return files


def _train(run: Run, told: Any) -> bool:
    """Take all steps; True when it stopped before the end because the score no longer rose."""
    trainer, chronicle = run.trainer, run.chronicle
    history = History(run.work, from_step=trainer.step, board=run.board) if run.crew.leads else None
    last_told = 0.0
    try:
        if run.exhausted:
            _tell_early_end(run)
            return True
        while trainer.fraction < 1.0:
            report = trainer.advance()
            due = run.saves_due
            save = due > chronicle.saved or trainer.fraction >= 1.0
            stop = run.is_to_stop()
            if history is not None:
                # What a checkpoint stands on is written before it, so that a run taken up again writes the same lines.
                history.add(report, trainer.pieces, flush=save or stop)
            if time.monotonic() - last_told > _TELL_SECONDS:
                last_told = time.monotonic()
                told(report.fraction)
                run.clock.listener(_progress(run, report))
            if save:
                chronicle.saved = max(due, chronicle.saved)
                if run.save():
                    _tell_early_end(run)
                    return True
            if stop and trainer.fraction < 1.0:
                run.stop(saved=save)
        return False
    finally:
        if run.board is not None:
            run.board.close()


def _tell_early_end(run: Run) -> None:
    run.clock.note(f"stopped at step {run.trainer.step}: the score has not risen since the best one")


def _progress(run: Run, report: Report) -> TrainingProgress:
    trainer = run.trainer
    per_step = trainer.seconds_per_step
    if trainer.seconds is not None:
        steps, left = None, trainer.seconds - trainer.spent_seconds
    else:
        steps = run.profile.recipe.steps
        left = per_step * (steps - trainer.step)
    return TrainingProgress(
        report.step, steps, round(report.fraction, 5), plain({"loss": report.loss, **report.parts}), report.rate,
        round(per_step, 4), round(max(0.0, left), 1), report.memory_bytes,
    )  # fmt: skip
