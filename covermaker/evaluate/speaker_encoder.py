"""Who sings, as a vector of 256 numbers, by the GE2E speaker encoder.

The vocal is brought to mono at 16 kHz, its silence is taken out, what is left is brought to -23 dBFS, and
overlapping stretches of 1.6 s are embedded and averaged. Two things differ from the package that published the
weights. Silence is found by an energy gate instead of a voice-activity detector: on speech the embeddings agree to
0.995 and better. And the level is fixed, where the package only raises what is below -30 dBFS: the network hears
power without a logarithm, so the same take 40 dB down would score 0.83 with itself. Figures of other papers were
taken the package's way.

References
----------
L. Wan et al., "Generalized End-to-End Loss for Speaker Verification", ICASSP 2018. The weights and the numbers
(window, hop, stretches) are those of the package Resemblyzer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.audio.mono import mono_blocks
from covermaker.errors import AudioInputError
from covermaker.features.checkpoint import load_network
from covermaker.features.clock import frame_count
from covermaker.features.loudness import frame_loudness_db
from covermaker.features.mel import mel_filters
from covermaker.progress import part, silent
from covermaker.weights.device import computing, torch_ready
from covermaker.weights.warm import catalog_network

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.progress import Progress

DIM = 256
SAMPLE_RATE = 16000
HOP_SAMPLES = 160
N_FFT = 400
MELS = 40
STRETCH_FRAMES = 160
STRETCHES_PER_SECOND = 1.3
LEAST_COVERAGE = 0.75  # a last stretch with less sound than this is left out
LEVEL_DBFS = -23.0  # of -15 to -35 the one that keeps four synthetic voices furthest apart

GATE_BELOW_LOUDEST_DB = -40.0
GATE_DB = -90.0
GATE_SMOOTH_FRAMES = 24  # 240 ms: shorter gaps are part of the singing
GATE_GROW_FRAMES = 9
LEAST_SECONDS = 0.25  # less voice than this is nobody's

_BATCH = 64


class NoVoiceError(AudioInputError):
    """A file is sound enough, but nobody sings in it."""


def embed(path: Path, *, device: str = "cpu", progress: Progress = silent) -> NDArray[np.float32]:
    """Embed the singer of a vocal.

    Parameters
    ----------
    path : Path
        A vocal without accompaniment, read block by block; a few kB a second are held.
    device : str
        ``"cpu"``, ``"cuda"``, ``"mps"``.
    progress : Progress
        Told the finished fraction.

    Returns
    -------
    float32 array (256,)
        Of length one, all values 0 or above.

    Raises
    ------
    AudioInputError
        When the file cannot be read.
    NoVoiceError
        When it holds under a quarter of a second of voice.
    WeightsError
        When the weights are missing or damaged.
    """
    active = _active(frame_loudness_db(path, progress=part(progress, 0.0, 0.1)))
    if active.sum() < LEAST_SECONDS * SAMPLE_RATE / HOP_SAMPLES:
        raise NoVoiceError(
            f"{path.name} holds no voice to compare", hint="it is silent or shorter than 0.25 s"
        )
    energy, count = 0.0, 0
    for block in _voice(path, active):
        energy += float(np.square(block, dtype=np.float64).sum())
        count += len(block)
    gain = 10.0 ** (LEVEL_DBFS / 20.0) / max((energy / max(count, 1)) ** 0.5, 1e-9)
    mel = speaker_mel((block * np.float32(gain) for block in _voice(path, active)), count)
    progress(0.3)
    return embed_mel(mel, count, device=device, progress=part(progress, 0.3, 1.0))


def speaker_mel(blocks: Iterable[NDArray[np.float32]], samples: int) -> NDArray[np.float32]:
    """Return power mel frames (t, 40) of sound at 16 kHz that comes in blocks of `samples` in all.

    It is followed by as much silence as the last stretch needs. Frame i is centred at sample ``160 * i``; before
    the first sample there is silence. No logarithm: the network was trained on power.
    """
    filters = mel_filters(SAMPLE_RATE, n_fft=N_FFT, bands=MELS).T
    n = np.arange(N_FFT)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / N_FFT)
    frames = max(frame_count(samples, SAMPLE_RATE), _stretches(samples)[-1] + STRETCH_FRAMES)
    mel = np.zeros((frames, MELS), dtype=np.float32)
    held = np.zeros(N_FFT // 2)
    done = 0

    def analyse(held: NDArray[np.float64], ready: int) -> None:
        pieces = np.lib.stride_tricks.sliding_window_view(held, N_FFT)[::HOP_SAMPLES][:ready]
        mel[done : done + ready] = np.square(np.abs(np.fft.rfft(pieces * window, axis=1))) @ filters

    for block in blocks:
        held = np.concatenate((held, block))
        ready = max(0, (len(held) - N_FFT) // HOP_SAMPLES + 1)
        if ready:
            analyse(held, ready)
            done, held = done + ready, held[ready * HOP_SAMPLES :]
    rest = frames - done
    held = np.concatenate((held, np.zeros(max(0, (rest - 1) * HOP_SAMPLES + N_FFT - len(held)))))
    analyse(held, rest)
    return mel


def embed_mel(
    mel: NDArray[np.float32], samples: int, *, device: str = "cpu", progress: Progress = silent
) -> NDArray[np.float32]:
    """Average the embeddings of all stretches of `samples` samples' mel frames and scale to length one."""
    network = catalog_network("ge2e-speaker", _network, device)
    starts = _stretches(samples)
    total = np.zeros(DIM)
    with computing() as torch:
        for first in range(0, len(starts), _BATCH):
            chosen = starts[first : first + _BATCH]
            batch = np.stack([mel[start : start + STRETCH_FRAMES] for start in chosen])
            total += network(torch.from_numpy(batch).to(device)).cpu().double().sum(dim=0).numpy()
            progress((first + len(chosen)) / len(starts))
    length = np.linalg.norm(total)
    return (total / length if length > 0 else total).astype(np.float32)


