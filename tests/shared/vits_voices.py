"""Small networks of both families, and features to sing with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from parity_weights import synthesizer_tensor

from covermaker.voices.networks.vits_config import VitsConfig
from covermaker.voices.networks.vits_network import VitsNetwork, build_network

RVC = VitsConfig(
    sample_rate=16_000, hop_samples=160, content_dim=8, latent=8, hidden=16, filter=32, layers=2, window=4,
    flows=2, flow_layers=2, resblock_kernels=(3, 5), resblock_dilations=((1, 3), (1, 3)),
    upsample_rates=(10, 8, 2), upsample_kernels=(16, 16, 4), upsample_channels=32, speakers=3, speaker_dim=8,
)  # fmt: skip
SOVITS = replace(
    RVC, family="sovits", sample_rate=44_100, hop_samples=512, upsample_rates=(8, 8, 8),
    upsample_kernels=(16, 16, 16), harmonics=3, volume=True, pitch_decoder=True, units="nearest",
)  # fmt: skip


def lively(config: VitsConfig) -> VitsNetwork:
    """Return a network with formula weights, which are loud enough that everything is heard."""
    network = build_network(config)
    state = {
        name: torch.from_numpy(np.ascontiguousarray(synthesizer_tensor("small", name, tuple(values.shape))))
        for name, values in network.state_dict().items()
    }
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def features(frames: int, config: VitsConfig, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return content, pitch with gaps in it, and loudness."""
    rng = np.random.default_rng(seed)
    content = 0.5 * rng.standard_normal((frames // 2 + 1, config.content_dim), dtype=np.float32)
    f0_hz = 220.0 * 2.0 ** np.sin(np.arange(frames) / 40)
    f0_hz[np.arange(frames) % 60 > 45] = 0.0
    return content.repeat(2, axis=0)[:frames], f0_hz, -20.0 + 10.0 * np.sin(np.arange(frames) / 13)
