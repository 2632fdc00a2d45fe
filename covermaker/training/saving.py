"""A training's states on the disk: checkpoints, their scores, the best one as the voice; and taken up again."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from covermaker.disk import write_text
from covermaker.graph.events import TrainingScored
from covermaker.training.checkpoint import FOLDER as CHECKPOINTS
from covermaker.training.checkpoint import (
    checkpoint_path,
    load_checkpoint,
    prune,
    save_checkpoint,
    steps_kept,
)
from covermaker.training.chronicle import Chronicle
from covermaker.training.course import WRITTEN
from covermaker.training.going_on import resume_command
from covermaker.training.heldout import score_voice
from covermaker.training.install import Identity, write_voice
from covermaker.training.lessons import LESSONS
from covermaker.training.state import random_states_of
from covermaker.training.stopping import StoppedError, is_asked
from covermaker.training.watch import SCORES_FILE
from covermaker.voices.card import CARD_FILE, read_card
from covermaker.voices.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from covermaker.training.board import Board
    from covermaker.training.checkpoint import Checkpoint
    from covermaker.training.course import Clock
    from covermaker.training.crew import Crew
    from covermaker.training.dataset import Dataset
    from covermaker.training.heldout import Phrase
    from covermaker.training.loop import Trainer
    from covermaker.training.profiles import Profile
    from covermaker.voices.card import F0Part

INDEX_FILE = "index.npz"
_NEWEST = 2  # checkpoints that are kept beside the best


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

    def write(self, folder: Path, step: int, weights: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Write a state as a voice."""
        lesson = LESSONS[self.trainer.KIND]
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
            index=self.index,
            training={
                **self.facts,
                **facts,
                "step": step,
                "minutes_of_training": round(self.trainer.spent_seconds / 60.0, 1),
                "scores": record,
            },
            singers=self.facts["speakers"],
            kind=lesson.kind,
            is_half=lesson.is_half_on_disk,
        )

    @property
    def crew(self) -> Crew:
        """The processes that train together."""
        return self.trainer.crew

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints lie."""
        return self.work / CHECKPOINTS

    @property
    def index(self) -> Path | None:
        """The retrieval index, once it was built."""
        index = self.work / INDEX_FILE
        return index if index.exists() else None

    def save(self) -> bool:
        """Save; tells whether it was the last time, as the score has not risen for long. All processes must ask."""
        states = self.trainer.random_states()
        fruitless, self.trainer.spent_seconds = self.crew.led(lambda: self._save(states))
        return self._is_fruitless(fruitless)

    def _save(self, random_states: list[Any]) -> tuple[int, float]:
        """Score the averaged network, keep a checkpoint, and make it the voice when it is the best."""
        began = time.monotonic()
        step, weights, facts = self.trainer.step, self.trainer.voice_weights(), self.trainer.facts()
        candidate = self.work / WRITTEN
        self.write(candidate, step, weights, facts)
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
            self.write(self.home, step, weights, facts)
        if self.board is not None:
            self.board.add_scores(record)
        self.clock.listener(
            TrainingScored(
                step, record["score"], best, {k: v for k, v in record.items() if isinstance(v, dict)}
            )
        )
        return self.chronicle.fruitless(), self.trainer.spent_seconds

    def stop(self, *, saved: bool) -> NoReturn:
        """End, after a checkpoint without scores unless this step was `saved`. All processes must come here."""
        if not saved:
            states = self.trainer.random_states()
            self.crew.led(lambda: self._keep_unscored(states))
        of = f" of {self.profile.recipe.steps}" if self.profile.minutes is None else ""
        raise StoppedError(
            f"stopped at step {self.trainer.step}{of}: all of it is saved",
            hint=f"go on with: {resume_command(self.home)}",
        )

    def _keep_unscored(self, random_states: list[Any]) -> None:
        self._keep(random_states)
        trainer = self.trainer  # so that it can be heard and promoted
        self.write(self.work / WRITTEN, trainer.step, trainer.voice_weights(), trainer.facts())

    def is_to_stop(self) -> bool:
        """Tell whether somebody asks this run to end: the leader tells the others. All processes must ask."""
        return bool(self.crew.from_leader(float(self.crew.leads and is_asked(self.work))))

    def _keep(self, random_states: list[Any]) -> None:
        """Write a checkpoint and drop those that are no longer needed."""
        save_checkpoint(
            self.trainer.checkpoint(
                random_states, chronicle=asdict(self.chronicle), peak_rate=self.profile.recipe.peak_rate
            ),
            self.checkpoints,
        )
        best = self.chronicle.best()
        prune(self.checkpoints, newest=_NEWEST, also=[best["step"]] if best else [])
        write_text(self.work / SCORES_FILE, json.dumps(self.chronicle.scores, indent=1))

    @property
    def saves_due(self) -> int:
        """How many saves there should have been by now."""
        return math.floor(self.trainer.fraction * self.profile.recipe.saves + 1e-9)

    @property
    def exhausted(self) -> bool:
        """Whether it ends early, as far as this process knows."""
        return self._is_fruitless(self.chronicle.fruitless())

    def _is_fruitless(self, saves: int) -> bool:
        """Tell whether so many saves without a clear rise end a run that is not at its end anyway."""
        return saves >= self.profile.recipe.patience and self.trainer.fraction < 1.0

    def restore(self, checkpoint: Checkpoint, *, again: bool = False) -> None:
        """Take up a checkpoint, `again` with another budget than it has. All processes read the same."""
        self.trainer.restore(checkpoint)
        self.chronicle = Chronicle(**checkpoint.state["chronicle"])
        if again:
            self.chronicle.begin_again(self.saves_due)
        before = len(random_states_of(checkpoint))
        if before != self.crew.size:
            self.clock.note(
                f"this training was begun by {_processes(before)} and goes on with {self.crew.size}: "
                "it will not end with the bits of an undisturbed one"
            )
        self.crew.led(self._catch_up)

    def _catch_up(self) -> None:
        best = self.chronicle.best()
        # A run that was killed between a checkpoint and the voice catches up.
        if best and best["step"] in steps_kept(self.checkpoints) and not self._is_voice(best["step"]):
            state = load_checkpoint(checkpoint_path(self.checkpoints, best["step"]))
            self.write(
                self.home, best["step"], self.trainer.sung_weights(state), state.state.get("facts", {})
            )

    def _is_voice(self, step: int) -> bool:
        return (self.home / CARD_FILE).exists() and read_card(self.home).training.get("step") == step


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes"
