"""The facade of a DDSP voice: a card's table and a weight file become a `Synthesizer`; see `ddsp_network`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from covermaker.errors import ProjectError, WeightsError
from covermaker.voices.networks.base import voiced_edges
from covermaker.voices.networks.ddsp_config import DdspConfig
from covermaker.voices.networks.ddsp_network import DdspNetwork
from covermaker.voices.networks.ddsp_signal import hop_noise
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
        self.context_frames = config.context_frames
        self._device = device

    def render(
        self,
        content: NDArray[np.float32],
        f0_hz: NDArray[np.floating[Any]],
        loudness_db: NDArray[np.floating[Any]],
        *,
        phase_cycles: NDArray[np.float64],
        first_frame: int,
        seed: int,
        speaker: int | Sequence[float] = 0,
        formant_ratio: float = 1.0,
    ) -> NDArray[np.float32]:
        """Sing; see `Synthesizer.render`."""
        frames = len(f0_hz)
        if frames == 0:
            return np.zeros(0, dtype=np.float32)
        left, right = voiced_edges(f0_hz)

        def batch(values: NDArray[Any]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None].to(self._device)

        with computing():
            who = self._who(speaker)
            controls = self.network.controls(batch(content), batch(f0_hz), batch(loudness_db), who)
            # Whole cycles are dropped in float64: hours into a song float32 would have no fraction left.
            phase = batch(phase_cycles - np.floor(phase_cycles))
            noise = batch(hop_noise(seed, first_frame, frames, self.hop_samples))
            sung = self.network.signal(
                controls, batch(left), batch(right), phase, noise, formant_ratio=formant_ratio
            )
            sound: NDArray[np.float32] = sung[0].cpu().numpy()
        return sound

    def _who(self, speaker: int | Sequence[float]) -> Tensor:
        """Return one row's number as (1,), or the weights of a blend as (1, speakers), adding up to 1."""
        count = self.network.config.speakers
        if isinstance(speaker, int):
            if not 0 <= speaker < count:
                raise ProjectError(
                    f"the voice has no singer {speaker}", hint=f"it has {count}, counted from 0"
                )
            return torch.tensor([speaker], device=self._device)
        weights = torch.tensor([list(speaker)], dtype=torch.float32, device=self._device)
        if weights.shape[1] != count or not bool((weights >= 0).all()) or not float(weights.sum()) > 0.0:
            raise ProjectError(
                f"a blend of singers needs {count} weights of 0 and above, not {list(speaker)}",
                hint="one for each singer of the voice, not all 0",
            )
        return weights / weights.sum()


def load_synthesizer(config: Mapping[str, Any], weights: Path, device: str = "cpu") -> DdspSynthesizer:
    """Build a network from a card's table and load its weights.

    Raises
    ------
    ProjectError
        When the table is refused.
    WeightsError
        When the file is missing, damaged or made for another configuration.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = DdspNetwork(DdspConfig.from_mapping(config))
    try:
        network.load_state_dict(load_file(weights))
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{weights} cannot be read as safetensors: {error}") from error
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{weights} does not fit the card's network: {reason}") from error
    return DdspSynthesizer(network, device=device)
