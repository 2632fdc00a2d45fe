"""The training of a VITS network, by the recipe of RVC and so-vits-svc.

The discriminators first, then the network: adversarial loss, twice the features', 45 times the mel spectrogram's, and
the latents' distance; what makes up a pitch for speech learns beside. The learning rate falls by a little each epoch,
which is once through the takes. Gradients are measured and not scaled down.
"""

from __future__ import annotations

import copy
import math
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import torch
from torch.nn import functional as F

from covermaker.training.crew import ALONE, Crew
from covermaker.training.loop import Report, Sung, Trainer
from covermaker.training.vits_batch import Cuts, VitsDraw, own_frames
from covermaker.training.vits_critics import VitsCritics, adversarial_loss, critics_loss, feature_loss
from covermaker.training.vits_losses import Spectrum, latent_distance
from covermaker.training.vits_network import DROPOUT, TrainedRvc, TrainedSovits, build_trained, sung
from covermaker.training.vits_shapes import segment_frames, stock_of
from covermaker.training.vits_stock import critics_shapes
from covermaker.voices.networks.vits_network import Told
from covermaker.voices.networks.vits_pitch_decoder import melodic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from covermaker.training.checkpoint import Checkpoint
    from covermaker.training.dataset import Dataset
    from covermaker.training.profiles import Recipe, Vits
    from covermaker.training.vits_base import Base
    from covermaker.voices.networks.vits_config import VitsConfig

MEL_WEIGHT: Final = 45.0
FEATURE_WEIGHT: Final = 2.0
DECAY: Final = 0.999875  # of the learning rate, an epoch
_LEAST_SCALE: Final = 1e-4  # of a loss in float16: when gradients overflow even so, it is not for their size
# Of a segment of 12 800 samples in float32 with its cut, forward and backward: 0.37e9 on a CPU, and some for a GPU's
# scratch space.
_SEGMENT_BYTES: Final = 0.5e9


def cut_bytes(config: VitsConfig, shape: Vits) -> float:
    """Return how much memory a cut takes, forward and backward."""
    samples = segment_frames(shape) * config.hop_samples
    width = max(config.upsample_channels / 512, shape.critics_channels / 1024)
    return _SEGMENT_BYTES * width * samples / 12_800


