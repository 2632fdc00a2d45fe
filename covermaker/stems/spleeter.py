"""Spleeter's two-stem separation on its published weights, in constant memory.

The song is cut into segments of 512 STFT frames (11.9 s) without overlap, each given to both networks, exactly as
the reference does; the masks are the squared estimates over their sum, so they add up to one. Only a segment, its
spectrum and three quarters of a window's tail are held.

The networks know the lowest 1024 of 2049 bins, up to 11 kHz. The packaged port drops what is above from both stems.
Here it gets the mean mask of the known bins, frame by frame (the original's mask extension "average"), so nothing
is lost and the air of a voice goes with the voice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from covermaker.audio.buffer import fit
from covermaker.progress import Progress, silent
from covermaker.stems.streaming import StemWriter, probe_song, song_blocks
from covermaker.weights.catalog import fingerprint
from covermaker.weights.device import computing, pick_device, torch_ready
from covermaker.weights.unpickle import read_arrays
from covermaker.weights.warm import catalog_network

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from torch import Tensor

    from covermaker.audio.buffer import Samples
    from covermaker.stems.base import SeparationReport
    from covermaker.stems.spleeter_network import SpleeterNetwork

SAMPLE_RATE = 44100
WINDOW_SAMPLES = 4096
HOP_SAMPLES = 1024
_OVERLAPS = WINDOW_SAMPLES // HOP_SAMPLES
_HALF_HOPS = _OVERLAPS // 2
_MASK_EPSILON = 1e-10


class SpleeterSeparator:
    """Vocals and accompaniment, fast, on packaged weights.

    Parameters
    ----------
    device : str
        See `covermaker.weights.device.pick_device`.
    """

    VERSION: ClassVar[int] = 1
    _WEIGHTS: ClassVar[dict[str, str]] = {
        "vocals": "spleeter-2stems-vocals",
        "accompaniment": "spleeter-2stems-accompaniment",
    }

    def __init__(self, device: str = "auto") -> None:
        self._device = device

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the stems."""
        return tuple(self._WEIGHTS)

    def params(self) -> dict[str, Any]:
        """Return the options that change the samples: there are none."""
        return {}

    def weights_used(self) -> tuple[str, ...]:
        """Return the sha256 of both networks' weights."""
        return tuple(fingerprint(name) for name in self._WEIGHTS.values())

    def separate(self, song: Path, out: Path, *, progress: Progress = silent) -> SeparationReport:
        """Write ``vocals.wav`` and ``accompaniment.wav``; see `covermaker.stems.base.Separator`."""
        info = probe_song(song)
        device = pick_device(self._device)
        networks = load_networks(tuple(self._WEIGHTS.values()), device)
        total = info.frames * SAMPLE_RATE / info.sample_rate
        done = 0
        with (
            StemWriter(song, out, self.stems, sample_rate=SAMPLE_RATE) as writer,
            computing(any_number=True),
        ):
            for block in split(networks, song_blocks(song, SAMPLE_RATE), device):
                writer.write(block)
                done += block.shape[-1]
                progress(min(done / total, 1.0))
            report = writer.finish()
        for network in networks:
            network.tidy()
        progress(1.0)
        return report


def load_networks(names: tuple[str, ...], device: str = "cpu") -> list[SpleeterNetwork]:
    """Load one network for each catalog name."""
    return [catalog_network(name, _load, device, shared=False) for name in names]


def _load(path: Path, device: str) -> SpleeterNetwork:
    torch_ready()  # network modules import torch at their top
    from covermaker.stems.spleeter_network import SpleeterNetwork

    return SpleeterNetwork(read_arrays(path), device=device)


def split(
    networks: Sequence[SpleeterNetwork], blocks: Iterable[Samples], device: str = "cpu"
) -> Iterator[Samples]:
    """Turn (2, n) blocks of a song at 44.1 kHz into (stems, 2, m) blocks, at least as long in all."""
    synthesis = _Synthesis(len(networks), device)
    for spectrum in spectra(blocks, device):
        yield synthesis.push(spectrum, masks(networks, spectrum))
    yield synthesis.finish()


