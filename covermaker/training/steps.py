"""The training itself: steps, saves, scores, the best one becomes the voice."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from covermaker.disk import write_text
from covermaker.graph.events import TrainingProgress, TrainingScored
from covermaker.training.board import Board
from covermaker.training.checkpoint import (
    checkpoint_path,
    load_checkpoint,
    load_latest,
    prune,
    save_checkpoint,
    steps_kept,
)
from covermaker.training.course import write_run
from covermaker.training.crew import ALONE, Crew
from covermaker.training.heldout import score_voice
from covermaker.training.history import History
from covermaker.training.install import Identity, write_voice
from covermaker.training.loop import AstrayError, Trainer, random_states_of
from covermaker.training.machine import bfloat16_is_fast, pieces_for_memory
from covermaker.training.pitch_range import on_card
from covermaker.training.stopping import StoppedError, is_asked
from covermaker.voices.card import CARD_FILE, read_card
from covermaker.voices.networks.ddsp_config import DdspConfig
from covermaker.voices.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.training.course import Clock
    from covermaker.training.dataset import Dataset
    from covermaker.training.heldout import Phrase
    from covermaker.training.loop import Report
    from covermaker.training.pitch_range import PitchRange
    from covermaker.training.prepare import Prepared
    from covermaker.training.profiles import Profile, Size
    from covermaker.voices.card import F0Part

INDEX_FILE = "index.npz"
_NEWEST = 2  # checkpoints that are kept beside the best
_TELL_SECONDS = 1.0
_CLEAR_RISE = 0.002  # a score must rise by this much to count against early stopping
_EMBEDDED_SECONDS = 120.0


@dataclass
class Chronicle:
    """What the saves of a run have found; lies in every checkpoint."""

    saved: int = 0
    scores: list[dict[str, Any]] = field(default_factory=list)

    def best(self) -> dict[str, Any] | None:
        """Return the best record; without any score, the newest."""
        scored = [record for record in self.scores if record["score"] is not None]
        if scored:
            return max(scored, key=lambda record: (record["score"], record["step"]))
        return self.scores[-1] if self.scores else None

    def fruitless(self) -> int:
        """Return for how many saves in a row the score has not clearly risen."""
        top, since = -math.inf, 0
        for record in self.scores:
            if record["score"] is None:
                continue
            if record["score"] > top + _CLEAR_RISE:
                top, since = record["score"], 0
            else:
                since += 1
        return since


def network_config(sample_rate: int, content_dim: int, speakers: int, size: Size) -> DdspConfig:
    """Return the network for a voice's rate."""
    hop = sample_rate // 100
    wide = sample_rate >= 32_000
    return DdspConfig(
        sample_rate=sample_rate,
        content_dim=content_dim,
        hidden=size.hidden,
        inner=size.inner,
        dilations=size.dilations,
        harmonic_bands=128 if wide else 96,
        noise_bands=80 if wide else 64,
        harmonic_fft=1 << math.ceil(math.log2(4 * hop)),
        noise_fft=1 << math.ceil(math.log2(3 * hop)),
        speakers=speakers,
        memory_rows=size.memory_rows,
        level_frames=size.level_frames,
    )


