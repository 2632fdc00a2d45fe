"""FCPE, the default: a small network made for singing, fast and steady in the octave, up to 1100 Hz."""

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
LOWEST_HZ, HIGHEST_HZ = 32.70, 1975.5  # of the 360 pitches the network knows, evenly spaced in cents
CONFIDENCE = 0.03  # the published 0.006 lets white noise through at some levels (up to 0.02 measured)
MEL_CONTEXT_FRAMES = 4  # the FFT window's half


class Fcpe:
    """Pitch by the packaged FCPE weights."""

    NAME: ClassVar[str] = "fcpe"
    VERSION: ClassVar[int] = 2
    WEIGHTS: ClassVar[tuple[str, ...]] = ("fcpe",)

    def track(
        self, vocal: Recording, *, f0_min_hz: float, f0_max_hz: float, device: str
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the pitch; see `PitchMethod`.

        The network normalises by statistics of all it hears, so the vocal is read twice: once for the statistics
        of its audible frames, once for the pitch. Pieces then agree with the whole to float rounding.
        """
        torch_ready()  # network modules import torch at their top
        from covermaker.features.pitch.fcpe_network import CONTEXT_FRAMES

        network = catalog_network("fcpe", _load, device)
        with computing():
            mel = _LogMel(device)
            mean, variance = _statistics(network, mel, vocal)
            for piece in vocal.pieces(context_frames=CONTEXT_FRAMES + MEL_CONTEXT_FRAMES):
                heard = network.listen(mel(piece))
                salience = network(network.normalise(heard, mean, variance))
                yield piece.wanted(_decode(salience.cpu().numpy(), f0_min_hz, f0_max_hz))


def _load(path: Path, device: str) -> Any:
    from covermaker.features.pitch.fcpe_network import Fcpe as Network
    from covermaker.features.pitch.fcpe_network import own_names

    return load_network(
        Network(), path, what="FCPE", tensors=lambda file: own_names(file["model"]), device=device
    )


class _LogMel:
    """Log-mel frames as the network was trained on."""

    def __init__(self, device: str) -> None:
        self._torch = torch_ready()
        self._device = device
        self._window = self._torch.hann_window(N_FFT, device=device)
        filters = mel_filters(SAMPLE_RATE, n_fft=N_FFT, bands=128, high_hz=8000.0)
        self._filters = self._torch.from_numpy(filters).to(device)

    def __call__(self, piece: Piece) -> Any:
        """Return log-mel frames (128, frames of the piece).

        The windows of the first and last frames hang over the ends and see the sound mirrored there; a sound
        too short to be mirrored is followed by silence instead.
        """
        torch = self._torch
        left = (N_FFT - HOP_SAMPLES) // 2
        right = max(0, (piece.frames - 1) * HOP_SAMPLES + N_FFT - left - len(piece.samples))
        mirrored = len(piece.samples) > max(left, right)
        padded = np.pad(piece.samples, (left, right), mode="reflect" if mirrored else "constant")
        spectrum = torch.stft(
            torch.from_numpy(padded).to(self._device),
            N_FFT,
            hop_length=HOP_SAMPLES,
            window=self._window,
            center=False,
            return_complex=True,
        )
        magnitude = (spectrum.abs().square() + 1e-9).sqrt()[:, : piece.frames]
        return (self._filters @ magnitude).clamp(min=1e-5).log()


def _statistics(network: Any, mel: _LogMel, vocal: Recording) -> tuple[Any, Any]:
    """Return mean and variance, each (groups,), of the first layer over the audible frames."""
    from covermaker.features.pitch.fcpe_network import GROUPS

    torch = torch_ready()
    count = 0
    total, squares = np.zeros(GROUPS), np.zeros(GROUPS)
    for piece in vocal.pieces(context_frames=MEL_CONTEXT_FRAMES + 1):
        audible = torch.from_numpy(piece.wanted(piece.audible))
        heard = network.listen(mel(piece)).cpu().double()
        chosen = piece.wanted(heard.T)[audible].T.reshape(GROUPS, -1).numpy()
        count += chosen.shape[1]
        total += chosen.sum(axis=1)
        squares += np.square(chosen).sum(axis=1)
    mean = total / max(count, 1)
    variance = np.maximum(squares / max(count, 1) - mean**2, 0.0)
    device = next(network.parameters()).device
    return (
        torch.from_numpy(mean).float().to(device),
        torch.from_numpy(variance).float().to(device),
    )


def _decode(salience: NDArray[np.float32], f0_min_hz: float, f0_max_hz: float) -> NDArray[np.float32]:
    """Return Hz for saliences (t, 360): the mean of the nine pitches round the best one, 0 where none is."""
    lowest, highest = (1200.0 * np.log2(hz / 10.0) for hz in (LOWEST_HZ, HIGHEST_HZ))
    cents = np.linspace(lowest, highest, salience.shape[1])
    best = salience.argmax(axis=1)
    near = np.clip(best[:, None] + np.arange(-4, 5), 0, len(cents) - 1)
    weights = np.take_along_axis(salience, near, axis=1).astype(np.float64)
    hz = 10.0 * 2.0 ** ((cents[near] * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12) / 1200.0)
    sung = (salience.max(axis=1) > CONFIDENCE) & (hz >= f0_min_hz) & (hz <= f0_max_hz)
    return np.where(sung, hz, 0.0).astype(np.float32)
