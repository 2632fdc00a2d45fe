"""Demucs separation: any model of the package, in constant memory.

Computes what ``demucs.apply.apply_model`` computes, without holding the song. The song is normalised by the mean
and deviation of its mono sum (read once for that), cut into windows that overlap, each padded with the song around
it to the length the network wants, and joined under triangular weights. These weights are part of how the models
are evaluated (Défossez, "Hybrid spectrogram and waveform source separation", 2021): windows of any overlap add up,
where a cross-fade joins only two. Each network of a bag and each random shift is a stream of its own, and all run
side by side, so only windows are ever held.

Nothing is rescaled or clipped: stems leave as the networks made them, the rest of the song goes to the last stem.
"""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from covermaker.audio.beside import through
from covermaker.audio.files import blocks, probe, wav_writer
from covermaker.errors import ResourceError, UsageError
from covermaker.progress import Progress, silent
from covermaker.stems.demucs_models import find_bag, load_networks
from covermaker.stems.streaming import CHANNELS, BlockQueue, StemWriter, probe_song, song_blocks
from covermaker.weights.device import (
    NETWORK_THREADS,
    computing,
    cores,
    is_out_of_memory,
    pick_device,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

    from covermaker.audio.buffer import Samples
    from covermaker.stems.base import SeparationReport
    from covermaker.stems.demucs_models import Bag

_MAX_SHIFT_SECONDS = 0.5
_DEVIATION_FLOOR = 1e-8
_HALVINGS = 3
_SILENCE_FRAMES = 1 << 16
_MOST_AT_ONCE = 4  # windows: each takes the memory of a pass


class DemucsSeparator:
    """Four or six stems by a demucs model.

    Parameters
    ----------
    device : str
        See `covermaker.weights.device.pick_device`.
    model : str
        A name of the catalog (``htdemucs``, ``htdemucs_ft``, …) or, with `repo`, any in that folder.
    repo : path, optional
        Folder with models, as the demucs package's ``--repo``.
    shifts : int
        How many randomly shifted passes are averaged; 0 for one pass without shift.
    overlap : float
        Share of a window that neighbours have in common, 0 up to but not including 1.
    segment : float, optional
        Window in seconds; the model's own when left out.
    seed : int
        Of the random shifts.

    Raises
    ------
    UsageError
        When an option is out of its range.
    """

    VERSION: ClassVar[int] = 1

    def __init__(
        self,
        device: str = "auto",
        *,
        model: str = "htdemucs",
        repo: str | Path | None = None,
        shifts: int = 0,
        overlap: float = 0.25,
        segment: float | None = None,
        seed: int = 0,
    ) -> None:
        if shifts < 0:
            raise UsageError(f"demucs shifts must be 0 or more, not {shifts}")
        if not 0.0 <= overlap < 1.0:
            raise UsageError(f"demucs overlap must be at least 0 and below 1, not {overlap:g}")
        if segment is not None and not segment > 0.0:
            raise UsageError(f"demucs segment must be above 0 seconds, not {segment:g}")
        self._device = device
        self._model = model
        self._repo = None if repo is None else Path(repo).expanduser()
        self._shifts, self._overlap, self._segment, self._seed = shifts, overlap, segment, seed

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the stems: the vocals first, ``other``, which takes the residue, last."""
        return tuple(sorted(self._bag().sources(), key=lambda name: {"vocals": -1, "other": 1}.get(name, 0)))

    def params(self) -> dict[str, Any]:
        """Return the options that change the samples."""
        seed = {"shift_seed": self._seed} if self._shifts else {}
        return {"shifts": self._shifts, "overlap": self._overlap, "segment": self._segment, **seed}

    def weights_used(self) -> tuple[str, ...]:
        """Return the sha256 of the model's definition and networks."""
        return self._bag().hashes()

    def separate(self, song: Path, out: Path, *, progress: Progress = silent) -> SeparationReport:
        """Write one file a stem; see `covermaker.stems.base.Separator`.

        When memory runs out, the song is begun again with windows of half the length, three times at most; the
        report says so.

        Raises
        ------
        ResourceError
            When memory is not enough for the shortest window.
        UsageError
            When `segment` is longer than a transformer model can take.
        """
        probe_song(song)
        bag = self._bag()
        device = pick_device(self._device)
        networks = load_networks(bag, device)
        window_s = self._window(bag, networks)
        for halving in range(_HALVINGS + 1):
            shorter = window_s / 2**halving
            try:
                # As the model has it unless asked otherwise: the package pads the two differently.
                asked = self._segment is not None or halving > 0
                report = self._attempt(song, out, networks, bag, device, shorter if asked else None, progress)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                continue
            if not halving:
                return report
            note = f"memory ran out: windows of {shorter:.3g} s were used, not {window_s:.3g} s"
            return replace(report, notes=(*report.notes, note))
        raise ResourceError(
            f"'{self._model}' runs out of memory even with windows of {shorter:.3g} s",
            hint="close other programs, take the device cpu or the separator spleeter",
        ) from MemoryError()

    def _bag(self) -> Bag:
        return find_bag(self._model, self._repo)

    def _window(self, bag: Bag, networks: list[nn.Module]) -> float:
        longest = min(
            (float(network.segment) for network in networks if _is_transformer(network)),  # type: ignore[arg-type]
            default=math.inf,
        )
        if self._segment is not None and self._segment > longest:
            raise UsageError(f"'{bag.name}' takes segments of at most {longest:g} s, not {self._segment:g} s")
        return self._segment or min(float(network.segment) for network in networks)  # type: ignore[arg-type]

    def _attempt(
        self,
        song: Path,
        out: Path,
        networks: list[Any],
        bag: Bag,
        device: str,
        segment: float | None,
        progress: Progress,
    ) -> SeparationReport:
        rate = int(networks[0].samplerate)
        order = [networks[0].sources.index(stem) for stem in self.stems]
        with (
            StemWriter(song, out, self.stems, sample_rate=rate) as writer,
            tempfile.TemporaryDirectory(dir=out, prefix=".demucs-") as scratch,
        ):
            source = _Normalised(song, rate, Path(scratch))
            if source.silent:
                for at in range(0, source.frames, _SILENCE_FRAMES):
                    length = min(_SILENCE_FRAMES, source.frames - at)
                    writer.write(np.zeros((len(order), CHANNELS, length), np.float32))
                return writer.finish()
            passes = self._passes(networks, source, segment, device)
            windows = sum(len(one.offsets) for row in passes for one in row)
            done = 0

            def window_done() -> None:
                nonlocal done
                done += 1
                progress(done / windows)

            weights = np.array(bag.weights or np.ones((len(networks), len(order))), np.float32)
            streams = [[BlockQueue(one.run(window_done)) for one in row] for row in passes]
            position = 0
            while position < source.frames:
                ready = min(stream.fill() for row in streams for stream in row)
                total = np.zeros((len(order), CHANNELS, ready), np.float32)
                for row, share in zip(streams, weights, strict=True):
                    estimate = row[0].take(ready)
                    for stream in row[1:]:
                        estimate = estimate + stream.take(ready)
                    total += estimate / np.float32(len(row)) * share[:, None, None]
                total /= weights.sum(0)[:, None, None]
                writer.write(source.restore(total)[order])
                position += ready
            return writer.finish()

    def _passes(
        self, networks: list[Any], source: _Normalised, segment: float | None, device: str
    ) -> list[list[_Pass]]:
        """Return for each network its shifted passes; the draws are in the package's order."""
        random = Random(self._seed)  # noqa: S311 (no secret)
        at_once = windows_at_once(device) // (len(networks) * max(1, self._shifts))
        rows = []
        for network in networks:
            longest = int(_MAX_SHIFT_SECONDS * network.samplerate)
            shifts = [longest - random.randint(0, longest) for _ in range(self._shifts)] or [0]
            rows.append(
                [
                    _Pass(network, source, shift, segment, self._overlap, device, at_once=at_once)
                    for shift in shifts
                ]
            )
        return rows


def windows_at_once(device: str) -> int:
    """Return how many windows are worked on at once where there are many cores: each has its few threads."""
    return min(cores() // NETWORK_THREADS, _MOST_AT_ONCE) if device == "cpu" else 1


class _Normalised:
    """The song at the network's rate with mean 0 and deviation 1, readable at any place, silent outside."""

    def __init__(self, song: Path, sample_rate: int, scratch: Path) -> None:
        self._path = song
        if probe(song).sample_rate != sample_rate:
            self._path = scratch / "song.wav"
            with wav_writer(self._path, sample_rate=sample_rate, channels=CHANNELS) as writer:
                for block in song_blocks(song, sample_rate):
                    writer.write(block)
        total = squares = 0.0
        self.frames, self.silent = 0, True
        for block in blocks(self._path):
            mono = block.mean(axis=0, dtype=np.float64)
            total += float(mono.sum())
            squares += float(np.square(mono).sum())
            self.frames += block.shape[-1]
            self.silent = self.silent and not block.any()
        self._mean = np.float32(total / self.frames)
        variance = max(squares - total**2 / self.frames, 0.0) / max(self.frames - 1, 1)
        self._deviation = np.float32(math.sqrt(variance) + _DEVIATION_FLOOR)

    def read(self, start: int, stop: int) -> Samples:
        """Return (2, stop - start) samples; positions outside the song are zero."""
        inside = slice(max(start, 0), min(stop, self.frames))
        out = np.zeros((CHANNELS, stop - start), np.float32)
        if inside.stop > inside.start:
            frames = inside.stop - inside.start
            parts = list(blocks(self._path, start=inside.start, frames=frames))
            samples = np.concatenate(parts, axis=-1)
            out[:, inside.start - start : inside.stop - start] = (samples - self._mean) / self._deviation
        return out

    def restore(self, stems: Samples) -> Samples:
        """Undo the normalisation on (stems, 2, n) samples."""
        return stems * self._deviation + self._mean


class _Pass:
    """One network over the song that begins `shift` samples early."""

    def __init__(
        self,
        network: Any,
        source: _Normalised,
        shift: int,
        segment: float | None,
        overlap: float,
        device: str,
        *,
        at_once: int = 1,
    ) -> None:
        self._network, self._source, self._shift, self._device = network, source, shift, device
        self._at_once = at_once
        self._asked = segment
        self._window = int(network.samplerate * (network.segment if segment is None else segment))
        stride = int((1 - overlap) * self._window)
        if stride < 1:
            raise UsageError(f"demucs overlap {overlap:g} leaves no step between windows")
        self._stride = stride
        self._total = source.frames + shift
        self.offsets = range(0, self._total, stride)

    def run(self, window_done: Callable[[], None]) -> Iterator[Samples]:
        """Yield the estimates (stems, 2, n) of the whole song in order."""
        rising = np.arange(1, self._window // 2 + 1)
        falling = np.arange(self._window - self._window // 2, 0, -1)
        weight = np.concatenate([rising, falling]).astype(np.float32) / np.float32(falling[0])
        sums = np.zeros((0, CHANNELS, 0), np.float32)
        weights = np.zeros(0, np.float32)
        skip = self._shift
        windows = [(offset, min(self._window, self._total - offset)) for offset in self.offsets]
        for (offset, length), estimate in zip(windows, self._estimates(windows), strict=True):
            grow = length - len(weights)
            if grow > 0:
                held = sums if sums.shape[0] else np.zeros((len(estimate), CHANNELS, 0), np.float32)
                sums = np.concatenate([held, np.zeros((*held.shape[:2], grow), np.float32)], axis=-1)
                weights = np.concatenate([weights, np.zeros(grow, np.float32)])
            sums[..., :length] += weight[:length] * estimate
            weights[:length] += weight[:length]
            window_done()
            done = min(self._stride, self._total - offset)
            ready = sums[..., :done] / weights[:done]
            sums, weights = sums[..., done:], weights[done:]
            yield ready[..., skip:]
            skip = max(skip - done, 0)

    def _estimates(self, windows: list[tuple[int, int]]) -> Iterator[Samples]:
        if self._at_once < 2:
            return map(self._estimate, windows)
        return through(self._estimate, windows, waiting=self._at_once - 1, threads=self._at_once)

    def _estimate(self, window: tuple[int, int]) -> Samples:
        offset, length = window
        network = self._network
        valid = length
        if _is_transformer(network) and self._asked is not None:
            valid = self._window
        elif hasattr(network, "valid_length"):
            valid = network.valid_length(length)
        before = (valid - length) // 2
        start = offset - self._shift - before
        with computing() as torch:
            mix = torch.from_numpy(self._source.read(start, start + valid)).to(self._device)
            estimate = network(mix[None])[0]
            trim = (estimate.shape[-1] - length) // 2
            samples: Samples = estimate[..., trim : trim + length].cpu().numpy()
        return samples


def _is_transformer(network: object) -> bool:
    return type(network).__name__ == "HTDemucs"
