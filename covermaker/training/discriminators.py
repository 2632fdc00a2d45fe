"""Critics of a sung spectrogram: discriminators at several resolutions (Jang et al. 2021, "UnivNet").

They look at magnitudes, in which the free phase of a pulse train plays no part. Least-squares losses (Mao et al.
2017) and feature matching (Kumar et al. 2019, "MelGAN").
"""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

_RESOLUTIONS = ((2048, 512), (1024, 256), (512, 128))  # FFT length, hop
_CHANNELS = 24
_SLOPE = 0.1

# Of every critic: the features of all its layers, the verdict last.
Verdicts: TypeAlias = list[list[Tensor]]


class Critic(nn.Module):
    """One resolution: convolutions over (time, frequency) of the log magnitude."""

    window: Tensor

    def __init__(self, fft: int, hop: int, channels: int = _CHANNELS) -> None:
        super().__init__()
        self.fft, self.hop = fft, hop
        window = torch.hann_window(fft)
        self.register_buffer("window", window / window.square().sum().sqrt(), persistent=False)
        widths = (1, channels, channels, channels, channels)
        strides = (1, 2, 2, 2)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (3, 9), stride=(1, stride), padding=(1, 4)))
            for a, b, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.verdict = weight_norm(nn.Conv2d(channels, 1, (3, 3), padding=(1, 1)))

    def forward(self, sound: Tensor) -> list[Tensor]:
        """Judge (B, samples)."""
        spectrum = torch.stft(sound, self.fft, self.hop, window=self.window, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        x = (0.5 * (power + 1e-8).log()).transpose(1, 2)[:, None]  # (B, 1, frames, bins)
        features = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return [*features, self.verdict(x)]


class Critics(nn.Module):
    """All resolutions."""

    def __init__(self, *, seed: int, channels: int = _CHANNELS) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.critics = nn.ModuleList(Critic(fft, hop, channels) for fft, hop in _RESOLUTIONS)

    def forward(self, sound: Tensor) -> Verdicts:
        """Judge (B, samples) at every resolution."""
        return [critic(sound) for critic in self.critics]


def critic_loss(real: Verdicts, fake: Verdicts) -> Tensor:
    """Return how wrong the critics are: 1 is wanted for real sound, 0 for sung sound."""
    pairs = zip(real, fake, strict=True)
    return torch.stack([(1 - r[-1]).square().mean() + f[-1].square().mean() for r, f in pairs]).mean()


def generator_loss(fake: Verdicts) -> Tensor:
    """Return how far the critics are from taking sung sound for real."""
    return torch.stack([(1 - f[-1]).square().mean() for f in fake]).mean()


def feature_loss(real: Verdicts, fake: Verdicts) -> Tensor:
    """Return the mean distance of the critics' features of real and sung sound."""
    return torch.stack(
        [
            (a.detach() - b).abs().mean()
            for r, f in zip(real, fake, strict=True)
            for a, b in zip(r[:-1], f[:-1], strict=True)
        ]
    ).mean()
