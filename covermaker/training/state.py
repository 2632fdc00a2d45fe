"""A trainer's state as a checkpoint, and a trainer that goes on from one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.errors import ProjectError
from covermaker.training.checkpoint import Checkpoint, moments, set_moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.training.loop import Trainer


def state_of(trainer: Trainer, random_states: list[Any], more: Mapping[str, Any]) -> Checkpoint:
    """Return everything that `take_up` needs; see `Trainer.checkpoint`."""
    tensors = {f"weights/{name}": value for name, value in trainer.network.state_dict().items()}
    if trainer.average is not trainer.network:
        tensors |= {f"average/{name}": value for name, value in trainer.average.state_dict().items()}
    tensors |= moments("optimiser", trainer.optimiser)
    if trainer.critics is not None and trainer.critics_optimiser is not None:
        tensors |= {f"critics/{name}": value for name, value in trainer.critics.state_dict().items()}
        tensors |= moments("critics_optimiser", trainer.critics_optimiser)
    state = {
        "step": trainer.step,
        "spent_seconds": trainer.spent_seconds,
        "stepped_seconds": trainer.stepped_seconds,
        "pieces": trainer.pieces,
        "rng": random_states[0],
        "other_rngs": random_states[1:],
        "half": trainer.half,
        "kind": trainer.KIND,
        "network": trainer.config.to_mapping(),
        **trainer.own_state(),
        **more,
    }
    return Checkpoint({name: value.clone() for name, value in tensors.items()}, state)


def take_up(trainer: Trainer, checkpoint: Checkpoint) -> None:
    """Give a trainer a checkpoint's state; see `Trainer.restore`."""
    state = checkpoint.state
    if (state.get("kind", "ddsp"), state["network"]) != (trainer.KIND, trainer.config.to_mapping()):
        raise ProjectError(
            "the checkpoint belongs to a network of another shape",
            hint="begin again with --force, or go back to the profile that it was trained with",
        )
    trainer.network.load_state_dict(checkpoint.part("weights"))
    if trainer.average is not trainer.network:
        trainer.average.load_state_dict(checkpoint.part("average"))
    set_moments(trainer.optimiser, checkpoint.part("optimiser"))
    trainer.step, trainer.spent_seconds = int(state["step"]), float(state["spent_seconds"])
    trainer.stepped_seconds = float(
        state.get("stepped_seconds", trainer.spent_seconds)
    )  # older ones have one clock
    trainer.pieces, trainer.half = int(state["pieces"]), bool(state["half"])
    if critics := checkpoint.part("critics"):
        trainer.invite_critics()
        assert trainer.critics is not None
        assert trainer.critics_optimiser is not None
        trainer.critics.load_state_dict(critics)
        set_moments(trainer.critics_optimiser, checkpoint.part("critics_optimiser"))
    trainer.take_own_state(state)
    states = random_states_of(checkpoint)
    if trainer.crew.rank < len(states):
        trainer.rng.bit_generator.state = states[trainer.crew.rank]
    else:
        trainer.rng = np.random.default_rng([trainer.seed, 1, trainer.crew.rank, trainer.step])


def random_states_of(checkpoint: Checkpoint) -> list[Any]:
    """Return the generators' states in a checkpoint, one for every process that made it."""
    return [checkpoint.state["rng"], *checkpoint.state.get("other_rngs", [])]
