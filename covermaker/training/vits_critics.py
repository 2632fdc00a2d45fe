"""The discriminators of RVC and so-vits-svc: one of the waveform, others of it folded at a period each.

Tensors have the names that files of those programs have (``D_….pth``), so pretrained ones can be taken.

References
----------
J. Kong, J. Kim, J. Bae, "HiFi-GAN", NeurIPS 2020, section 2.3; X. Mao et al., "Least Squares Generative Adversarial
Networks", ICCV 2017.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from covermaker.training.vits_network import normed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.training.discriminators import Verdicts

PERIODS: Final = {"rvc": (2, 3, 5, 7, 11, 17, 23, 37), "sovits": (2, 3, 5, 7, 11)}
WIDEST: Final = 1024
_SLOPE: Final = 0.1
_SCALE_WIDTHS: Final = (16, 64, 256, 1024, 1024, 1024)
_SCALE_KERNELS: Final = (15, 41, 41, 41, 41, 5)
_SCALE_STRIDES: Final = (1, 4, 4, 4, 4, 1)
_SCALE_GROUPS: Final = (1, 4, 16, 64, 256, 1)
_PERIOD_WIDTHS: Final = (32, 128, 512, 1024, 1024)
_PERIOD_STRIDES: Final = (3, 3, 3, 3, 1)


class _Judge(nn.Module):
    """Convolutions, and one that gives the verdict."""

    convs: nn.ModuleList
    conv_post: nn.Module

    def _judged(self, x: Tensor) -> list[Tensor]:
        features = []
        for layer in self.convs:
            x = F.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return [*features, self.conv_post(x)]


class OfScale(_Judge):
    """The waveform as it is.

    Parameters
    ----------
    channels : int
        Of the widest layers; the others in proportion.
    """

    def __init__(self, channels: int = WIDEST) -> None:
        super().__init__()
        widths = [1, *_widths(_SCALE_WIDTHS, channels)]
        self.convs = nn.ModuleList(
            normed(
                nn.Conv1d(
                    into, out, kernel, stride, kernel // 2, groups=math.gcd(groups, math.gcd(into, out))
                )
            )
            for into, out, kernel, stride, groups in zip(
                widths[:-1], widths[1:], _SCALE_KERNELS, _SCALE_STRIDES, _SCALE_GROUPS, strict=True
            )
        )
        self.conv_post = normed(nn.Conv1d(widths[-1], 1, 3, padding=1))

    def forward(self, sound: Tensor) -> list[Tensor]:
        """Judge (B, samples): the features of each layer, the verdict last."""
        return self._judged(sound[:, None])


class OfPeriod(_Judge):
    """The waveform folded, so that samples of one period's distance lie side by side.

    Parameters
    ----------
    period : int
        Samples.
    channels : int
        As of `OfScale`.
    """

    def __init__(self, period: int, channels: int = WIDEST) -> None:
        super().__init__()
        self.period = period
        widths = [1, *_widths(_PERIOD_WIDTHS, channels)]
        self.convs = nn.ModuleList(
            normed(nn.Conv2d(into, out, (5, 1), (stride, 1), (2, 0)))
            for into, out, stride in zip(widths[:-1], widths[1:], _PERIOD_STRIDES, strict=True)
        )
        self.conv_post = normed(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, sound: Tensor) -> list[Tensor]:
        """Judge (B, samples): the features of each layer, the verdict last."""
        x = sound[:, None]
        if rest := x.shape[-1] % self.period:
            x = F.pad(x, (0, self.period - rest), mode="reflect")
        return self._judged(x.view(len(x), 1, -1, self.period))


def _widths(stock: Sequence[int], channels: int) -> list[int]:
    return [max(4, width * channels // WIDEST) for width in stock]


class VitsCritics(nn.Module):
    """All of a family's.

    Parameters
    ----------
    family : str
    channels : int
        As of `OfScale`.
    seed : int, optional
        Draws the weights apart from torch's own generator.
    """

    def __init__(self, family: str, channels: int = WIDEST, *, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            periods = [OfPeriod(period, channels) for period in PERIODS[family]]
            self.discriminators = nn.ModuleList([OfScale(channels), *periods])

    def forward(self, sound: Tensor) -> Verdicts:
        """Judge (B, samples)."""
        return [judge(sound) for judge in self.discriminators]


def critics_loss(real: Verdicts, fake: Verdicts) -> Tensor:
    """Return how wrong they are, added up: 1 is wanted for real sound, 0 for sung sound."""
    pairs = zip(real, fake, strict=True)
    return torch.stack(
        [(1 - r[-1].float()).square().mean() + f[-1].float().square().mean() for r, f in pairs]
    ).sum()


def adversarial_loss(fake: Verdicts) -> Tensor:
    """Return how far they are from taking sung sound for real, added up."""
    return torch.stack([(1 - f[-1].float()).square().mean() for f in fake]).sum()


def feature_loss(real: Verdicts, fake: Verdicts) -> Tensor:
    """Return the distances of all layers' features of real and sung sound, added up, verdicts among them."""
    return torch.stack(
        [
            (a.detach().float() - b.float()).abs().mean()
            for r, f in zip(real, fake, strict=True)
            for a, b in zip(r, f, strict=True)
        ]
    ).sum()
