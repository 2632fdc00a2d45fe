"""The training loop: batches in, a network with averaged weights out.

One process, one device, every random draw from one seed: on the same machine with the same thread count the same
weights come out.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

from covermaker.errors import CovermakerError
from covermaker.progress import Progress, silent
from covermaker.training.losses import SpectralLoss
from covermaker.training.memory import cluster_means
from covermaker.voices.networks.base import voiced_edges
from covermaker.voices.networks.ddsp import DdspConfig, DdspNetwork

if TYPE_CHECKING:
    from covermaker.training.dataset import Batch, Dataset


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    steps : int
        Optimiser steps.
    batch_size : int
        Cuts a step.
    peak_rate, final_rate : float
        Learning rates: reached after `warm_steps`, and cosine-shaped down to the end.
    warm_steps : int
    averaging : float
        Decay of the running mean of the weights, which is what comes out.
    content_noise : float
        Deviation of the noise on the standardised content.
    half : bool
        Run the trunk in bfloat16, filters and losses staying float32: nearly twice as fast on CPUs and GPUs with
        such instructions, no gain on others.
    seed : int
    device : str
    """

    steps: int = 4000
    batch_size: int = 16
    peak_rate: float = 1.5e-3
    final_rate: float = 5e-5
    warm_steps: int = 100
    averaging: float = 0.995
    content_noise: float = 0.15
    half: bool = False
    seed: int = 1
    device: str = "cpu"

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        if step < self.warm_steps:
            return self.peak_rate * (step + 1) / self.warm_steps
        done = (step - self.warm_steps) / max(1, self.steps - self.warm_steps)
        return self.final_rate + (self.peak_rate - self.final_rate) * 0.5 * (1 + math.cos(math.pi * done))


# (finished steps, mean loss since the last call, the averaged network)
Watcher: TypeAlias = Callable[[int, float, DdspNetwork], None]
_WATCH_EVERY = 100


def train(
    config: DdspConfig,
    dataset: Dataset,
    recipe: Recipe,
    *,
    progress: Progress = silent,
    watch: Watcher | None = None,
    seconds: float | None = None,
) -> DdspNetwork:
    """Train a network from nothing.

    Parameters
    ----------
    config : DdspConfig
    dataset : Dataset
        Its sample rate and content width must be the network's.
    recipe : Recipe
    progress : callable
        Told the finished fraction.
    watch : callable, optional
        Told the loss every 100 steps.
    seconds : float, optional
        A wall-clock budget: the learning rate then falls with the time spent, so that training ends well wherever
        the machine's speed lets it end. Results then depend on that speed.

    Raises
    ------
    CovermakerError
        When the loss stops being a number.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = DdspNetwork(config).to(recipe.device)
    mean, spread = (torch.from_numpy(array) for array in dataset.content_statistics())
    network.content_mean.copy_(mean)
    network.content_spread.copy_(spread)
    with torch.no_grad():
        rows = network.standardised(torch.from_numpy(dataset.clean_content()).to(recipe.device))
    network.memory.copy_(torch.from_numpy(cluster_means(rows.cpu().numpy(), config.memory_rows, rng)))
    average = copy.deepcopy(network).eval()
    loss_of = SpectralLoss(config.sample_rate).to(recipe.device)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.peak_rate, betas=(0.9, 0.98), weight_decay=1e-3, fused=True
    )
    started = time.monotonic()
    recent: list[float] = []
    step = 0
    while step < recipe.steps:
        position = step
        if seconds is not None:
            spent = (time.monotonic() - started) / seconds
            if spent >= 1.0:
                break
            position = step if step < recipe.warm_steps else max(recipe.warm_steps, int(spent * recipe.steps))
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate(position)
        loss = step_loss(network, dataset.batch(recipe.batch_size, rng), loss_of, recipe, rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        _follow(average, network, min(recipe.averaging, (step + 1) / (step + 10)))
        recent.append(float(loss.detach()))
        if not np.isfinite(recent[-1]):
            raise CovermakerError(f"training went astray at step {step}: the loss is {recent[-1]}")
        step += 1
        if watch is not None and step % _WATCH_EVERY == 0:
            watch(step, float(np.mean(recent)), average)
            recent.clear()
        progress(step / recipe.steps)
    return average


def step_loss(
    network: DdspNetwork, batch: Batch, loss_of: SpectralLoss, recipe: Recipe, rng: np.random.Generator
) -> torch.Tensor:
    """Return the loss of one batch."""
    device, hop = recipe.device, network.config.hop_samples
    content = torch.from_numpy(batch.content).to(device)
    jitter = rng.standard_normal(batch.content.shape, dtype=np.float32) * np.float32(recipe.content_noise)
    content = content + torch.from_numpy(jitter).to(device) * network.content_spread
    f0_hz = torch.from_numpy(batch.f0_hz).to(device)
    loudness_db = torch.from_numpy(batch.loudness_db).to(device)
    speaker = torch.from_numpy(batch.speaker).to(device)
    edges = [voiced_edges(row) for row in batch.f0_hz]
    left, right = (
        torch.from_numpy(np.stack(side).astype(np.float32)).to(device) for side in zip(*edges, strict=True)
    )
    noise = rng.uniform(-(3.0**0.5), 3.0**0.5, (len(batch.f0_hz), batch.f0_hz.shape[1] * hop)).astype(
        np.float32
    )
    with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=recipe.half):
        # Any mixture of the given and the remembered is met, from all of one to all of the other.
        recall = torch.from_numpy(rng.random((len(batch.f0_hz), 1, 1), dtype=np.float32)).to(device)
        controls = network.controls(content, f0_hz, loudness_db, speaker, recall=recall)
    controls = {name: bands.float() for name, bands in controls.items()}
    phase = torch.from_numpy(batch.phase_cycles).to(device)
    sung = network.signal(controls, left, right, phase, torch.from_numpy(noise).to(device))
    loss: torch.Tensor = loss_of(sung, torch.from_numpy(batch.target).to(device))
    return loss


@torch.no_grad()
def _follow(average: DdspNetwork, network: DdspNetwork, decay: float) -> None:
    for kept, fresh in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(fresh, 1.0 - decay)
