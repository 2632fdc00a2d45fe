"""The facade of a DDSP voice: a card's table and a weight file become a `Synthesizer`; see `ddsp_network`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from covermaker.voices.networks.base import ALL, SungPitch, phase_curve, voiced_edges
from covermaker.voices.networks.ddsp_config import DdspConfig
from covermaker.voices.networks.ddsp_network import DdspNetwork
from covermaker.voices.networks.ddsp_signal import hop_noise
from covermaker.voices.networks.loading import chosen_singer, load_weights
from covermaker.weights.device import computing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor


class DdspSynthesizer:
    """A loaded `DdspNetwork` behind the `Synthesizer` protocol.

    Parameters
    ----------
    network : DdspNetwork
    device : str
    """

    def __init__(self, network: DdspNetwork, *, device: str = "cpu") -> None:
        config = network.config
        self.network = network.to(device).eval()
        self.sample_rate = config.sample_rate
        self.hop_samples = config.hop_samples
        self.content_dim = config.content_dim
        self.content_held = False
        self.context_frames = config.context_frames
        self._device = device

    def pitch(self, f0_hz: NDArray[np.floating[Any]]) -> SungPitch:
        """Keep the pitch as it is, and integrate it with `phase_curve`."""
        told = np.asarray(f0_hz, dtype=np.float64)
        return SungPitch(told, told > 0.0, phase_curve(told))

    def render(
        self,
        content: NDArray[np.float32],
        pitch: SungPitch,
        loudness_db: NDArray[np.floating[Any]],
        *,
        first_frame: int,
        seed: int,
        speaker: int | Sequence[float] = 0,
        formant_ratio: float = 1.0,
        noise_scale: float | None = None,
        keep: slice = ALL,
    ) -> NDArray[np.float32]:
        """Sing; see `Synthesizer.render`. There is no latent, so `noise_scale` has no effect."""
        frames = len(pitch)
        if frames == 0:
            return np.zeros(0, dtype=np.float32)
        left, right = voiced_edges(pitch.f0_hz)

        def batch(values: NDArray[Any]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None].to(self._device)

        with computing():
            who = chosen_singer(speaker, self.network.config.speakers, self._device)
            controls = self.network.controls(batch(content), batch(pitch.f0_hz), batch(loudness_db), who)
            # Whole cycles are dropped in float64: hours into a song float32 would have no fraction left.
            phase = batch(pitch.phase_cycles - np.floor(pitch.phase_cycles))
            noise = batch(hop_noise(seed, first_frame, frames, self.hop_samples))
            sung = self.network.signal(
                controls, batch(left), batch(right), phase, noise, formant_ratio=formant_ratio
            )
            sound: NDArray[np.float32] = sung[0].cpu().numpy()
        start, stop, _ = keep.indices(frames)
        return sound[start * self.hop_samples : max(start, stop) * self.hop_samples]


def load_synthesizer(config: Mapping[str, Any], weights: Path, device: str = "cpu") -> DdspSynthesizer:
    """Build a network from a card's table and load its weights.

    Raises
    ------
    ProjectError
        When the table is refused.
    WeightsError
        When the file is missing, damaged or made for another configuration.
    """
    network = DdspNetwork(DdspConfig.from_mapping(config))
    load_weights(network, weights)
    return DdspSynthesizer(network, device=device)