def _stretches(samples: int) -> list[int]:
    """Return the first frame of each stretch."""
    frames = -(-(samples + 1) // HOP_SAMPLES)
    step = round(SAMPLE_RATE / STRETCHES_PER_SECOND / HOP_SAMPLES)
    starts = list(range(0, max(1, frames - STRETCH_FRAMES + step + 1), step))
    covered = (samples - starts[-1] * HOP_SAMPLES) / (STRETCH_FRAMES * HOP_SAMPLES)
    return starts[:-1] if covered < LEAST_COVERAGE and len(starts) > 1 else starts


def _active(level_db: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which frames hold voice; gaps of a word are bridged, edges are kept whole."""
    loud = level_db > max(GATE_DB, float(level_db.max()) + GATE_BELOW_LOUDEST_DB)
    around = np.convolve(loud, np.ones(GATE_SMOOTH_FRAMES) / GATE_SMOOTH_FRAMES, mode="same")[: len(loud)]
    grown = np.convolve(around >= 0.5, np.ones(2 * GATE_GROW_FRAMES + 1), mode="same")[: len(loud)] > 0.5
    return np.asarray(grown)


def _voice(path: Path, active: NDArray[np.bool_]) -> Iterator[NDArray[np.float32]]:
    """Yield the sound at 16 kHz without its silent frames."""
    at = 0
    for block in mono_blocks(path, SAMPLE_RATE):
        frame = np.minimum(
            (np.arange(at, at + block.shape[1]) + HOP_SAMPLES // 2) // HOP_SAMPLES, len(active) - 1
        )
        yield block[0, active[frame]]
        at += block.shape[1]


def _network(path: Path, device: str) -> Any:
    torch_ready()  # network modules import torch at their top
    from covermaker.evaluate.speaker_network import SpeakerNetwork

    def tensors(file: Any) -> dict[str, Any]:
        # The two others belong to the training loss.
        return {
            name: value for name, value in file["model_state"].items() if not name.startswith("similarity")
        }

    return load_network(SpeakerNetwork(), path, what="GE2E speaker", tensors=tensors, device=device)
