"""How a training that has ended goes on: the command that takes it up, or begins it with what was prepared."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import CovermakerError
from covermaker.training.course import FOLDER, read_run
from covermaker.voices.card import CARD_FILE
from covermaker.voices.library import call_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BUDGET: Final = ("minutes", "steps")
_MACHINE: Final = ("threads", "device", "tensorboard")  # what a run does not keep
_BEGUN: Final = ("profile", "network", "encoder", "base", *_BUDGET, "seed")


def train_command(voice: str, wishes: Mapping[str, Any]) -> str:
    """Return ``covermaker train`` with the options that are set among the wishes, as a person types it.

    Parameters
    ----------
    voice : str
        What the command finds it by.
    wishes : mapping
        As `run.train_voice` takes them, by their names.
    """
    words = ["covermaker", "train", voice]
    for name, value in wishes.items():
        if value is None or value is False or (name, value) == ("device", "auto"):
            continue
        values = value if isinstance(value, list | tuple) else [value]
        words += [
            part for one in values for part in ([f"--{name}"] if one is True else [f"--{name}", _said(one)])
        ]
    return shlex.join(words)


def resume_command(home: Path) -> str:
    """Return the command that takes up the training of a voice."""
    return train_command(call_of(home), {"resume": True})


def going_on(home: Path, wishes: Mapping[str, Any], voice: str | None = None) -> str:
    """Return the command with which a training goes on that was ended after these wishes, wherever it was by then.

    Parameters
    ----------
    home : Path
        The voice's folder.
    wishes : mapping
        What it was asked for.
    voice : str, optional
        What the command finds it by, where a person has said it already.
    """
    voice = voice or call_of(home)
    machine = {name: wishes.get(name) for name in _MACHINE}
    try:
        run = read_run(home / FOLDER)
    except CovermakerError:  # it is begun again, whatever was there
        run = None
    if wishes.get("resume") or run is not None:
        budget = {name: wishes.get(name) for name in _BUDGET if wishes.get("resume")}
        return train_command(voice, {"resume": True, **({} if _is_kept(run, budget) else budget), **machine})
    begun = {name: wishes.get(name) for name in _BEGUN}
    return train_command(voice, {**begun, **machine, "force": (home / CARD_FILE).exists()})


def _is_kept(run: Mapping[str, Any] | None, budget: Mapping[str, Any]) -> bool:
    """Tell whether the record of a run has the budget already."""
    profile = run.get("profile") if run is not None and run["status"] == "running" else None
    recipe = profile.get("recipe") if isinstance(profile, dict) else None
    if not isinstance(profile, dict) or not isinstance(recipe, dict):
        return False
    minutes, steps = budget.get("minutes"), budget.get("steps")
    if steps is not None:
        return profile.get("minutes") is None and recipe.get("steps") == steps
    return minutes is None or profile.get("minutes") == minutes


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
