"""A run that is killed and taken up again ends as one that was not; what it leaves on the disk is always whole."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import run_tiny

from covermaker.errors import WeightsError
from covermaker.graph.events import Note
from covermaker.training import saving
from covermaker.training import steps as training_steps
from covermaker.training.checkpoint import (
    Checkpoint,
    checkpoint_path,
    load_checkpoint,
    load_latest,
    save_checkpoint,
    steps_kept,
)
from covermaker.training.history import read_history
from covermaker.voices.voice import Voice

PROGRAM = Path(__file__).parent / "tiny_training.py"


def final_weights(home: Path) -> dict[str, torch.Tensor]:
    checkpoint = load_latest(home / "training" / "checkpoints")
    assert checkpoint is not None
    return checkpoint.tensors


def assert_same_bits(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_killed_ten_times_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    steps, saves = 400, 40
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    command = [sys.executable, str(PROGRAM)]
    subprocess.run([*command, str(whole), str(steps), str(saves)], check=True)
    rng = np.random.default_rng(11)
    kills = 0
    while kills < 10:
        # From the moment it trains: at any step, in a save, between a checkpoint and the voice.
        before = load_latest(torn / "training" / "checkpoints")
        reached = before.state["step"] if before else 0
        child = subprocess.Popen([*command, str(torn), str(steps), str(saves)])
        wanted = reached + int(rng.integers(1, max(2, (steps - reached) // (11 - kills))))
        history = torn / "training" / "history.jsonl"
        while child.poll() is None:
            lines = read_history(torn / "training") if history.exists() else []
            if lines and lines[-1]["step"] >= wanted:
                break
            time.sleep(0.005)
        assert child.poll() is None, "it ended before it was killed"
        time.sleep(float(rng.uniform(0.0, 0.05)))
        child.kill()
        child.wait()
        kills += 1
        for step in steps_kept(torn / "training" / "checkpoints"):
            assert (
                load_checkpoint(checkpoint_path(torn / "training" / "checkpoints", step)).state["step"]
                == step
            )
        if (torn / "card.toml").exists():
            Voice.open(torn).verify()
    subprocess.run([*command, str(torn), str(steps), str(saves)], check=True)
    assert_same_bits(final_weights(whole), final_weights(torn))
    assert Voice.open(whole).card.weights.sha256 == Voice.open(torn).card.weights.sha256
    losses = [
        [(line["step"], line["loss"]) for line in read_history(home / "training")] for home in (whole, torn)
    ]
    assert losses[0] == losses[1]


def test_a_run_in_two_halves_equals_a_whole_one(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop_at_second_save(event: object) -> None:
        if type(event).__name__ == "TrainingScored" and event.step == 30:  # type: ignore[attr-defined]
            raise Enough

    run_tiny(tmp_path / "whole")
    with pytest.raises(Enough):
        run_tiny(tmp_path / "halves", listener=stop_at_second_save)
    result = run_tiny(tmp_path / "halves", resume=True)
    assert result["steps"] == 60
    assert_same_bits(final_weights(tmp_path / "whole"), final_weights(tmp_path / "halves"))


def test_an_early_end_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after its last save and before it said that it is finished, a run ends when it is taken up."""

    class Killed(Exception):
        pass

    def kill(*_: object) -> None:
        raise Killed

    scores = iter([0.5, 0.7, 0.6, 0.6, 0.8, 0.8])
    monkeypatch.setattr(saving, "score_voice", lambda *a, **k: {"score": next(scores)})
    changes = {"steps": 24, "saves": 12, "patience": 2, "phrases": ["any"]}
    with monkeypatch.context() as patch:
        patch.setattr(training_steps, "write_run", kill)
        with pytest.raises(Killed):
            run_tiny(tmp_path, **changes)
    before = final_weights(tmp_path)
    notes: list[str] = []
    done = run_tiny(
        tmp_path, resume=True, listener=lambda e: notes.append(e.text) if isinstance(e, Note) else None, **changes
    )  # fmt: skip
    assert (done["steps"], done["step"], done["stopped_early"]) == (8, 4, True)
    assert_same_bits(before, final_weights(tmp_path))
    assert json.loads((tmp_path / "training" / "run.json").read_text())["status"] == "finished"
    assert "has not risen" in notes[0]
    # Asked for more, it goes on: also when that, too, was stopped before its first save.
    done = run_tiny(tmp_path, resume=True, more_from=8, **{**changes, "saves": 6, "steps": 10})
    assert done["steps"] == 10


