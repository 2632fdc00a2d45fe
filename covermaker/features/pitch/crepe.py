"""CREPE in two sizes: the full network is exact and slow, the tiny one follows at a twentieth of the cost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from covermaker.features.checkpoint import load_network
from covermaker.features.pitch.recording import HOP_SAMPLES
from covermaker.weights.device import computing, torch_ready
from covermaker.weights.warm import catalog_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.features.pitch.recording import Piece, Recording

FIRST_CENTS = 1997.3794084376191  # of the lowest of 360 pitches above 10 Hz; they are 20 cents apart
CENTS_PER_BIN = 20.0
STEP_BINS = 12  # a path moves by less than this from frame to frame, as in the paper's decoder
BATCH_FRAMES = 64
CONTEXT_FRAMES = 50  # paths that begin apart have met again after half a second
UNHEARD = 1e-6  # salience of a frame that nobody looked at: any pitch may pass through it


class Crepe:
    """Pitch by the packaged CREPE weights, smoothed by the Viterbi path through the saliences."""

    NAME: ClassVar[str] = "crepe"
    VERSION: ClassVar[int] = 2
    WEIGHTS: ClassVar[tuple[str, ...]] = ("crepe-full",)
    SIZE: ClassVar[str] = "full"
    PERIODICITY: ClassVar[float] = 0.21  # salience of a sung frame, by the weights' own documentation

    def track(
        self, vocal: Recording, *, f0_min_hz: float, f0_max_hz: float, device: str
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the pitch; see `PitchMethod`. Silent frames are not looked at, which saves their time."""
        network = catalog_network(self.WEIGHTS[0], _LOADERS[self.SIZE], device)
        cents: NDArray[np.float64] = FIRST_CENTS + CENTS_PER_BIN * np.arange(360, dtype=np.float64)
        allowed = (cents >= 1200.0 * np.log2(f0_min_hz / 10.0)) & (
            cents <= 1200.0 * np.log2(f0_max_hz / 10.0)
        )
        with computing():
            for piece in vocal.pieces(context_frames=CONTEXT_FRAMES):
                salience = np.where(allowed, _salience(network, piece, device), 0.0)
                bins = best_path(salience)
                periodicity = _median_of_three(salience[np.arange(len(bins)), bins])
                hz = _refine(salience, bins, cents)
                sung = (periodicity > self.PERIODICITY) & (hz >= f0_min_hz) & (hz <= f0_max_hz)
                yield piece.wanted(np.where(sung, hz, 0.0).astype(np.float32))


class CrepeTiny(Crepe):
    """The same with the smallest network."""

    NAME: ClassVar[str] = "crepe-tiny"
    WEIGHTS: ClassVar[tuple[str, ...]] = ("crepe-tiny",)
    SIZE: ClassVar[str] = "tiny"
    PERIODICITY: ClassVar[float] = 0.35  # it is surer of noise: 99 % of white noise stays below 0.39


def _load(size: str, path: Path, device: str) -> Any:
    torch_ready()  # network modules import torch at their top
    from covermaker.features.pitch.crepe_network import Crepe as Network
    from covermaker.features.pitch.crepe_network import own_names

    return load_network(Network(size), path, what=f"{size} CREPE", tensors=own_names, device=device)


_LOADERS = {size: partial(_load, size) for size in ("full", "tiny")}


def _salience(network: Any, piece: Piece, device: str) -> NDArray[np.float64]:
    """Return saliences (frames, 360); a frame below the gate gets the same tiny one everywhere."""
    from covermaker.features.pitch.crepe_network import WINDOW_SAMPLES

    torch = torch_ready()
    missing = (piece.frames - 1) * HOP_SAMPLES + WINDOW_SAMPLES // 2 - len(piece.samples)
    padded = np.pad(piece.samples, (WINDOW_SAMPLES // 2, max(0, missing)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    salience = np.full((piece.frames, 360), UNHEARD)
    heard = np.flatnonzero(piece.audible)
    for first in range(0, len(heard), BATCH_FRAMES):
        chosen = heard[first : first + BATCH_FRAMES]
        batch = windows[chosen] - windows[chosen].mean(axis=1, keepdims=True)
        batch = batch / np.maximum(batch.std(axis=1, keepdims=True, ddof=1), 1e-10)
        salience[chosen] = network(torch.from_numpy(batch).to(device)).cpu().numpy()
    return salience


def best_path(salience: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the most likely pitch index of each frame when neighbours are close (Viterbi).

    Transition weights fall linearly to zero at `STEP_BINS`, as the paper has them, so only a band of steps is
    looked at: a hundred times less work than the full table.

    Parameters
    ----------
    salience : float64 array (frames, pitches)
        0..1; normalised here to one for each frame.
    """
    frames, pitches = salience.shape
    likelihood = np.log(salience / np.maximum(salience.sum(axis=1, keepdims=True), 1e-12) + 1e-12)
    steps = np.arange(-STEP_BINS + 1, STEP_BINS)
    cost = np.log((STEP_BINS - np.abs(steps)) / (STEP_BINS**2))[:, None]  # (steps, 1)
    came_from = np.zeros((frames, pitches), dtype=np.int16)
    score = likelihood[0]
    everywhere = np.arange(pitches)
    for frame in range(1, frames):
        padded = np.pad(score, STEP_BINS - 1, constant_values=-np.inf)
        options = np.lib.stride_tricks.sliding_window_view(padded, pitches) + cost  # (steps, pitches)
        best = options.argmax(axis=0)
        came_from[frame] = everywhere + steps[best]
        score = options[best, everywhere] + likelihood[frame]
    path = np.empty(frames, dtype=np.int64)
    path[-1] = score.argmax()
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path


def _refine(
    salience: NDArray[np.float64], bins: NDArray[np.int64], cents: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return Hz: the salience-weighted mean of the nine pitches round each chosen one."""
    near = np.clip(bins[:, None] + np.arange(-4, 5), 0, len(cents) - 1)
    weights = np.take_along_axis(salience, near, axis=1)
    mean = (weights * cents[near]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12)
    return np.asarray(10.0 * 2.0 ** (mean / 1200.0))


def _median_of_three(values: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(values, 1, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 3), axis=1))