@dataclass
class Run:
    """A training in progress: the trainer and everything around it."""

    home: Path
    work: Path
    profile: Profile
    identity: Identity
    encoder_sha256: str
    dataset: Dataset
    phrases: Sequence[Phrase]
    embedding: NDArray[np.float32] | None
    f0: F0Part
    facts: Mapping[str, Any]
    device: str
    trainer: Trainer
    clock: Clock
    board: Board | None = None
    chronicle: Chronicle = field(default_factory=Chronicle)

    def write(self, folder: Path, step: int, weights: Mapping[str, Any], *, index: Path | None) -> None:
        """Write a state as a voice."""
        record = next((r for r in self.chronicle.scores if r["step"] == step), {})
        write_voice(
            folder,
            identity=self.identity,
            config=self.trainer.config,
            weights=weights,
            encoder=self.profile.encoder,
            encoder_sha256=self.encoder_sha256,
            f0=self.f0,
            embedding=self.embedding,
            index=index,
            training={
                **self.facts,
                "step": step,
                "minutes_of_training": round(self.trainer.spent_seconds / 60.0, 1),
                "scores": record,
            },
            singers=self.facts["speakers"],
        )

    @property
    def crew(self) -> Crew:
        """The processes that train together."""
        return self.trainer.crew

    def save(self) -> bool:
        """Save; tells whether it was the last time, as the score has not risen for long. All processes must ask."""
        states = self.trainer.random_states()
        fruitless, self.trainer.spent_seconds = self.crew.led(lambda: self._save(states))
        return fruitless >= self.profile.recipe.patience and self.trainer.fraction < 1.0

    def _save(self, random_states: list[Any]) -> tuple[int, float]:
        """Score the averaged network, keep a checkpoint, and make it the voice when it is the best."""
        began = time.monotonic()
        step, weights = self.trainer.step, self.trainer.average.state_dict()
        candidate = self.work / "candidate"
        self.write(candidate, step, weights, index=self._index())
        record: dict[str, Any] = {"step": step, "score": None}
        if self.phrases:
            with self.clock.phase("scores"):
                record |= score_voice(Voice.open(candidate), self.phrases, candidate, device=self.device)
        self.chronicle.scores.append(record)
        best = self.chronicle.best() is record
        # A wall-clock budget pays for scores, too.
        self.trainer.spent_seconds += time.monotonic() - began
        self._keep(random_states)
        if best:
            self.install(step, weights)
        if self.board is not None:
            self.board.add_scores(record)
        self.clock.listener(
            TrainingScored(
                step, record["score"], best, {k: v for k, v in record.items() if isinstance(v, dict)}
            )
        )
        return self.chronicle.fruitless(), self.trainer.spent_seconds

    def stop(self) -> NoReturn:
        """Save without scoring, and end. All processes must come here."""
        states = self.trainer.random_states()
        self.crew.led(lambda: self._keep(states))
        raise StoppedError(
            f"stopped at step {self.trainer.step}: all of it is saved",
            hint=f"go on with: covermaker train {self.home.name} --resume",
        )

    @property
    def is_to_stop(self) -> bool:
        """Whether somebody asks this run to end; the same for all processes."""
        return bool(self.crew.from_leader(float(self.crew.leads and is_asked(self.work))))

    def _keep(self, random_states: list[Any]) -> None:
        """Write a checkpoint and drop those that are no longer needed."""
        folder = self.work / "checkpoints"
        save_checkpoint(self.trainer.checkpoint(random_states, chronicle=asdict(self.chronicle)), folder)
        best = self.chronicle.best()
        prune(folder, newest=_NEWEST, also=[best["step"]] if best else [])
        write_text(self.work / "scores.json", json.dumps(self.chronicle.scores, indent=1))

    def install(self, step: int, weights: Mapping[str, Any]) -> None:
        """Make a state the voice."""
        self.write(self.home, step, weights, index=self._index())

    def _index(self) -> Path | None:
        index = self.work / INDEX_FILE
        return index if index.exists() else None

    @property
    def exhausted(self) -> bool:
        """Whether it ends early, as far as this process knows."""
        return self.chronicle.fruitless() >= self.profile.recipe.patience and self.trainer.fraction < 1.0

    def restore(self) -> bool:
        """Take up the newest checkpoint; False when there is none. All processes read the same."""
        checkpoint = load_latest(self.work / "checkpoints")
        if checkpoint is None:
            return False
        self.trainer.restore(checkpoint)
        self.chronicle = Chronicle(**checkpoint.state["chronicle"])
        before = len(random_states_of(checkpoint))
        if before != self.crew.size:
            self.clock.note(
                f"this training was begun by {_processes(before)} and goes on with {self.crew.size}: "
                "it will not end with the bits of an undisturbed one"
            )
        self.crew.led(self._catch_up)
        return True

    def _catch_up(self) -> None:
        best = self.chronicle.best()
        # A run that was killed between a checkpoint and the voice catches up.
        if (
            best
            and best["step"] in steps_kept(self.work / "checkpoints")
            and not self._is_voice(best["step"])
        ):
            state = load_checkpoint(checkpoint_path(self.work / "checkpoints", best["step"]))
            self.install(best["step"], state.part("average"))

    def _is_voice(self, step: int) -> bool:
        return (self.home / CARD_FILE).exists() and read_card(self.home).training.get("step") == step


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes"


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
    more: bool = False,
) -> dict[str, Any]:
    """Train, save, score, choose; see `run.train_voice`. `pitch` is that of the takes and the trained one.

    A run that was killed between its last save and its early end ends when it is taken up, unless `more` is asked for.
    """
    width = dataset.examples[0].contents[0].shape[1]
    config = network_config(ready.sample_rate, width, len(ready.singers), profile.size)
    with clock.phase("index"):
        # Of the clean content, which no step of the training changes: built once, installed with every best save.
        crew.led(lambda: build_voice_index(dataset, work / INDEX_FILE, seed))
        embedding = crew.led(lambda: speaker_embedding(dataset, work))
    recipe = profile.recipe
    half = recipe.half == "on" or (recipe.half == "auto" and crew.led(lambda: bfloat16_is_fast(device)))
    with clock.phase("train") as told:
        trainer = Trainer(
            config, dataset, recipe, seed=seed, device=device, seconds=seconds, half=half, crew=crew
        )
        fitting = pieces_for_memory(
            config, recipe.batch_size, recipe.clip_frames, device, processes=crew.size
        )
        trainer.pieces = max(crew.everyone(fitting))
        state = Run(
            home, work, profile, identity, encoder_sha256, dataset, phrases, embedding,
            on_card(*pitch), _facts(ready, dataset, profile, seed, run, pitch[0]), device, trainer, clock,
        )  # fmt: skip
        if resume:
            state.restore()
        if tensorboard and crew.leads:
            state.board = Board(work, from_step=trainer.step)
        try:
            early = _train(state, told, more=more)
        except AstrayError as error:
            crew.led(lambda: write_run(work, {**run, "status": "astray"}))
            kept = steps_kept(work / "checkpoints")
            left = (
                f"the checkpoint of step {kept[-1]} is kept" if kept else "no checkpoint was written before"
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
        "minutes": round(clock.seconds / 60.0, 2),
        "phases": clock.phases,
        "seconds_per_step": round(state.trainer.spent_seconds / max(1, trainer.step), 4),
    }


