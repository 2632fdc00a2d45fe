"""Several processes train one network: two, over gloo, on the CPU, started as a person starts them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_training import run_tiny
from two_processes import CHANGES, tiny_trainer

from covermaker.graph.events import Note
from covermaker.training.crew import ALONE
from covermaker.training.dataset import Batch, Draw

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "two_processes.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*command, str(PROGRAM), str(place)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def found(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"found-{rank}.json").read_text()) for rank in (0, 1)]


def test_gradients_are_those_of_both_batches(found: list[dict[str, Any]]) -> None:
    first, second = (one["gradients"] for one in found)
    assert first["target"] != second["target"]  # each drew its own
    assert first["shared"] == second["shared"]
    mean = (np.array(first["own"]) + np.array(second["own"])) / 2
    assert np.allclose(first["shared"], mean, rtol=1e-5, atol=1e-7)

    # One process with both batches at once finds the same.
    alone = tiny_trainer(ALONE)
    draws = [alone._draw()]
    alone.rng = np.random.default_rng([3, 1, 1])
    draws.append(alone._draw())
    both = Draw(
        Batch(*(np.concatenate([getattr(d.batch, n) for d in draws]) for n in Batch.__dataclass_fields__)),
        *(np.concatenate([getattr(d, n) for d in draws]) for n in ("jitter", "noise", "recall")),
    )
    alone._gradients(both)
    gradient = torch.cat([p.grad.flatten() for p in alone.network.parameters() if p.grad is not None])
    assert np.allclose(first["shared"], gradient.numpy(), rtol=1e-3, atol=1e-6)


def test_all_hold_the_same_weights_at_all_times(found: list[dict[str, Any]]) -> None:
    first, second = (one["weights"] for one in found)
    assert first == second
    assert all(np.isfinite(first["losses"]))


def test_memory_that_runs_out_in_one_halves_the_batch_in_all(found: list[dict[str, Any]]) -> None:
    first, second = (one["memory"] for one in found)
    assert first == second
    assert first["pieces"] == 4
    assert first["seen"] == [4, 2, 1, 1, 1, 1]


def test_a_step_that_cannot_be_cut_ends_all(found: list[dict[str, Any]]) -> None:
    first, second = (one["critics"] for one in found)
    assert first == second
    assert first["said"] == "out of memory at step 0: the step of the discriminators does not fit"


def test_a_loss_that_is_no_number_in_one_stops_all(found: list[dict[str, Any]]) -> None:
    first, second = (one["astray"] for one in found)
    assert first == second
    assert "went astray at step 1" in first["said"]


def test_stopped_and_resumed_they_end_with_the_same_bits(found: list[dict[str, Any]]) -> None:
    first, second = (one["resume"] for one in found)
    assert first["ended"] == "EnoughError"
    assert second["ended"] == "ElsewhereError"
    for one in (first, second):
        assert one["steps"] == [12, 12]
        assert one["whole"] == one["torn"]
        assert len(one["whole"][1]) == 2
        assert one["whole"][1][0] != one["whole"][1][1]


def test_the_leader_decides_when_it_ends(found: list[dict[str, Any]]) -> None:
    for name in ("early", "budget"):
        assert found[0][name] == found[1][name]
    assert found[0]["early"] == {"steps": 8, "early": True}
    assert found[0]["budget"]["steps"] > 2


def test_only_the_leader_writes(folder: Path) -> None:
    lines = (folder / "whole" / "training" / "history.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == sorted(set(steps))
    assert steps[-1] == 12


def test_another_number_of_processes_takes_it_up_with_a_note(
    folder: Path, found: list[dict[str, Any]]
) -> None:
    notes = []
    done = run_tiny(
        folder / "torn", resume=True, listener=lambda e: notes.append(e) if isinstance(e, Note) else None,
        **{**CHANGES, "steps": 14},
    )  # fmt: skip
    assert done["steps"] == 14
    (note,) = notes
    assert note.text.startswith("this training was begun by 2 processes and goes on with 1:")
