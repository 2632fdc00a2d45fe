"""The trainer: batches in, a network that sings better out, whichever network it is.

`Trainer` knows how steps are taken: batches cut to fit the memory, discriminators, several processes; `state` how one
is kept and taken up. What is drawn, how it is sung and what is wrong with it, its subclasses say: `ddsp.DdspTrainer`
and `vits_trainer.VitsTrainer`.

Every random draw comes from one generator, whose state a checkpoint holds: on a CPU with the same number of threads a
run that was stopped and taken up again ends with the same bits as one that was not. With a wall-clock budget the
learning rate falls with the time spent, so that training ends well wherever the machine's speed lets it end; the
result then depends on that speed. Of several processes (`crew`) each has a generator of its own, and all are kept.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeAlias

import numpy as np
import torch

from covermaker.errors import CovermakerError
from covermaker.training.checkpoint import Checkpoint
from covermaker.training.crew import ALONE, Crew
from covermaker.training.machine import peak_memory_bytes
from covermaker.training.shortage import in_parts, never_in_parts
from covermaker.training.state import state_of, take_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from covermaker.training.dataset import Dataset
    from covermaker.training.profiles import Recipe

# What a network makes of a part, what it should make, and what is wrong with it: each loss a mean over the part.
Sung: TypeAlias = tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]

_MOMENTS_BYTES: Final = 12  # a weight: its gradient and two moments
_WEIGHT_BYTES: Final = 4


class AstrayError(CovermakerError):
    """The loss, or a gradient, stopped being a number."""

    @classmethod
    def at(cls, step: int, what: str) -> AstrayError:
        """Say what is no number."""
        return cls(
            f"training went astray at step {step}: {what}",
            hint="look at the takes with: covermaker voices scan; or train with a lower recipe.peak_rate",
        )


@dataclass(frozen=True)
class Report:
    """What one step did: for the history and the progress line."""

    step: int
    fraction: float
    loss: float
    parts: dict[str, float]
    rate: float
    seconds: float
    memory_bytes: int
    measured: dict[str, float] = field(default_factory=dict)  # of no part of the loss


class Config(Protocol):
    """What a network is built from; goes into the voice's card."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        ...

    def to_mapping(self) -> dict[str, Any]:
        """Return the card's table."""
        ...


class Drawn(Protocol):
    """A batch with all random numbers that its step needs, so that it can be cut into parts and tried again."""

    def __len__(self) -> int:
        """Return how many cuts it has."""
        ...

    def cut(self, pieces: int) -> Sequence[Drawn]:
        """Return `pieces` parts of as equal size as can be."""
        ...