class VitsTrainer(Trainer):
    """See `Trainer`.

    Parameters
    ----------
    config, dataset, recipe, seed, device, seconds, half, crew
        As there.
    shape : Vits
        What the profile says of the network.
    base : Base, optional
        Pretrained weights to begin with.
    """

    KIND: ClassVar[str] = "vits"
    MOST_NORM: ClassVar[float] = math.inf

    config: VitsConfig
    network: TrainedRvc | TrainedSovits

    def __init__(
        self,
        config: VitsConfig,
        dataset: Dataset,
        recipe: Recipe,
        *,
        shape: Vits,
        base: Base | None = None,
        seed: int = 1,
        device: str = "cpu",
        seconds: float | None = None,
        half: bool = False,
        crew: Crew = ALONE,
    ) -> None:
        super().__init__(
            config, dataset, recipe, seed=seed, device=device, seconds=seconds, half=half, crew=crew
        )
        stock = stock_of(shape)
        self.shape, self.base = shape, base
        self._begun_with = [] if base is None else base.facts
        self.spectrum = Spectrum(config.sample_rate, config.hop_samples, config.spectrum, stock.mels).to(
            device
        )
        self.batches = Cuts(
            dataset,
            config,
            own_frames(recipe.clip_frames, config),
            segment_frames(shape),
            self.spectrum.context,
        )
        self.network = build_trained(config)
        if base is not None:
            base.give_network(self.network)
        self.network.to(device)
        crew.same_start(self.network)
        self.average = copy.deepcopy(self.network) if recipe.averaging > 0.0 else self.network
        self.optimiser = self._optimiser(self.network)
        self._drawn = 0  # cuts, by all processes
        kind = torch.device(device).type
        self._kind = kind
        # Of a GPU's two, RVC's own: sound in bfloat16 has noise 48 dB below it.
        narrow = recipe.half == "float16" or (recipe.half == "auto" and kind == "cuda")
        self._dtype = torch.float16 if narrow else torch.bfloat16
        self._scalers = self._new_scalers()

    def _optimiser(self, network: torch.nn.Module) -> torch.optim.AdamW:
        return torch.optim.AdamW(
            network.parameters(), lr=self.recipe.peak_rate, betas=(0.8, 0.99), eps=1e-9, weight_decay=1e-2,
            fused=True,
        )  # fmt: skip

    @property
    def epoch(self) -> int:
        """How often the takes were gone through, in full."""
        return int(self._drawn / self.batches.cuts)

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        warm = min(1.0, (self.step + 1) / max(1, self.recipe.warm_steps))
        return float(self.recipe.peak_rate * DECAY**self.epoch * warm)

    def advance(self) -> Report:
        """Take one step; see `Trainer.advance`. On a GPU each convolution's quickest way is looked for once."""
        tf32 = torch.backends.cudnn.allow_tf32
        quickest = torch.backends.cudnn.flags(
            enabled=True, benchmark=True, deterministic=False, allow_tf32=tf32
        )
        with quickest if self._kind == "cuda" else nullcontext():
            report = super().advance()
        self._drawn += self.batch_size * self.crew.size
        return report

    def _set_rate(self, rate: float) -> None:
        super()._set_rate(rate)
        for group in self.critics_optimiser.param_groups if self.critics_optimiser is not None else ():
            group["lr"] = rate

    def _draw(self) -> VitsDraw:
        return self.batches.draw(self.batch_size, self.rng)

    def _precise(self) -> torch.autocast:
        """Return where the networks compute: in half precision or not."""
        return torch.autocast(self._kind, dtype=self._dtype, enabled=self.half)

    @contextmanager
    def _forgetting(self, part: VitsDraw) -> Iterator[None]:
        """Draw the dropout of a part by its own seed: the same each time it is sung, and after any interruption."""
        if not DROPOUT[self.config.family]:
            yield
            return
        with torch.random.fork_rng([self.device] if self._kind == "cuda" else []):
            torch.manual_seed(int(part.forgetting[0]))
            yield

    def _sung(self, part: VitsDraw) -> Sung:
        def there(values: np.ndarray[Any, Any]) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(self.device, non_blocking=True)

        network = self.network
        mask, target = there(part.mask)[:, None], there(part.target)
        told = Told(there(part.content), there(part.bins), there(part.voiced), there(part.level), mask)
        with torch.no_grad():
            spectrum = self.spectrum(there(part.sound))
        segment = there(part.start)[:, None] + torch.arange(self.batches.segment_frames, device=self.device)
        losses: dict[str, torch.Tensor] = {}
        with self._forgetting(part), self._precise():
            singer = network.emb_g(there(part.speaker))[..., None]
            prior = [values.float() for values in network.prior(told)]
            posterior = [values.float() for values in network.enc_q(spectrum, singer, mask)]
            latent = (posterior[0] + there(part.latent_noise) * posterior[1].exp()) * mask
            moved = network.flow(latent, singer, mask).float()
            source = network.dec.m_source(
                there(part.cycles), there(part.sounding), offsets=there(part.offsets), noise=there(part.source_noise)
            )  # fmt: skip
            sound = network.dec(_segments(latent, segment), singer, source).float()
            if isinstance(network, TrainedSovits) and self.config.pitch_decoder:
                melody = melodic(there(part.f0_hz))
                guessed = network.guessed_melody(told, melody, singer, there(part.stretch))
                losses["melody"] = F.mse_loss(guessed.float(), melody)
        mel = self.spectrum.mel(_segments(spectrum, segment))
        heard = self.spectrum.mel(self.spectrum(self.spectrum.mirrored(sound)))
        losses["mel"] = MEL_WEIGHT * F.l1_loss(heard, mel)
        losses["latent"] = latent_distance(moved, posterior[1], prior[0], prior[1], mask)
        return sound, target, losses

    def _shares(self, part: VitsDraw, draw: VitsDraw) -> Mapping[str, float]:
        """Return the part's share of the frames that are no filling: the latents' distance is a mean over them."""
        return {"latent": float(part.mask.sum() / draw.mask.sum())}

    def _make_critics(self) -> tuple[VitsCritics, torch.optim.AdamW]:
        critics = VitsCritics(self.config.family, self.shape.critics_channels, seed=self.seed)
        if self.base is not None:
            self.base.give_critics(critics)
        critics.to(self.device)
        return critics, self._optimiser(critics)

    def _critics_size(self) -> int:
        shapes = critics_shapes(self.config.family, self.shape.critics_channels)
        return sum(math.prod(shape) for shape in shapes.values())

    def _critics_loss(self, sung: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        assert self.critics is not None
        with self._precise():
            # Together they are one pass through each layer.
            verdicts = self.critics(torch.cat([target, sung.detach()]))
        real = [[x[: len(target)] for x in one] for one in verdicts]
        fake = [[x[len(target) :] for x in one] for one in verdicts]
        return critics_loss(real, fake)

    def _judged(self, sung: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        with self._critics_at_rest() as critics, self._precise():
            with torch.no_grad():
                real = critics(target)
            fake = critics(sung)
        return {
            "adversarial": adversarial_loss(fake),
            "features": FEATURE_WEIGHT * feature_loss(real, fake),
        }

    # Gradients in half precision

    def _new_scalers(self) -> list[torch.amp.GradScaler]:
        """Return what scales the losses of the network and of its discriminators.

        float16 has no room for small gradients: losses are scaled up, by as much as does not overflow.
        """
        scaled = self.half and self._dtype == torch.float16
        return [torch.amp.GradScaler(self._kind, enabled=scaled) for _ in range(2)]

    def _scaler(self, optimiser: torch.optim.AdamW) -> torch.amp.GradScaler:
        return self._scalers[0 if optimiser is self.optimiser else 1]

    def _descend(self, loss: torch.Tensor, optimiser: torch.optim.AdamW) -> None:
        super()._descend(self._scaler(optimiser).scale(loss), optimiser)

    def _clipped(self, network: torch.nn.Module, optimiser: torch.optim.AdamW) -> torch.Tensor:
        self._scaler(optimiser).unscale_(optimiser)
        gradients = [one.grad for one in network.parameters() if one.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if bool(torch.isfinite(norm)):
            name = "gradient_norm" if network is self.network else "critics_gradient_norm"
            self.measured[name] = float(norm)
        return norm

    def _is_believed(self, value: torch.Tensor | float, optimiser: torch.optim.AdamW) -> bool:
        # A scaler leaves out a step that has overflowed, and scales less from then on.
        scaler = self._scaler(optimiser)
        believed = super()._is_believed(value, optimiser)
        return believed or (scaler.is_enabled() and scaler.get_scale() > _LEAST_SCALE)

    def _move(self, optimiser: torch.optim.AdamW) -> None:
        scaler = self._scaler(optimiser)
        scaler.step(optimiser)  # not where a gradient has overflowed
        scaler.update()

    # Its state

    def own_state(self) -> dict[str, Any]:
        """Return what is drawn so far, the scales, and what a card is told."""
        scalers = [scaler.state_dict() for scaler in self._scalers]
        return {"drawn": self._drawn, "scalers": scalers, "facts": self.facts()}

    def take_own_state(self, state: Mapping[str, Any]) -> None:
        """Take what `own_state` returned."""
        self._begun_with = list(state["facts"].get("base", []))
        self._drawn = int(state["drawn"])
        self._scalers = self._new_scalers()  # whether there are any, the run that is taken up has decided
        for scaler, kept in zip(self._scalers, state["scalers"], strict=True):
            if kept and scaler.is_enabled():
                scaler.load_state_dict(kept)

    def facts(self) -> dict[str, Any]:
        """Return what a card tells of the training, of this step."""
        return {"epochs": self.epoch, **({"base": self._begun_with} if self._begun_with else {})}

    @classmethod
    def sung_weights(cls, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Return the weights without the posterior encoder, their norm joined."""
        return sung(checkpoint.part("average") or checkpoint.part("weights"))


def _segments(values: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Cut the frames (B, S) out of (B, C, T)."""
    return values.gather(2, frames[:, None].expand(-1, values.shape[1], -1))
