"""Checkpoints: one safetensors file each, which holds everything that a run needs to go on.

Tensors under ``weights/``, ``average/``, ``optimiser/`` (and ``critics/``, ``critics_optimiser/``); the rest, from the
step to the state of the random generators, as JSON in the file's header. A file is written whole or not at all, so a
run that is killed finds its last checkpoint as it was.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from covermaker.disk import disk_errors, encoder_error, replacing
from covermaker.errors import WeightsError
from covermaker.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import torch

FOLDER = "checkpoints"
_NAME = re.compile(r"step-(\d{9})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A state of training: named tensors, and everything else as values that JSON knows."""

    tensors: dict[str, torch.Tensor]
    state: dict[str, Any]

    def part(self, name: str) -> dict[str, torch.Tensor]:
        """Return the tensors below ``name/``."""
        return {
            key.removeprefix(f"{name}/"): value
            for key, value in self.tensors.items()
            if key.startswith(f"{name}/")
        }


def checkpoint_path(folder: Path, step: int) -> Path:
    """Return where the checkpoint of a step lies."""
    return folder / f"step-{step:09d}.safetensors"


def step_of(path: Path) -> int:
    """Return the step of a checkpoint's file, as its name says."""
    return int(path.stem.removeprefix("step-"))


def spent_seconds(path: Path) -> float:
    """Return how much of a wall-clock budget was spent by a checkpoint; 0 where it does not say.

    Raises
    ------
    WeightsError
        When it is missing or damaged.
    """
    with _opened(path) as (_, state):
        return float(state.get("spent_seconds", 0.0))


def steps_kept(folder: Path) -> list[int]:
    """Return the steps of all checkpoints of a folder, rising."""
    if not folder.is_dir():
        return []
    return sorted(int(match[1]) for file in folder.iterdir() if (match := _NAME.fullmatch(file.name)))


def save_checkpoint(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write a checkpoint under the step of its state, whole or not at all.

    Raises
    ------
    ResourceError
        When the disk is full or may not be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    path = checkpoint_path(folder, int(checkpoint.state["step"]))
    tensors = {name: value.detach().cpu().contiguous() for name, value in checkpoint.tensors.items()}
    with replacing(path) as temporary:
        try:
            save_file(tensors, temporary, metadata={"state": json.dumps(checkpoint.state)})
        except SafetensorError as error:  # it tells what the disk says in words of its own
            raise encoder_error(temporary, one_line(str(error))) from error
    return path


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    WeightsError
        When it is missing or damaged.
    """
    with _opened(path) as (file, state):
        return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, state)  # noqa: SIM118


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Give a checkpoint's file, whose length is that of what it claims to hold, and its state."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            yield file, json.loads((file.metadata() or {})["state"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(
            f"the checkpoint {path} cannot be read: {error}", hint="copy it back, or take another one"
        ) from error


def newest_whole(folder: Path) -> Path | None:
    """Return the newest checkpoint that is whole, or None where none was written.

    A damaged one costs the steps since the one before.

    Raises
    ------
    WeightsError
        When all that are there are damaged.
    """
    steps = steps_kept(folder)
    for step in reversed(steps):
        try:
            with _opened(path := checkpoint_path(folder, step)):
                return path
        except WeightsError:
            continue
    if steps:
        raise WeightsError(
            f"no checkpoint in {folder} can be read: {len(steps)} are damaged",
            hint="copy one back, or begin again with --force",
        )
    return None


def load_latest(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint; see `newest_whole`."""
    path = newest_whole(folder)
    return None if path is None else load_checkpoint(path)


def prune(folder: Path, *, newest: int, also: Sequence[int]) -> None:
    """Delete all checkpoints but the newest ones and those of the steps `also`."""
    kept = steps_kept(folder)
    with disk_errors(folder):
        for step in kept[: max(0, len(kept) - newest)]:
            if step not in also:
                checkpoint_path(folder, step).unlink(missing_ok=True)


def moments(name: str, optimiser: torch.optim.AdamW) -> dict[str, torch.Tensor]:
    """Return what an optimiser remembers of every weight, as tensors below ``name/``."""
    import torch

    state = optimiser.state_dict()["state"]
    return {
        f"{name}/{index}/{key}": torch.as_tensor(value)
        for index, values in state.items()
        for key, value in values.items()
    }


def set_moments(optimiser: torch.optim.AdamW, tensors: dict[str, torch.Tensor]) -> None:
    """Give an optimiser what `moments` returned, without the name."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition("/")
        state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
