"""The trainer: batches in, a network that sings better out, whichever network it is.

`Trainer` knows how steps are taken: batches cut to fit the memory, discriminators, several processes, states that are
taken up. What is drawn, how it is sung and what is wrong with it, its subclasses say: `ddsp.DdspTrainer` and
`vits_trainer.VitsTrainer`.

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
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import torch

from covermaker.errors import CovermakerError, ProjectError, ResourceError
from covermaker.training.checkpoint import Checkpoint, moments, set_moments
from covermaker.training.crew import ALONE, Crew
from covermaker.training.machine import peak_memory_bytes
from covermaker.weights.device import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from covermaker.training.dataset import Dataset
    from covermaker.training.profiles import Recipe


class AstrayError(CovermakerError):
    """The loss stopped being a number."""


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
        self.spent_seconds = 0.0
        self.pieces = 1  # into how many parts a batch is cut so that it fits into memory
        self._taught = 0  # cuts of the step's batch that the critics have learned from

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

    @abstractmethod
    def _sung(self, part: Any) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
        """Return what the network makes of a part, what it should make, and what is wrong with it."""

    @abstractmethod
    def _make_critics(self) -> tuple[torch.nn.Module, torch.optim.AdamW]:
        """Make the discriminators, without the run's generator."""

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
        self._set_rate(rate)
        self.measured = {}
        if self.critics is None and self.fraction >= self.recipe.adversarial:
            self._invite_critics()
        draw = self._draw()
        parts = self.crew.average(self._gradients(draw))
        loss = sum(parts.values())
        if not self._is_believed(loss):
            worst = next((name for name, value in parts.items() if not math.isfinite(value)), "sum")
            raise AstrayError(
                f"training went astray at step {self.step}: the {worst} loss is {parts.get(worst, loss)}",
                hint="look at the takes with: covermaker voices scan; or train with a lower recipe.peak_rate",
            )
        with self._never_in_parts("the averaging of the gradients"):
            self.crew.average_gradients(self.network.parameters())
            norm = self.crew.together(partial(self._clipped, self.network, self.optimiser))
        if not self._is_believed(norm):
            raise AstrayError(
                f"training went astray at step {self.step}: the gradient is no number",
                hint="look at the takes with: covermaker voices scan; or train with a lower recipe.peak_rate",
            )
        with self._never_in_parts("the optimiser"):
            self.crew.together(partial(self._move, self.optimiser))
        if self.average is not self.network:
            _follow(
                self.average, self.network, min(self.recipe.averaging, (self.step + 1) / (self.step + 10))
            )
        self.step += 1
        seconds = self.crew.from_leader(time.monotonic() - started)
        self.spent_seconds += seconds
        memory_bytes = peak_memory_bytes(self.device)
        return Report(self.step, self.fraction, loss, parts, rate, seconds, memory_bytes, self.measured)

    def _clipped(self, network: torch.nn.Module, optimiser: torch.optim.AdamW) -> torch.Tensor:
        """Scale a network's gradients down to the most that is allowed; return their norm before."""
        return torch.nn.utils.clip_grad_norm_(network.parameters(), self.MOST_NORM)

    def _is_believed(self, value: torch.Tensor | float) -> bool:
        """Tell whether the training may go on with a loss, or with gradients of a norm."""
        return math.isfinite(value)

    def _move(self, optimiser: torch.optim.AdamW) -> None:
        optimiser.step()

    def _descend(self, loss: torch.Tensor, optimiser: torch.optim.AdamW) -> None:
        """Add a loss's gradients."""
        loss.backward()  # type: ignore[no-untyped-call]

    @contextmanager
    def _never_in_parts(self, what: str) -> Iterator[None]:
        """Turn memory that runs out into a line: smaller parts would not help, or come too late."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise ResourceError(
                f"out of memory at step {self.step}: {what} does not fit",
                hint="close other programs, or train with --device cpu",
            ) from error

    def _gradients(self, draw: Drawn) -> dict[str, float]:
        """Fill the gradients; on running out of memory, cut the batch in half and try again."""
        self._taught = 0
        while True:
            try:
                return self._in_pieces(draw)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.pieces >= self.batch_size:
                    seconds = self.recipe.clip_frames / 100
                    raise ResourceError(
                        f"out of memory at step {self.step}: not even one cut of {seconds:g} s fits",
                        hint="close other programs, or train with --device cpu",
                    ) from error
                self.pieces = min(self.batch_size, 2 * self.pieces)
                if self.device.startswith("cuda"):
                    torch.cuda.empty_cache()

    def _in_pieces(self, draw: Drawn) -> dict[str, float]:
        self.optimiser.zero_grad(set_to_none=True)
        total: dict[str, float] = {}
        end = 0
        for part in draw.cut(self.pieces):
            end += len(part)
            weight = len(part) / len(draw)
            for name, value in self._part(part, weight, end).items():
                total[name] = total.get(name, 0.0) + value * weight
        return total

    def _part(self, part: Drawn, weight: float, end: int) -> dict[str, float]:
        """Add a part's gradients; between its stages the processes look round for one that is out of memory.

        `end` counts the batch's cuts up to the part's last. Smaller parts of a second try lie within those of the
        first, and the critics are not taught again what they have learned from in it.
        """
        sung, target, losses = self.crew.together(partial(self._sung, part))
        if self.critics is not None and end > self._taught:
            self.crew.together(partial(self._teach_critics, sung, target))
            self._step_critics()
            self._taught = end
        return self.crew.together(partial(self._learn, sung, target, losses, weight))

    def _learn(
        self, sung: torch.Tensor, target: torch.Tensor, losses: dict[str, torch.Tensor], weight: float
    ) -> dict[str, float]:
        if self.critics is not None:
            losses = losses | self._judged(sung, target)
        loss = torch.stack([value * weight for value in losses.values()]).sum()
        self._descend(loss, self.optimiser)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _invite_critics(self) -> None:
        with self._never_in_parts("the network of the discriminators"):
            self.critics, self.critics_optimiser = self.crew.together(self._make_critics)
        self.crew.same_start(self.critics)

    def _teach_critics(self, sung: torch.Tensor, target: torch.Tensor) -> None:
        """Fill the discriminators' gradients."""
        assert self.critics_optimiser is not None
        self.critics_optimiser.zero_grad(set_to_none=True)
        self._descend(self._critics_loss(sung, target), self.critics_optimiser)

    def _step_critics(self) -> None:
        assert self.critics is not None
        # Where one process has stepped and another has not, there is no trying again.
        with self._never_in_parts("the step of the discriminators"):
            self.crew.average_gradients(self.critics.parameters())
            self.crew.together(self._move_critics)

    def _move_critics(self) -> None:
        assert self.critics is not None
        assert self.critics_optimiser is not None
        self._clipped(self.critics, self.critics_optimiser)
        self._move(self.critics_optimiser)

    @contextmanager
    def _critics_at_rest(self) -> Iterator[torch.nn.Module]:
        """Give the discriminators, to be asked and not to learn."""
        assert self.critics is not None
        self.critics.requires_grad_(False)
        try:
            yield self.critics
        finally:  # when memory runs out they must go on learning, with a smaller part
            self.critics.requires_grad_(True)

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
        tensors = {f"weights/{name}": value for name, value in self.network.state_dict().items()}
        if self.average is not self.network:
            tensors |= {f"average/{name}": value for name, value in self.average.state_dict().items()}
        tensors |= moments("optimiser", self.optimiser)
        if self.critics is not None and self.critics_optimiser is not None:
            tensors |= {f"critics/{name}": value for name, value in self.critics.state_dict().items()}
            tensors |= moments("critics_optimiser", self.critics_optimiser)
        state = {
            "step": self.step,
            "spent_seconds": self.spent_seconds,
            "pieces": self.pieces,
            "rng": random_states[0],
            "other_rngs": random_states[1:],
            "half": self.half,
            "kind": self.KIND,
            "network": self.config.to_mapping(),
            **self._own_state(),
            **more,
        }
        return Checkpoint({name: value.clone() for name, value in tensors.items()}, state)

    def facts(self) -> dict[str, Any]:
        """Return what a card tells of the training as it is at this step."""
        return {}

    def _own_state(self) -> dict[str, Any]:
        """Return what this kind of training remembers beside; values that JSON knows."""
        return {}

    def _take_own_state(self, state: Mapping[str, Any]) -> None:  # noqa: B027 -- not all have one
        """Take what `_own_state` returned."""

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint.

        A process that had no part in it draws from a new generator, so a run that goes on with another number of
        processes goes on well, but not as it would have.

        Raises
        ------
        ProjectError
            When it belongs to another network.
        """
        state = checkpoint.state
        if (state.get("kind", "ddsp"), state["network"]) != (self.KIND, self.config.to_mapping()):
            raise ProjectError(
                "the checkpoint belongs to a network of another shape",
                hint="begin again with --force, or go back to the profile that it was trained with",
            )
        self.network.load_state_dict(checkpoint.part("weights"))
        if self.average is not self.network:
            self.average.load_state_dict(checkpoint.part("average"))
        set_moments(self.optimiser, checkpoint.part("optimiser"))
        if critics := checkpoint.part("critics"):
            self._invite_critics()
            assert self.critics is not None
            assert self.critics_optimiser is not None
            self.critics.load_state_dict(critics)
            set_moments(self.critics_optimiser, checkpoint.part("critics_optimiser"))
        self.step, self.spent_seconds = int(state["step"]), float(state["spent_seconds"])
        self.pieces, self.half = int(state["pieces"]), bool(state["half"])
        self._take_own_state(state)
        states = random_states_of(checkpoint)
        if self.crew.rank < len(states):
            self.rng.bit_generator.state = states[self.crew.rank]
        else:
            self.rng = np.random.default_rng([self.seed, 1, self.crew.rank, self.step])


def random_states_of(checkpoint: Checkpoint) -> list[Any]:
    """Return the generators' states in a checkpoint, one for every process that made it."""
    return [checkpoint.state["rng"], *checkpoint.state.get("other_rngs", [])]


@torch.no_grad()
def _follow(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    for kept, fresh in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(fresh, 1.0 - decay)