def _train(run: Run, told: Any, *, more: bool) -> bool:
    """Take all steps; True when it stopped before the end because the score no longer rose."""
    trainer, chronicle, saves = run.trainer, run.chronicle, run.profile.recipe.saves
    history = History(run.work, from_step=trainer.step, board=run.board) if run.crew.leads else None
    last_told = 0.0
    try:
        if run.exhausted and not more:
            _tell_early_end(run)
            return True
        while trainer.fraction < 1.0:
            report = trainer.advance()
            due = math.floor(trainer.fraction * saves + 1e-9)
            save = due > chronicle.saved or trainer.fraction >= 1.0
            stop = run.is_to_stop
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
                run.stop()
        return False
    finally:
        if run.board is not None:
            run.board.close()


def _tell_early_end(run: Run) -> None:
    run.clock.note(f"stopped at step {run.trainer.step}: the score has not risen since the best one")


def _progress(run: Run, report: Report) -> TrainingProgress:
    trainer = run.trainer
    per_step = trainer.spent_seconds / max(1, trainer.step)
    if trainer.seconds is not None:
        steps, left = None, trainer.seconds - trainer.spent_seconds
    else:
        steps = run.profile.recipe.steps
        left = per_step * (steps - trainer.step)
    return TrainingProgress(
        report.step, steps, round(report.fraction, 5), {"loss": report.loss, **report.parts}, report.rate,
        round(per_step, 4), round(max(0.0, left), 1), report.memory_bytes,
    )  # fmt: skip


def _facts(
    ready: Prepared,
    dataset: Dataset,
    profile: Profile,
    seed: int,
    run: Mapping[str, Any],
    takes_pitch: PitchRange,
) -> dict[str, Any]:
    low_hz, median_hz, high_hz = (round(hz, 1) for hz in takes_pitch)
    return {
        "profile": profile.name,
        "clips": len(ready.sources),
        "minutes_of_takes": round(sum(source.seconds for source in ready.sources) / 60.0, 1),
        "pitch_of_takes": {"low_hz": low_hz, "median_hz": median_hz, "high_hz": high_hz},
        "minutes_of_examples": round(dataset.seconds / 60.0, 1),
        "speakers": ready.singers,
        "seed": seed,
        "data_sha256": run["data_sha256"],
        "rule": "mean of similarity - 0.5 * added character errors - 0.002 * median cents",
    }


def build_voice_index(dataset: Dataset, path: Path, seed: int) -> None:
    """Build the retrieval index of the clean readings."""
    from covermaker.voices.index import build_index

    build_index(dataset.clean_content(), path, seed=seed)


def speaker_embedding(dataset: Dataset, work: Path) -> NDArray[np.float32] | None:
    """Return what the singer sounds like: the embedding of two minutes of examples of every kind.

    Of several singers it is the first one, who sings where nobody is asked for: a mean of two is nobody's voice.
    """
    from covermaker.audio.files import wav_writer
    from covermaker.evaluate.speaker_encoder import NoVoiceError, embed

    path = work / "embedded.wav"
    examples = [example for example in dataset.examples if example.speaker == 0]
    seconds = sum(len(example.target) for example in examples) / (100 * dataset.hop_samples)
    picked = examples[:: max(1, int(seconds // _EMBEDDED_SECONDS))]
    joined = np.concatenate([example.target for example in picked])
    try:
        with wav_writer(path, sample_rate=100 * dataset.hop_samples, channels=1) as file:
            file.write(joined[np.newaxis, : round(_EMBEDDED_SECONDS * 100 * dataset.hop_samples)])
        return embed(path)
    except NoVoiceError:
        return None
    finally:
        path.unlink(missing_ok=True)
