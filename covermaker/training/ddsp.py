"""The training of our own network: what it is told, what is wrong with what it sings, and how fast it learns."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from covermaker.training.crew import ALONE, Crew
from covermaker.training.dataset import Draw
from covermaker.training.discriminators import Critics, critic_loss, feature_loss, generator_loss
from covermaker.training.loop import Trainer
from covermaker.training.losses import SpectralLoss
from covermaker.training.memory import cluster_means
from covermaker.voices.networks.base import voiced_edges
from covermaker.voices.networks.ddsp_network import DdspNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.training.checkpoint import Checkpoint
    from covermaker.training.dataset import Dataset
    from covermaker.training.profiles import Recipe
    from covermaker.voices.networks.ddsp_config import DdspConfig

_FEATURE_WEIGHT = 2.0
_ADVERSARIAL_WEIGHT = 0.1  # against a spectral loss of order 1
_CUT_BYTES = 60e6  # that a cut of 128 frames takes at 16 kHz and 256 channels, forward and backward


def cut_bytes(config: DdspConfig, recipe: Recipe) -> float:
    """Return how much memory a cut takes, forward and backward."""
    size = config.sample_rate / 16_000 + config.hidden * len(config.dilations) / 1024
    return _CUT_BYTES * 0.5 * size * recipe.clip_frames / 128


class DdspTrainer(Trainer):
    """See `Trainer`; half precision is of the trunk, in bfloat16."""

    KIND: ClassVar[str] = "ddsp"
    MOST_NORM: ClassVar[float] = 2.0

    config: DdspConfig
    network: DdspNetwork
    average: DdspNetwork

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
        super().__init__(
            config, dataset, recipe, seed=seed, device=device, seconds=seconds, half=half, crew=crew
        )
        self.network = DdspNetwork(config).to(device)
        mean, spread = (torch.from_numpy(array) for array in dataset.content_statistics())
        self.network.content_mean.copy_(mean)
        self.network.content_spread.copy_(spread)
        with torch.no_grad():
            rows = self.network.standardised(torch.from_numpy(dataset.clean_content()).to(device))
        self.network.memory.copy_(
            torch.from_numpy(cluster_means(rows.cpu().numpy(), config.memory_rows, self.shared_rng))
        )
        crew.same_start(self.network)
        self.average = copy.deepcopy(self.network).eval()
        self.loss_of = SpectralLoss(config.sample_rate).to(device)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.peak_rate, betas=(0.9, 0.98), weight_decay=1e-3, fused=True
        )

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        recipe = self.recipe
        cosine = 0.5 * (1.0 + math.cos(math.pi * self.fraction))
        rate = recipe.final_rate + (recipe.peak_rate - recipe.final_rate) * cosine
        return rate * min(1.0, (self.step + 1) / max(1, recipe.warm_steps))

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

    def _sung(self, part: Draw) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
        sung, target = self.sing(part)
        return sung, target, {"spectral": self.loss_of(sung, target)}

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

    def _make_critics(self) -> tuple[Critics, torch.optim.AdamW]:
        critics = Critics(seed=self.step).to(self.device)
        return critics, torch.optim.AdamW(
            critics.parameters(), lr=2e-4, betas=(0.8, 0.99), weight_decay=1e-3, fused=True
        )

    def _critics_size(self) -> int:
        with torch.device("meta"):
            return sum(weight.numel() for weight in Critics(seed=0).parameters())

    def _critics_loss(self, sung: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        assert self.critics is not None
        return critic_loss(self.critics(target), self.critics(sung.detach()))

    def _judged(self, sung: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        with self._critics_at_rest() as critics:
            with torch.no_grad():
                real = critics(target)
            fake = critics(sung)
        return {
            "adversarial": _ADVERSARIAL_WEIGHT * generator_loss(fake),
            "features": _ADVERSARIAL_WEIGHT * _FEATURE_WEIGHT * feature_loss(real, fake),
        }

    @classmethod
    def sung_weights(cls, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Return the averaged weights."""
        return checkpoint.part("average")
