"""The trainer: batches in, a network with averaged weights out.

Every random draw comes from one generator, whose state a checkpoint holds: on a CPU with the same number of threads a
run that was stopped and taken up again ends with the same bits as one that was not. With a wall-clock budget the
learning rate falls with the time spent, so that training ends well wherever the machine's speed lets it end; the
result then depends on that speed. Of several processes (`crew`) each has a generator of its own, and all are kept.
"""

from __future__ import annotations

import copy
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from covermaker.errors import CovermakerError, ProjectError, ResourceError
from covermaker.training.checkpoint import Checkpoint, moments, set_moments
from covermaker.training.crew import ALONE, Crew
from covermaker.training.dataset import Draw
from covermaker.training.discriminators import Critics, critic_loss, feature_loss, generator_loss
from covermaker.training.losses import SpectralLoss
from covermaker.training.machine import peak_memory_bytes
from covermaker.training.memory import cluster_means
from covermaker.voices.networks.base import voiced_edges
from covermaker.voices.networks.ddsp_config import DdspConfig
from covermaker.voices.networks.ddsp_network import DdspNetwork
from covermaker.weights.device import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from covermaker.training.dataset import Dataset
    from covermaker.training.profiles import Recipe

_MOST_NORM = 2.0  # gradients are scaled down to this
_FEATURE_WEIGHT = 2.0
_ADVERSARIAL_WEIGHT = 0.1  # against a spectral loss of order 1


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


