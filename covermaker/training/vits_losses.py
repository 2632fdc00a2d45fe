"""What is wrong with what a VITS network sings: its mel spectrogram, and how far its two latents are apart.

All of it in float32, whatever the network runs in.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from covermaker.features.mel import mel_filters

_POWER_FLOOR = 1e-6
_MEL_FLOOR = 1e-5


class Spectrum(nn.Module):
    """Magnitudes of a sound, and their mel bands.

    Parameters
    ----------
    sample_rate, hop_samples : int
    bins : int
        Of the spectrogram: half the window, and one.
    mels : int
        Bands, up to half the sample rate.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, sample_rate: int, hop_samples: int, bins: int, mels: int) -> None:
        super().__init__()
        self.size, self.hop = 2 * (bins - 1), hop_samples
        self.context = (
            self.size - hop_samples
        ) // 2  # samples that the first and the last frame reach beyond
        filters = mel_filters(sample_rate, n_fft=self.size, bands=mels)
        self.register_buffer("window", torch.hann_window(self.size), persistent=False)
        self.register_buffer("filters", torch.from_numpy(filters), persistent=False)

    def forward(self, sound: Tensor) -> Tensor:
        """Return (B, bins, T) of a sound with its context, (B, T * hop + 2 * context)."""
        found = torch.stft(sound, self.size, self.hop, window=self.window, center=False, return_complex=True)
        return (found.real.square() + found.imag.square() + _POWER_FLOOR).sqrt()

    def mirrored(self, sound: Tensor) -> Tensor:
        """Give a sound (B, N) its context by mirroring its ends."""
        return F.pad(sound[:, None], (self.context, self.context), mode="reflect")[:, 0]

    def mel(self, magnitudes: Tensor) -> Tensor:
        """Return the logarithms of the mel bands (B, mels, T) of (B, bins, T)."""
        return (self.filters @ magnitudes).clamp(min=_MEL_FLOOR).log()


def latent_distance(
    z: Tensor, log_scale: Tensor, prior_mean: Tensor, prior_log_scale: Tensor, mask: Tensor
) -> Tensor:
    """Return the Kullback-Leibler divergence of the posterior from the prior, in nats a frame.

    Of one draw of the posterior, as it comes out of the flow; added up over channels, its mean over frames.

    Parameters
    ----------
    z : (B, latent, T)
    log_scale : (B, latent, T)
        Of the posterior.
    prior_mean, prior_log_scale : (B, latent, T)
    mask : (B, 1, T)
        0 at frames past the end of an item.
    """
    apart = (z - prior_mean).square() * (-2.0 * prior_log_scale).exp()
    divergence = prior_log_scale - log_scale - 0.5 + 0.5 * apart
    return (divergence * mask).sum() / mask.sum()