def test_a_larger_budget_is_saved_over_its_whole_course_and_is_not_ended_by_the_scores_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.9, *[0.5] * 20])
    monkeypatch.setattr(saving, "score_voice", lambda *a, **k: {"score": next(scores)})
    changes = {"saves": 3, "patience": 3, "phrases": ["any"]}
    assert run_tiny(tmp_path, steps=12, **changes)["steps"] == 12
    done = run_tiny(tmp_path, resume=True, more_from=12, steps=48, **changes)
    assert (done["steps"], done["stopped_early"]) == (48, False)
    records = json.loads((tmp_path / "training" / "scores.json").read_text())
    assert [record["step"] for record in records] == [4, 8, 12, 16, 32, 48]
    assert load_latest(tmp_path / "training" / "checkpoints").state["chronicle"]["counted_from"] == 3  # type: ignore[union-attr]


def test_asked_for_more_and_stopped_it_goes_on_to_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scores of before would end it early; that more was asked for is known from the record and the checkpoint."""

    class Killed(Exception):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    scores = iter([0.9, *[0.5] * 20])
    monkeypatch.setattr(saving, "score_voice", lambda *a, **k: {"score": next(scores)})
    changes = {"saves": 12, "patience": 2, "phrases": ["any"]}
    assert run_tiny(tmp_path, steps=24, **changes)["steps"] == 6
    with monkeypatch.context() as patch:
        patch.setattr(saving, "save_checkpoint", kill)
        with pytest.raises(Killed):
            run_tiny(tmp_path, resume=True, more_from=6, steps=24, **changes)
    assert run_tiny(tmp_path, resume=True, more_from=6, steps=24, **changes)["steps"] == 10
    # The record still says from where on more was asked for: what the checkpoints have found since counts.
    assert run_tiny(tmp_path, resume=True, more_from=6, steps=24, **changes)["steps"] == 10


def test_a_run_that_is_taken_up_keeps_the_time_of_before(tmp_path: Path) -> None:
    run_tiny(tmp_path, steps=8)
    folder = tmp_path / "training" / "checkpoints"
    newest = load_latest(folder)
    assert newest is not None
    save_checkpoint(Checkpoint(newest.tensors, {**newest.state, "spent_seconds": 600.0}), folder)
    assert run_tiny(tmp_path, steps=8, resume=True)["minutes"] >= 10.0


def test_other_seeds_and_data_give_other_weights(tmp_path: Path) -> None:
    run_tiny(tmp_path / "a", steps=8)
    run_tiny(tmp_path / "b", steps=8, content_noise=0.2)
    assert not torch.equal(final_weights(tmp_path / "a")["weights/out.weight"],
                           final_weights(tmp_path / "b")["weights/out.weight"])  # fmt: skip


def test_a_checkpoint_holds_everything(tmp_path: Path) -> None:
    run_tiny(tmp_path, steps=8)
    checkpoint = load_latest(tmp_path / "training" / "checkpoints")
    assert checkpoint is not None
    assert {name.split("/")[0] for name in checkpoint.tensors} == {"weights", "average", "optimiser"}
    assert checkpoint.state["step"] == 8
    assert checkpoint.state["rng"]["bit_generator"] == "PCG64"
    assert [record["step"] for record in checkpoint.state["chronicle"]["scores"]] == [2, 4, 6, 8]


def test_the_last_two_and_the_best_are_kept(tmp_path: Path) -> None:
    run_tiny(tmp_path, steps=40, saves=8)
    assert steps_kept(tmp_path / "training" / "checkpoints") == [35, 40]
    scores = json.loads((tmp_path / "training" / "scores.json").read_text())
    assert [record["step"] for record in scores] == [5, 10, 15, 20, 25, 30, 35, 40]


def test_a_damaged_checkpoint_costs_one_save(tmp_path: Path) -> None:
    run_tiny(tmp_path / "a", steps=40)
    folder = tmp_path / "a" / "training" / "checkpoints"
    newest = checkpoint_path(folder, 40)
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="cannot be read"):
        load_checkpoint(newest)
    run_tiny(tmp_path / "a", steps=40, resume=True)
    run_tiny(tmp_path / "b", steps=40)
    assert_same_bits(final_weights(tmp_path / "a"), final_weights(tmp_path / "b"))


def test_nothing_is_pickled(tmp_path: Path) -> None:
    run_tiny(tmp_path, steps=4)
    suffixes = {file.suffix for file in tmp_path.rglob("*") if file.is_file()}
    assert suffixes <= {".safetensors", ".json", ".jsonl", ".toml", ".npy", ".npz", ".wav"}