def spectra(blocks: Iterable[Samples], device: str = "cpu") -> Iterator[Tensor]:
    """Yield the song's STFT a segment at a time.

    Frame `k` is centred on sample ``1024 k``, with silence before and after the song; there are
    ``1 + samples // 1024`` frames (periodic Hann window of 4096).

    Yields
    ------
    complex64 tensor (2, frames, 2049)
        512 frames, fewer in the last segment.
    """
    from covermaker.stems.spleeter_network import SEGMENT_FRAMES

    step = SEGMENT_FRAMES * HOP_SAMPLES
    need = _span(SEGMENT_FRAMES)
    held: list[Samples] = [np.zeros((2, WINDOW_SAMPLES // 2), np.float32)]
    have, samples, done = WINDOW_SAMPLES // 2, 0, 0
    for block in blocks:
        held.append(block)
        have += block.shape[-1]
        samples += block.shape[-1]
        while have >= need:
            buffer = np.concatenate(held, axis=-1)
            yield _stft(buffer[:, :need], device)
            held = [buffer[:, step:]]
            have -= step
            done += SEGMENT_FRAMES
    buffer = np.concatenate(held, axis=-1)
    while (left := 1 + samples // HOP_SAMPLES - done) > 0:
        frames = min(left, SEGMENT_FRAMES)
        yield _stft(fit(buffer, _span(frames)), device)
        buffer = buffer[:, step:]
        done += frames


def masks(networks: Sequence[SpleeterNetwork], spectrum: Tensor) -> Tensor:
    """Estimate each stem's share of the known bins of a segment.

    Parameters
    ----------
    networks : sequence of SpleeterNetwork
        One a stem.
    spectrum : complex64 tensor (2, frames, 2049)
        At most 512 frames.

    Returns
    -------
    float32 tensor (stems, 2, frames, 1024)
        In 0..1, adding up to one over the stems.
    """
    from covermaker.stems.spleeter_network import BINS, frames_seen

    torch = torch_ready()
    frames = spectrum.shape[1]
    parts = torch.view_as_real(spectrum[..., :BINS])
    magnitude = (parts[..., 0].square() + parts[..., 1].square()).sqrt_()
    # The reference fills the last segment with silence up to 512 frames; more than the networks can see is waste.
    padded = torch.nn.functional.pad(magnitude, (0, 0, 0, frames_seen(frames) - frames))[None]
    squares = torch.stack([network(padded)[0, :, :frames].square() for network in networks])
    total = squares.sum(0).add_(_MASK_EPSILON)
    return cast("Tensor", squares.add_(_MASK_EPSILON / len(networks)).div_(total))


def apply_mask(spectrum: Tensor, mask: Tensor) -> Tensor:
    """Return a spectrum (2, frames, 2049) under a mask (2, frames, 1024), its mean standing in above."""
    bins = mask.shape[-1]
    masked = torch_ready().empty_like(spectrum)
    masked[..., :bins] = spectrum[..., :bins] * mask
    masked[..., bins:] = spectrum[..., bins:] * mask.mean(-1, keepdim=True)
    return cast("Tensor", masked)


class _Synthesis:
    """Masked spectra back to sound: inverse STFT with the squared-window sum divided out, segment after segment."""

    def __init__(self, stems: int, device: str) -> None:
        torch = torch_ready()
        self._window = _window(device)
        self._weight = self._window.square().view(_OVERLAPS, HOP_SAMPLES)
        self._tail = torch.zeros(stems, 2, _OVERLAPS - 1, HOP_SAMPLES, device=device)
        self._tail_weight = torch.zeros(_OVERLAPS - 1, HOP_SAMPLES, device=device)
        self._skip = _HALF_HOPS

    def push(self, spectrum: Tensor, masks: Tensor) -> Samples:
        """Return the samples (stems, 2, n) that no later segment touches."""
        torch = torch_ready()
        frames = spectrum.shape[1]
        stems = masks.shape[0]
        total = torch.zeros(stems, 2, frames + _OVERLAPS - 1, HOP_SAMPLES, device=spectrum.device)
        weight = torch.zeros(frames + _OVERLAPS - 1, HOP_SAMPLES, device=spectrum.device)
        total[:, :, : _OVERLAPS - 1] = self._tail
        weight[: _OVERLAPS - 1] = self._tail_weight
        for stem in range(stems):
            pieces = torch.fft.irfft(apply_mask(spectrum, masks[stem]), n=WINDOW_SAMPLES).mul_(self._window)
            pieces = pieces.view(2, frames, _OVERLAPS, HOP_SAMPLES)
            for part in range(_OVERLAPS):
                total[stem, :, part : part + frames] += pieces[:, :, part]
        for part in range(_OVERLAPS):
            weight[part : part + frames] += self._weight[part]
        self._tail, self._tail_weight = total[:, :, frames:].clone(), weight[frames:].clone()
        # The first half window lies before the song.
        start, self._skip = min(self._skip, frames), max(self._skip - frames, 0)
        return self._samples(total[:, :, start:frames] / weight[start:frames])

    def finish(self) -> Samples:
        """Return what is left, up to one hop past the last frame's centre."""
        keep = slice(self._skip, _HALF_HOPS)
        return self._samples(self._tail[:, :, keep] / self._tail_weight[keep])

    @staticmethod
    def _samples(hops: Tensor) -> Samples:
        return cast("Samples", hops.flatten(2).cpu().numpy())


def _span(frames: int) -> int:
    return (frames - 1) * HOP_SAMPLES + WINDOW_SAMPLES


def _stft(samples: Samples, device: str) -> Tensor:
    torch = torch_ready()
    signal = torch.from_numpy(np.ascontiguousarray(samples)).to(device)
    return cast("Tensor", torch.fft.rfft(signal.unfold(-1, WINDOW_SAMPLES, HOP_SAMPLES) * _window(device)))


def _window(device: str) -> Tensor:
    return cast("Tensor", torch_ready().hann_window(WINDOW_SAMPLES, device=device))