class Trainer(ABC):
    """A network in training.

    A subclass makes `network`, `average` and `optimiser` when it is made.

    Parameters
    ----------
    config : Config
    dataset : Dataset
        Its sample rate and content width must be the network's.
    recipe : Recipe
    seed : int
    device : str
    seconds : float, optional
        A wall-clock budget in place of the recipe's steps.
    half : bool
        What can be in half precision.
    crew : Crew
        The processes that train together.
    """

    KIND: ClassVar[str]  # of the network, as on a card
    MOST_NORM: ClassVar[float]  # gradients are scaled down to this

    network: torch.nn.Module
    average: torch.nn.Module  # what comes out; the network itself, or one that follows it
    optimiser: torch.optim.AdamW
    critics: torch.nn.Module | None
    critics_optimiser: torch.optim.AdamW | None

    def __init__(
        self,
        config: Config,
        dataset: Dataset,
        recipe: Recipe,
        *,
        seed: int = 1,
        device: str = "cpu",
        seconds: float | None = None,
        half: bool = False,
        crew: Crew = ALONE,
    ) -> None:
        self.config, self.dataset, self.recipe = config, dataset, recipe
        self.crew, self.seed = crew, seed
        self.device, self.seconds, self.half = device, seconds, half
        self.batch_size = recipe.batch_size
        torch.manual_seed(seed)
        self.shared_rng = np.random.default_rng([seed, 0])
        self.rng = np.random.default_rng([seed, 1, crew.rank] if crew.rank else [seed, 1])
        self.critics, self.critics_optimiser = None, None
        self.measured: dict[str, float] = {}  # in this step, beside the losses
        self.step = 0
        self.spent_seconds = 0.0  # of a budget: steps and scores
        self.stepped_seconds = 0.0  # in steps alone
        self.pieces = 1  # into how many parts a batch is cut so that it fits into memory
        self._taught = False  # whether the critics have learned from the step's batch

    @property
    def fraction(self) -> float:
        """How much of the training is done, 0..1."""
        if self.seconds is not None:
            return min(1.0, self.spent_seconds / self.seconds)
        return min(1.0, self.step / self.recipe.steps)

    @abstractmethod
    def rate(self) -> float:
        """Return the learning rate of the next step."""

    @abstractmethod
    def _draw(self) -> Drawn:
        """Draw the step's batch."""

    @property
    def seconds_per_step(self) -> float:
        """How long a step has taken, without the scores between them."""
        return self.stepped_seconds / max(1, self.step)

    @abstractmethod
    def _sung(self, part: Any) -> Sung:
        """Return what the network makes of a part, what it should make, and what is wrong with it."""

    def _shares(self, part: Any, draw: Any) -> Mapping[str, float]:
        """Return the share of a batch that a part has in losses that are no mean over its cuts."""
        return {}

    @abstractmethod
    def _make_critics(self) -> tuple[torch.nn.Module, torch.optim.AdamW]:
        """Make the discriminators, without the run's generator."""

    @abstractmethod
    def _critics_size(self) -> int:
        """Return how many weights the discriminators have."""

    @abstractmethod
    def _critics_loss(self, sung: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return how wrong the discriminators are."""

    @abstractmethod
    def _judged(self, sung: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what the discriminators think of the network."""

    @classmethod
    @abstractmethod
    def sung_weights(cls, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Return the tensors of a voice's file: what a checkpoint, or the part ``average`` of one, sings with."""

    def voice_weights(self) -> Mapping[str, torch.Tensor]:
        """Return the tensors of a voice's file as they are now."""
        kept = {f"average/{name}": value for name, value in self.average.state_dict().items()}
        return self.sung_weights(Checkpoint(kept, {}))

    def _set_rate(self, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def advance(self) -> Report:
        """Take one step.

        Raises
        ------
        AstrayError
            When the loss is no number; the weights are those before the step.
        ResourceError
            When not even a single cut fits into memory, or what cannot be cut does not.
        """
        started = time.monotonic()
        rate = self.rate()
        if self.critics is None and self.fraction >= self.recipe.adversarial:
            self.invite_critics()
        self._set_rate(rate)
        self.measured = {}
        draw = self._draw()
        parts = self.crew.average(self._gradients(draw))
        loss = sum(parts.values())
        if not self._is_believed(loss, self.optimiser):
            worst = next((name for name, value in parts.items() if not math.isfinite(value)), "sum")
            raise AstrayError.at(self.step, f"the {worst} loss is {parts.get(worst, loss)}")
        with never_in_parts(self.step, "the averaging of the gradients"):
            self.crew.average_gradients(self.network.parameters())
        self._descended(self.network, self.optimiser, "the optimiser", "the gradient is no number")
        if self.average is not self.network:
            _follow(
                self.average, self.network, min(self.recipe.averaging, (self.step + 1) / (self.step + 10))
            )
        self.step += 1
        seconds = self.crew.from_leader(time.monotonic() - started)
        self.spent_seconds += seconds
        self.stepped_seconds += seconds
        memory_bytes = peak_memory_bytes(self.device)
        return Report(self.step, self.fraction, loss, parts, rate, seconds, memory_bytes, self.measured)

    def _descended(
        self, network: torch.nn.Module, optimiser: torch.optim.AdamW, what: str, astray: str
    ) -> None:
        """Take the step that the gradients say, unless they are no numbers."""
        # Where one process has stepped and another has not, there is no trying again.
        with never_in_parts(self.step, what):
            norm = self.crew.together(partial(self._clipped, network, optimiser))
        if not self._is_believed(norm, optimiser):
            raise AstrayError.at(self.step, astray)
        with never_in_parts(self.step, what):
            self.crew.together(partial(self._move, optimiser))

    def _clipped(self, network: torch.nn.Module, optimiser: torch.optim.AdamW) -> torch.Tensor:
        """Scale a network's gradients down to the most that is allowed; return their norm before."""
        return torch.nn.utils.clip_grad_norm_(network.parameters(), self.MOST_NORM)

    def _is_believed(self, value: torch.Tensor | float, optimiser: torch.optim.AdamW) -> bool:
        """Tell whether the training may go on with a loss, or with an optimiser's gradients of a norm."""
        return math.isfinite(value)

    def _move(self, optimiser: torch.optim.AdamW) -> None:
        optimiser.step()

    def _descend(self, loss: torch.Tensor, optimiser: torch.optim.AdamW) -> None:
        """Add a loss's gradients."""
        loss.backward()  # type: ignore[no-untyped-call]

    def _gradients(self, draw: Drawn) -> dict[str, float]:
        """Fill the gradients; on running out of memory, cut the batch in half and try again."""
        self._taught = False
        return in_parts(self, partial(self._in_pieces, draw))

    def _in_pieces(self, draw: Drawn) -> dict[str, float]:
        """Fill the gradients; before, the critics learn from all parts together, unless they have in this step.

        Between the stages the processes look round for one that is out of memory. Of several parts each is sung twice,
        for the critics and for the network: no two fit into the memory at once.
        """
        parts = draw.cut(self.pieces)
        sung: Sung | None = None
        if self.critics is not None and self.critics_optimiser is not None and not self._taught:
            self.critics_optimiser.zero_grad(set_to_none=True)
            self.measured["critics"] = 0.0
            for part in parts:
                alone = len(parts) == 1
                sung = self.crew.together(partial(self._teach_critics, part, len(part) / len(draw), alone))
            with never_in_parts(self.step, "the step of the discriminators"):
                self.crew.average_gradients(self.critics.parameters())
            self._descended(
                self.critics, self.critics_optimiser, "the step of the discriminators",
                "the gradient of the discriminators is no number",
            )  # fmt: skip
            self._taught = True
        self.optimiser.zero_grad(set_to_none=True)
        total: dict[str, float] = {}
        for part in parts:
            for name, value in self.crew.together(partial(self._learn, part, draw, sung)).items():
                total[name] = total.get(name, 0.0) + value
        return total

    def _teach_critics(self, part: Drawn, weight: float, alone: bool) -> Sung | None:
        """Add a part's gradients to the discriminators'; return what was sung where it is sung once."""
        assert self.critics_optimiser is not None
        with torch.set_grad_enabled(alone):
            sung = self._sung(part)
        loss = weight * self._critics_loss(sung[0], sung[1])
        self._descend(loss, self.critics_optimiser)
        self.measured["critics"] += float(loss.detach())
        return sung if alone else None

    def _learn(self, part: Drawn, draw: Drawn, already: Sung | None) -> dict[str, float]:
        """Add a part's gradients; return its share of each of the batch's losses."""
        sung, target, losses = already or self._sung(part)
        if self.critics is not None:
            losses = losses | self._judged(sung, target)
        shares = self._shares(part, draw)
        shared = {name: value * shares.get(name, len(part) / len(draw)) for name, value in losses.items()}
        self._descend(torch.stack(list(shared.values())).sum(), self.optimiser)
        return {name: float(value.detach()) for name, value in shared.items()}

    def invite_critics(self) -> None:
        """Make the discriminators, the same in all processes."""
        with never_in_parts(self.step, "the network of the discriminators"):
            self.critics, self.critics_optimiser = self.crew.together(self._make_critics)
        self.crew.same_start(self.critics)

    @contextmanager
    def _critics_at_rest(self) -> Iterator[torch.nn.Module]:
        """Give the discriminators, to be asked and not to learn."""
        assert self.critics is not None
        self.critics.requires_grad_(False)
        try:
            yield self.critics
        finally:  # when memory runs out they must go on learning, with a smaller part
            self.critics.requires_grad_(True)

    def bytes_to_come(self) -> int:
        """Return what the training will hold beside its batches, once every network has taken a step."""
        growth = _MOMENTS_BYTES * sum(weight.numel() for weight in self.network.parameters())
        if self.recipe.adversarial < 1.0 and self.critics is None:
            growth += (_WEIGHT_BYTES + _MOMENTS_BYTES) * self._critics_size()
        return growth

    def random_states(self) -> list[Any]:
        """Return the state of every process's generator; all of them must ask."""
        return self.crew.everyone(self.rng.bit_generator.state)

    def checkpoint(self, random_states: list[Any], **more: Any) -> Checkpoint:
        """Return everything that `restore` needs, and `more` values of the caller's.

        Parameters
        ----------
        random_states : list
            What `random_states` returned after the last step.
        """
        return state_of(self, random_states, more)

    def facts(self) -> dict[str, Any]:
        """Return what a card tells of the training as it is at this step."""
        return {}

    def own_state(self) -> dict[str, Any]:
        """Return what this kind of training remembers beside; values that JSON knows."""
        return {}

    def take_own_state(self, state: Mapping[str, Any]) -> None:  # noqa: B027 -- not all have one
        """Take what `own_state` returned."""

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint.

        A process that had no part in it draws from a new generator, so a run that goes on with another number of
        processes goes on well, but not as it would have.

        Raises
        ------
        ProjectError
            When it belongs to another network.
        """
        take_up(self, checkpoint)


@torch.no_grad()
def _follow(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    for kept, fresh in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(fresh, 1.0 - decay)
