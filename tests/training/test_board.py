"""What TensorBoard is given; the package itself is not needed for it."""

import json
import sys
import types
from pathlib import Path
from typing import ClassVar

import pytest
from tiny_training import run_tiny

from covermaker.errors import UsageError
from covermaker.training import board, saving


class Writer:
    """Stands for ``torch.utils.tensorboard.SummaryWriter``."""

    made: ClassVar[list["Writer"]] = []

    def __init__(self, folder: str, *, purge_step: int) -> None:
        self.folder, self.purge_step, self.closed = folder, purge_step, False
        self.seen: list[tuple[str, float, int]] = []
        Writer.made.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.seen.append((name, value, step))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Writer]:
    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setattr(board, "find_spec", lambda name: object())
    monkeypatch.setattr(Writer, "made", [])
    return Writer.made


def test_curves_and_scores_are_written(
    tmp_path: Path, written: list[Writer], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"score": 0.5, "spoken": {"similarity": 0.75, "cer": None}}
    monkeypatch.setattr(saving, "score_voice", lambda *a, **k: dict(found))
    run_tiny(tmp_path, steps=20, saves=2, tensorboard=True, phrases=["any"])
    (one,) = written
    assert one.folder == str(tmp_path / "training" / "tensorboard")
    assert one.closed
    lines = (tmp_path / "training" / "history.jsonl").read_text().splitlines()
    for line in map(json.loads, lines):
        for name in ("loss", "spectral", "rate", "seconds_per_step"):
            assert (name, line[name], line["step"]) in one.seen
    assert [(name, value, step) for name, value, step in one.seen if "/" in name or name == "score"] == [
        ("score", 0.5, 10), ("spoken/similarity", 0.75, 10), ("score", 0.5, 20), ("spoken/similarity", 0.75, 20),
    ]  # fmt: skip

    run_tiny(tmp_path, steps=30, saves=3, tensorboard=True, resume=True)
    assert written[1].purge_step == 21
    assert min(step for _, _, step in written[1].seen) > 20


def test_it_is_written_only_when_asked_for(tmp_path: Path, written: list[Writer]) -> None:
    run_tiny(tmp_path, steps=4)
    assert not written


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs the package tensorboard") as caught:
        board.check_tensorboard()
    assert caught.value.hint == "pip install tensorboard"
