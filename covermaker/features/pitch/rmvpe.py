"""RMVPE: a deep network that also hears through accompaniment; its weights come from the hub or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from covermaker.features.checkpoint import load_network
from covermaker.features.mel import mel_filters
from covermaker.features.pitch.recording import HOP_SAMPLES, SAMPLE_RATE
from covermaker.weights.device import computing, torch_ready
from covermaker.weights.warm import catalog_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.features.pitch.recording import Piece, Recording

N_FFT = 1024
FIRST_CENTS = 1997.3794084376191  # of the lowest of 360 pitches above 10 Hz; they are 20 cents apart
CENTS_PER_BIN = 20.0
CONFIDENCE = 0.03
# The U-Net's deepest level sees about this far to either side; the recurrent layer forgets sooner.
CONTEXT_FRAMES = 320


class Rmvpe:
    """Pitch by RMVPE, 32 Hz to 2000 Hz."""

    NAME: ClassVar[str] = "rmvpe"
    VERSION: ClassVar[int] = 1
    WEIGHTS: ClassVar[tuple[str, ...]] = ("rmvpe",)

    def track(
        self, vocal: Recording, *, f0_min_hz: float, f0_max_hz: float, device: str
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the pitch; see `PitchMethod`."""
        torch_ready()  # network modules import torch at their top
        from covermaker.features.pitch.rmvpe_network import POOLED_FRAMES

        network = catalog_network("rmvpe", load, device)
        with computing():
            # Pooling has its own grid of 32 frames: every piece begins on it, as the whole does.
            for piece in vocal.pieces(context_frames=CONTEXT_FRAMES, align_frames=POOLED_FRAMES):
                salience = network(log_mel(piece, device)).cpu().numpy()
                hz = decode(salience)
                yield piece.wanted(
                    np.where((hz >= f0_min_hz) & (hz <= f0_max_hz), hz, 0.0).astype(np.float32)
                )


def load(path: Path, device: str) -> Any:
    """Return the network of a published file, ``torch.save`` or safetensors, either of the two layouts.

    Raises
    ------
    WeightsError
        When the file holds something else.
    """
    torch_ready()
    from covermaker.features.pitch.rmvpe_network import Rmvpe as Network
    from covermaker.features.pitch.rmvpe_network import own_names

    network = Network()
    return load_network(
        network, path, what="RMVPE", tensors=lambda file: own_names(file, network), device=device
    )


def log_mel(piece: Piece, device: str) -> Any:
    """Return log-mel frames (128, frames of the piece), frame j centred at sample ``160 * j``.

    At both ends the windows see the sound mirrored; a sound too short to be mirrored is followed by silence instead.
    """
    torch = torch_ready()
    half = N_FFT // 2
    right = max(0, (piece.frames - 1) * HOP_SAMPLES + half - len(piece.samples))
    mirrored = len(piece.samples) > max(half, right)
    padded = np.pad(piece.samples, (half, right), mode="reflect" if mirrored else "constant")
    spectrum = torch.stft(
        torch.from_numpy(padded).to(device),
        N_FFT,
        hop_length=HOP_SAMPLES,
        window=torch.hann_window(N_FFT, device=device),
        center=False,
        return_complex=True,
    )
    filters = mel_filters(SAMPLE_RATE, n_fft=N_FFT, bands=128, low_hz=30.0, high_hz=8000.0, scale="htk")
    mel = torch.from_numpy(filters).to(device) @ spectrum.abs()[:, : piece.frames]
    return mel.clamp(min=1e-5).log()


def decode(salience: NDArray[np.float32], *, confidence: float = CONFIDENCE) -> NDArray[np.float64]:
    """Return Hz for saliences (t, 360): the mean of the nine pitches round the best one, 0 where none is above."""
    cents = FIRST_CENTS + CENTS_PER_BIN * np.arange(salience.shape[1])
    near = salience.argmax(axis=1)[:, None] + np.arange(-4, 5)
    inside = (near >= 0) & (near < len(cents))
    near = np.clip(near, 0, len(cents) - 1)
    weights = np.where(inside, np.take_along_axis(salience, near, axis=1), 0.0).astype(np.float64)
    mean = (weights * cents[near]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12)
    hz: NDArray[np.float64] = np.where(salience.max(axis=1) > confidence, 10.0 * 2.0 ** (mean / 1200.0), 0.0)
    return hz
