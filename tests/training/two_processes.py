"""What `test_crew` lets several processes do together, under torchrun; each writes what it found to a file."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tiny_training import SIZE, recipe, run_tiny, two_vowels

from covermaker.errors import CovermakerError
from covermaker.training import saving
from covermaker.training.character import network_config
from covermaker.training.checkpoint import load_latest
from covermaker.training.crew import Crew, Several
from covermaker.training.ddsp import DdspTrainer as Trainer

CHANGES = {"steps": 12, "saves": 3, "adversarial": 0.5, "batch_size": 2}


def tiny_trainer(crew: Crew, **changes: Any) -> Trainer:
    return Trainer(network_config(16_000, 4, 1, SIZE), two_vowels(), recipe(**changes), seed=3, crew=crew)


def bits(tensors: dict[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].numpy().tobytes())
    return digest.hexdigest()


def averaged_gradients(crew: Crew) -> dict[str, Any]:
    trainer = tiny_trainer(crew)
    draw = trainer._draw()
    trainer._gradients(draw)
    own = torch.cat([p.grad.flatten() for p in trainer.network.parameters() if p.grad is not None])
    crew.average_gradients(trainer.network.parameters())
    shared = torch.cat([p.grad.flatten() for p in trainer.network.parameters() if p.grad is not None])
    return {"own": own.tolist(), "shared": shared.tolist(), "target": float(np.abs(draw.batch.target).sum())}


def same_weights(crew: Crew) -> dict[str, Any]:
    trainer = tiny_trainer(crew, **CHANGES)
    losses = [trainer.advance().loss for _ in range(12)]
    return {"bits": bits(trainer.checkpoint(trainer.random_states()).tensors), "losses": losses}


def one_is_out_of_memory(crew: Crew) -> dict[str, Any]:
    """In the middle of it: the second process, at its judging of a part of two cuts."""
    trainer = tiny_trainer(crew, **{**CHANGES, "adversarial": 0.0, "batch_size": 4})
    whole, seen = Trainer._judged, []

    def crowded(self: Trainer, sung: torch.Tensor, target: torch.Tensor) -> Any:
        seen.append(len(sung))
        if crew.rank == 1 and len(sung) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return whole(self, sung, target)

    Trainer._judged = crowded  # type: ignore[method-assign]
    try:
        trainer.advance()
    finally:
        Trainer._judged = whole  # type: ignore[method-assign]
    return {"pieces": trainer.pieces, "seen": seen, "bits": bits(dict(trainer.network.state_dict()))}


def one_has_no_room_for_the_critics(crew: Crew) -> dict[str, Any]:
    """At the critics' first step, where the other one has stepped: both end, and none waits for the other."""
    trainer = tiny_trainer(crew, **{**CHANGES, "adversarial": 0.0})
    trainer.invite_critics()
    assert trainer.critics_optimiser is not None
    if crew.rank == 1:

        def full(*_: object) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

        trainer.critics_optimiser.step = full  # type: ignore[method-assign]
    try:
        trainer.advance()
    except CovermakerError as error:
        return {"said": error.message}
    return {"said": "nothing"}


def one_goes_astray(crew: Crew) -> dict[str, Any]:
    trainer = tiny_trainer(crew)
    trainer.advance()
    if crew.rank == 1:
        for example in trainer.dataset.examples:
            example.target[:] = np.nan
    try:
        trainer.advance()
    except CovermakerError as error:
        return {"said": error.message, "step": trainer.step}
    return {"said": "nothing"}


def stopped_and_resumed(crew: Crew, folder: Path) -> dict[str, Any]:
    class EnoughError(CovermakerError):
        pass

    def stop(event: object) -> None:
        if type(event).__name__ == "TrainingScored" and event.step == 8:  # type: ignore[attr-defined]
            raise EnoughError("enough")

    whole = run_tiny(folder / "whole", crew=crew, **CHANGES)
    ended = "by itself"
    try:
        run_tiny(folder / "torn", crew=crew, listener=stop, **CHANGES)
    except CovermakerError as error:
        ended = type(error).__name__
    torn = run_tiny(folder / "torn", crew=crew, resume=True, **CHANGES)
    found = {}
    for name in ("whole", "torn"):
        checkpoint = load_latest(folder / name / "training" / "checkpoints")
        assert checkpoint is not None
        states = [checkpoint.state["rng"], *checkpoint.state["other_rngs"]]
        found[name] = [bits(checkpoint.tensors), states]
    return {"ended": ended, "steps": [whole["steps"], torn["steps"]], **found}


def early_stop(crew: Crew, folder: Path) -> dict[str, Any]:
    """Only the leader has scores."""
    scores = iter([0.5, 0.7, 0.6, 0.6, 0.6, 0.9])
    whole = saving.score_voice
    saving.score_voice = lambda *a, **k: {"score": next(scores)}  # type: ignore[assignment]
    try:
        done = run_tiny(folder / "early", crew=crew, steps=12, saves=6, patience=2, phrases=["any"])
    finally:
        saving.score_voice = whole
    return {"steps": done["steps"], "early": done["stopped_early"]}


def budget(crew: Crew, folder: Path) -> dict[str, Any]:
    """The clock of the leader decides, though the other's stands still."""
    if crew.rank == 1:
        import time

        time.monotonic = lambda: 0.0
    return {"steps": run_tiny(folder / "budget", crew=crew, seconds=1.0, steps=1_000_000)["steps"]}


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    crew = Several("cpu")
    found = {
        "gradients": averaged_gradients(crew),
        "weights": same_weights(crew),
        "memory": one_is_out_of_memory(crew),
        "critics": one_has_no_room_for_the_critics(crew),
        "astray": one_goes_astray(crew),
        "resume": stopped_and_resumed(crew, folder),
        "early": early_stop(crew, folder),
        "budget": budget(crew, folder),
    }
    (folder / f"found-{crew.rank}.json").write_text(json.dumps(found))
    crew.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
