"""Checkpoints on the disk: which one is taken, and what is said when none can be or none can be written."""

from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from covermaker.errors import ResourceError, WeightsError
from covermaker.training.checkpoint import (
    Checkpoint,
    checkpoint_path,
    load_checkpoint,
    load_latest,
    newest_whole,
    prune,
    save_checkpoint,
    steps_kept,
)


def keep(folder: Path, *steps: int) -> None:
    for step in steps:
        save_checkpoint(Checkpoint({"weights/a": torch.full((3,), float(step))}, {"step": step}), folder)


def test_the_newest_whole_one_is_taken(tmp_path: Path) -> None:
    assert newest_whole(tmp_path / "nowhere") is None
    assert load_latest(tmp_path) is None
    keep(tmp_path, 1, 2, 30)
    found = load_latest(tmp_path)
    assert found is not None
    assert found.state["step"] == 30
    checkpoint_path(tmp_path, 30).write_bytes(checkpoint_path(tmp_path, 30).read_bytes()[:-1])
    assert newest_whole(tmp_path) == checkpoint_path(tmp_path, 2)
    found = load_latest(tmp_path)
    assert found is not None
    assert found.part("weights")["a"].tolist() == [2.0] * 3


def test_of_damaged_ones_alone_nothing_is_taken(tmp_path: Path) -> None:
    for step, left in ((1, b""), (2, b"nothing of the kind"), (3, b"\xff" * 64)):
        checkpoint_path(tmp_path, step).write_bytes(left)
    for take in (newest_whole, load_latest):
        with pytest.raises(WeightsError, match="can be read: 3 are damaged") as refused:
            take(tmp_path)
        assert "--force" in str(refused.value.hint)
    with pytest.raises(WeightsError, match="cannot be read") as refused:
        load_checkpoint(checkpoint_path(tmp_path, 2))
    assert refused.value.hint


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(ResourceError, match=r"step-000000007\.safetensors'.*No space left"):
        keep(tmp_path, 7)
    assert list(tmp_path.iterdir()) == []


def test_one_that_cannot_be_taken_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, 1, 2, 3, 4)
    prune(tmp_path, newest=2, also=[1])
    assert steps_kept(tmp_path) == [1, 3, 4]

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ResourceError, match="permission denied"):
        prune(tmp_path, newest=1, also=[])
