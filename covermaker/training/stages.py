"""The stages of a training, and what people call them: the same in the studio and on the command line."""

from __future__ import annotations

from typing import Final

# What a training does before, while and after it makes steps, by what it calls that.
PHASES: Final = {
    "clips": "cutting the takes",
    "features": "hearing the takes",
    "phrases": "making the test phrases",
    "index": "building the index",
    "train": "training",
    "scores": "scoring a save",
}


def phase_words(step: str) -> str:
    """Say what a step of a training does, be it a stage of a render: ``train: features``; others go by their names."""
    of, _, stage = step.rpartition(": ")
    if of == "train":
        return f"{of}: {PHASES.get(stage, stage)}"
    return step if step == "train" else PHASES.get(step, step)


# Those before the first step.
PREPARING: Final = frozenset({"clips", "features", "phrases", "index"})