class Trainer:
    """A network in training.

    Parameters
    ----------
    config : DdspConfig
    dataset : Dataset
        Its sample rate and content width must be the network's.
    recipe : Recipe
    seed : int
    device : str
    seconds : float, optional
        A wall-clock budget in place of the recipe's steps.
    half : bool
        The trunk in bfloat16.
    crew : Crew
        The processes that train together.
    """

    def __init__(
        self,
        config: DdspConfig,
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
        shared = np.random.default_rng([seed, 0])
        self.rng = np.random.default_rng([seed, 1, crew.rank] if crew.rank else [seed, 1])
        self.network = DdspNetwork(config).to(device)
        mean, spread = (torch.from_numpy(array) for array in dataset.content_statistics())
        self.network.content_mean.copy_(mean)
        self.network.content_spread.copy_(spread)
        with torch.no_grad():
            rows = self.network.standardised(torch.from_numpy(dataset.clean_content()).to(device))
        self.network.memory.copy_(
            torch.from_numpy(cluster_means(rows.cpu().numpy(), config.memory_rows, shared))
        )
        crew.same_start(self.network)
        self.average = copy.deepcopy(self.network).eval()
        self.loss_of = SpectralLoss(config.sample_rate).to(device)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.peak_rate, betas=(0.9, 0.98), weight_decay=1e-3, fused=True
        )
        self.critics: Critics | None = None
        self.critics_optimiser: torch.optim.AdamW | None = None
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

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        recipe = self.recipe
        cosine = 0.5 * (1.0 + math.cos(math.pi * self.fraction))
        rate = recipe.final_rate + (recipe.peak_rate - recipe.final_rate) * cosine
        return rate * min(1.0, (self.step + 1) / max(1, recipe.warm_steps))

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
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        if self.critics is None and self.fraction >= self.recipe.adversarial:
            self._invite_critics()
        draw = self._draw()
        parts = self.crew.average(self._gradients(draw))
        loss = sum(parts.values())
        if not math.isfinite(loss):
            worst = next((name for name, value in parts.items() if not math.isfinite(value)), "sum")
            raise AstrayError(
                f"training went astray at step {self.step}: the {worst} loss is {parts.get(worst, loss)}",
                hint="look at the takes with: covermaker voices scan; or train with a lower recipe.peak_rate",
            )
        with self._never_in_parts("the averaging of the gradients"):
            self.crew.average_gradients(self.network.parameters())
            clip = partial(torch.nn.utils.clip_grad_norm_, self.network.parameters(), _MOST_NORM)
            norm = self.crew.together(clip)
        if not bool(torch.isfinite(norm)):
            raise AstrayError(
                f"training went astray at step {self.step}: the gradient is no number",
                hint="look at the takes with: covermaker voices scan; or train with a lower recipe.peak_rate",
            )
        with self._never_in_parts("the optimiser"):
            self.crew.together(self.optimiser.step)
        _follow(self.average, self.network, min(self.recipe.averaging, (self.step + 1) / (self.step + 10)))
        self.step += 1
        seconds = self.crew.from_leader(time.monotonic() - started)
        self.spent_seconds += seconds
        return Report(self.step, self.fraction, loss, parts, rate, seconds, peak_memory_bytes(self.device))

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

    def _gradients(self, draw: Draw) -> dict[str, float]:
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

    def _in_pieces(self, draw: Draw) -> dict[str, float]:
        self.optimiser.zero_grad(set_to_none=True)
        total: dict[str, float] = {}
        end = 0
        for part in draw.cut(self.pieces):
            size = len(part.batch.f0_hz)
            end += size
            weight = size / len(draw.batch.f0_hz)
            for name, value in self._part(part, weight, end).items():
                total[name] = total.get(name, 0.0) + value * weight
        return total

    def _part(self, part: Draw, weight: float, end: int) -> dict[str, float]:
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

    def _sung(self, part: Draw) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
        sung, target = self.sing(part)
        return sung, target, {"spectral": self.loss_of(sung, target)}

    def _learn(
        self, sung: torch.Tensor, target: torch.Tensor, losses: dict[str, torch.Tensor], weight: float
    ) -> dict[str, float]:
        if self.critics is not None:
            losses = losses | self._judged(sung, target)
        loss = torch.stack([value * weight for value in losses.values()]).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return {name: float(value.detach()) for name, value in losses.items()}

    def _draw(self) -> Draw:
        batch = self.dataset.batch(self.batch_size, self.rng)
        size, frames = batch.f0_hz.shape
        rng = self.rng
        return Draw(
            batch,
            jitter=rng.standard_normal(batch.content.shape, dtype=np.float32)
            * np.float32(self.recipe.content_noise),
            noise=(2.0 * rng.random((size, frames * self.config.hop_samples), dtype=np.float32) - 1.0)
            * np.float32(3.0**0.5),
            recall=rng.random((size, 1, 1), dtype=np.float32),
        )

    def sing(self, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the network makes of a batch, and what it should make: (B, samples) both."""
        batch = draw.batch

        def there(values: np.ndarray[Any, Any]) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

        content = there(batch.content) + there(draw.jitter) * self.network.content_spread
        edges = [voiced_edges(row) for row in batch.f0_hz]
        left, right = (there(np.stack(side).astype(np.float32)) for side in zip(*edges, strict=True))
        with torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16, enabled=self.half):
            # Any mixture of the given and the remembered is met, from all of one to all of the other.
            controls = self.network.controls(
                content,
                there(batch.f0_hz),
                there(batch.loudness_db),
                there(batch.speaker),
                recall=there(draw.recall),
            )
        controls = {name: bands.float() for name, bands in controls.items()}
        sung = self.network.signal(controls, left, right, there(batch.phase_cycles), there(draw.noise))
        return sung, there(batch.target)

    def _invite_critics(self) -> None:
        """Make the discriminators, from a seed of their own: the run's generator does not notice."""
        with self._never_in_parts("the network of the discriminators"):
            self.critics = self.crew.together(lambda: Critics(seed=self.step).to(self.device))
        self.crew.same_start(self.critics)
        self.critics_optimiser = torch.optim.AdamW(
            self.critics.parameters(), lr=2e-4, betas=(0.8, 0.99), weight_decay=1e-3, fused=True
        )

    def _teach_critics(self, sung: torch.Tensor, target: torch.Tensor) -> None:
        """Fill the discriminators' gradients."""
        assert self.critics is not None
        assert self.critics_optimiser is not None
        self.critics_optimiser.zero_grad(set_to_none=True)
        loss = critic_loss(self.critics(target), self.critics(sung.detach()))
        loss.backward()  # type: ignore[no-untyped-call]

    def _step_critics(self) -> None:
        assert self.critics is not None
        # Where one process has stepped and another has not, there is no trying again.
        with self._never_in_parts("the step of the discriminators"):
            self.crew.average_gradients(self.critics.parameters())
            self.crew.together(self._move_critics)

    def _move_critics(self) -> None:
        assert self.critics is not None
        assert self.critics_optimiser is not None
        torch.nn.utils.clip_grad_norm_(self.critics.parameters(), _MOST_NORM)
        self.critics_optimiser.step()

    def _judged(self, sung: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what the discriminators think of the network."""
        assert self.critics is not None
        self.critics.requires_grad_(False)
        try:
            with torch.no_grad():
                real = self.critics(target)
            fake = self.critics(sung)
        finally:  # when memory runs out they must go on learning, with a smaller part
            self.critics.requires_grad_(True)
        return {
            "adversarial": _ADVERSARIAL_WEIGHT * generator_loss(fake),
            "features": _ADVERSARIAL_WEIGHT * _FEATURE_WEIGHT * feature_loss(real, fake),
        }

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
            "network": self.config.to_mapping(),
            **more,
        }
        return Checkpoint({name: value.clone() for name, value in tensors.items()}, state)

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
        if state["network"] != self.config.to_mapping():
            raise ProjectError(
                "the checkpoint belongs to a network of another shape",
                hint="begin again with --force, or go back to the profile that it was trained with",
            )
        self.network.load_state_dict(checkpoint.part("weights"))
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
        states = random_states_of(checkpoint)
        if self.crew.rank < len(states):
            self.rng.bit_generator.state = states[self.crew.rank]
        else:
            self.rng = np.random.default_rng([self.seed, 1, self.crew.rank, self.step])


def random_states_of(checkpoint: Checkpoint) -> list[Any]:
    """Return the generators' states in a checkpoint, one for every process that made it."""
    return [checkpoint.state["rng"], *checkpoint.state.get("other_rngs", [])]


@torch.no_grad()
def _follow(average: DdspNetwork, network: DdspNetwork, decay: float) -> None:
    for kept, fresh in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(fresh, 1.0 - decay)
