"""How far two sounds are apart, to the ear more than to the sample.

Phase is free: a pulse train's phase is not the singer's, so only magnitudes are compared.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLOOR = 1e-4  # -80 dB: what is below is silence to the loss


class SpectralLoss(nn.Module):
    """Multi-resolution STFT distance plus a mel distance.

    For each resolution spectral convergence ``|S - S'| / |S + S'|`` (Frobenius norms, bounded by 1: the "relative"
    form of DDSP-SVC's RSS loss) and the mean absolute difference of log magnitudes (Yamamoto et al. 2020, "Parallel
    WaveGAN"); then the latter once more on `mels` mel bands, where ears and speech recognisers listen.

    Parameters
    ----------
    sample_rate : int
        Hz.
    sizes : sequence of int, optional
        FFT lengths, by default `loss_sizes`; each hops by half: a quarter costs twice and teaches the same.
    mels : int
        Mel bands of the last term.
    """

    mel_weights: Tensor

    def __init__(self, sample_rate: int, *, sizes: Sequence[int] | None = None, mels: int = 80) -> None:
        super().__init__()
        self.sizes = tuple(sizes or loss_sizes(sample_rate))
        for size in self.sizes:
            window = torch.hann_window(size)
            # Unit energy: white noise reads its own RMS at every resolution, so one floor fits all.
            self.register_buffer(f"window_{size}", window / window.square().sum().sqrt(), persistent=False)
        self.register_buffer("mel_weights", mel_matrix(max(self.sizes), sample_rate, mels), persistent=False)

    def forward(self, sung: Tensor, target: Tensor) -> Tensor:
        """Return the distance of (B, samples) from (B, samples): a scalar of order 1, 0 when equal."""
        total = sung.new_zeros(())
        for size in self.sizes:
            a, b = self._magnitudes(sung, size), self._magnitudes(target, size)
            converged = torch.linalg.vector_norm(a - b, dim=(1, 2)) / (
                torch.linalg.vector_norm(a + b, dim=(1, 2)) + _FLOOR
            )
            total = total + converged.mean() + _log_distance(a, b)
            if size == max(self.sizes):
                total = total + _log_distance(self.mel_weights @ a, self.mel_weights @ b)
        return total / (len(self.sizes) + 1)

    def _magnitudes(self, sound: Tensor, size: int) -> Tensor:
        window = self.get_buffer(f"window_{size}")
        spectrum = torch.stft(sound, size, hop_length=size // 2, window=window, return_complex=True)
        return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()  # (B, bins, frames)


def loss_sizes(sample_rate: int) -> tuple[int, int, int]:
    """Return three FFT lengths, the longest the power of two nearest to 64 ms."""
    longest = 1 << round(math.log2(0.064 * sample_rate))
    return longest // 4, longest // 2, longest


def _log_distance(a: Tensor, b: Tensor) -> Tensor:
    return ((a + _FLOOR).log() - (b + _FLOOR).log()).abs().mean()


def mel_matrix(fft: int, sample_rate: int, bands: int) -> Tensor:
    """Return (bands, fft // 2 + 1) triangles on the mel scale (O'Shaughnessy), each summing to 1."""
    top = 2595.0 * torch.log10(torch.tensor(1.0 + sample_rate / 1400.0))
    edges = 700.0 * (10.0 ** (torch.linspace(0.0, float(top), bands + 2) / 2595.0) - 1.0)
    hz = torch.linspace(0.0, sample_rate / 2, fft // 2 + 1)[None]
    low, mid, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    # Narrow low bands would fall between two bins and be empty: half a bin of slack on each side.
    slack = sample_rate / fft / 2
    rising, falling = (hz - low + slack) / (mid - low + slack), (high - hz + slack) / (high - mid + slack)
    triangles = torch.minimum(rising, falling).clamp(min=0.0)
    return triangles / triangles.sum(dim=1, keepdim=True)
