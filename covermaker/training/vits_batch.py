"""Batches for a VITS network: cuts of the takes on its own clock, and the random numbers of a step.

The posterior encoder reads a whole cut, the decoder sings a short segment of it. A take that is shorter than a cut is
followed by frames that the mask leaves out. Every singer also has silence, with what the content encoder reads in it
(`silence`): with none in the takes, a voice hums in rests.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.voices.networks.vits_clock import OwnFrames
from covermaker.voices.networks.vits_pitch import fill_gaps, pitch_bins
from covermaker.voices.networks.vits_source import frame_cycles, sample_cycles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from covermaker.training.dataset import Dataset, Example
    from covermaker.voices.networks.vits_config import VitsConfig

_SILENT_CUTS = 2  # that every singer has


@dataclass(frozen=True)
class VitsDraw:
    """A step's batch of B cuts of T frames, of which segments of S frames are sung; float32 where nothing else is said.

    Attributes
    ----------
    sound : (B, T * hop + 2 * context)
        With what the outer frames' windows reach.
    target : (B, S * hop)
    content : (B, T, D)
    f0_hz : (B, T)
    bins, voiced : int64 (B, T)
    level : (B, T)
    mask : (B, T)
    speaker, start : int64 (B,)
        Whose row, and where the segment begins.
    cycles, sounding : (B, S * hop)
        Phase of the source, and whether there is one.
    latent_noise : (B, latent, T)
    source_noise : (B, S * hop, harmonics)
    offsets : (B, 1, harmonics)
        Cycles.
    stretch : (B, 1)
        Of the pitch that the pitch decoder is told.
    forgetting : int64 (B,)
        Seeds of dropout; a part of the batch takes its first.
    """

    sound: NDArray[np.float32]
    target: NDArray[np.float32]
    content: NDArray[np.float32]
    f0_hz: NDArray[np.float32]
    bins: NDArray[np.int64]
    voiced: NDArray[np.int64]
    level: NDArray[np.float32]
    mask: NDArray[np.float32]
    speaker: NDArray[np.int64]
    start: NDArray[np.int64]
    cycles: NDArray[np.float32]
    sounding: NDArray[np.float32]
    latent_noise: NDArray[np.float32]
    source_noise: NDArray[np.float32]
    offsets: NDArray[np.float32]
    stretch: NDArray[np.float32]
    forgetting: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.speaker)

    def cut(self, pieces: int) -> list[VitsDraw]:
        """Return `pieces` parts of as equal size as can be."""
        bounds = [len(self) * k // pieces for k in range(pieces + 1)]
        return [
            VitsDraw(*(getattr(self, one.name)[a:b] for one in fields(self)))
            for a, b in itertools.pairwise(bounds)
            if b > a
        ]


@dataclass(frozen=True)
class _Item:
    """An example on the network's own clock; None for silence."""

    example: Example | None
    frames: int
    gain: float
    speaker: int
    f0_hz: NDArray[np.float64]
    voiced: NDArray[np.bool_]
    level: NDArray[np.float64]
    weight: float


class Cuts:
    """Draws batches, longer examples more often.

    Parameters
    ----------
    dataset : Dataset
        With a reading of silence.
    config : VitsConfig
    cut_frames, segment_frames : int
        On the network's own clock.
    context : int
        Samples before and after a cut.

    Attributes
    ----------
    cuts : float
        So many draws go through all takes once, as far as one can tell: not every one is of a take, and not every take
        is as long as a cut.
    """

    def __init__(
        self, dataset: Dataset, config: VitsConfig, cut_frames: int, segment_frames: int, context: int
    ) -> None:
        self.config, self.segment_frames, self.context = config, segment_frames, context
        assert dataset.silence is not None
        self._reading = dataset.silence
        self._feature_hop = dataset.hop_samples
        items = [self._item(example) for example in dataset.examples]
        self._items = [item for item in items if item.frames >= segment_frames]
        # No longer than the longest take: frames that are always masked cost as much as others.
        longest = max(item.frames for item in self._items)
        self.cut_frames = max(segment_frames, min(cut_frames, longest))
        takes = np.array([item.frames for item in self._items])
        self._items += [self._silence(speaker) for speaker in sorted({item.speaker for item in self._items})]
        weights = np.array([item.weight for item in self._items])
        self._chances = weights / weights.sum()
        a_draw = self._chances[: len(takes)] @ np.minimum(takes, self.cut_frames)
        self.cuts = float(takes.sum() / a_draw)

    def _item(self, example: Example) -> _Item:
        config, hop = self.config, self.config.hop_samples
        known = example.whole_frames(self._feature_hop)
        frames = known * self._feature_hop // hop
        own = OwnFrames(0, known, self._feature_hop, hop)
        sung_hz = example.f0_hz[:known].astype(np.float64)
        told_hz = fill_gaps(sung_hz, early=config.fork) if config.family == "sovits" else sung_hz
        peak = float(np.abs(example.target).max(initial=0.0))
        # Each family's takes are brought to its own level, which the pretrained networks know.
        gain = 0.98 / max(peak, 1e-3) if config.family == "sovits" else 0.675 / max(peak, 1e-3) + 0.25
        level = gain * 10.0 ** (example.loudness_db[:known].astype(np.float64) / 20.0)
        return _Item(
            example, frames, gain, example.speaker, own.linear(told_hz)[:frames], own.nearest(sung_hz > 0.0)[:frames],
            own.held(level)[:frames], float(frames),
        )  # fmt: skip

    def _silence(self, speaker: int) -> _Item:
        frames = max(self.cut_frames, own_frames(2 * len(self._reading), self.config))
        nothing = np.zeros(frames)
        weight = float(_SILENT_CUTS * self.cut_frames)
        return _Item(None, frames, 0.0, speaker, nothing, nothing > 0.0, nothing, weight)

    def draw(self, size: int, rng: np.random.Generator) -> VitsDraw:
        """Draw `size` cuts and all random numbers of their step."""
        rows = [self._cut(rng) for _ in range(size)]
        columns: Any = [np.stack(column) for column in zip(*rows, strict=True)]
        samples, harmonics = self.segment_frames * self.config.hop_samples, self.config.harmonics
        normal = rng.standard_normal
        offsets = rng.random((size, 1, harmonics), dtype=np.float32)
        offsets[:, :, 0] = 0.0
        noises: Any = (
            normal((size, self.config.latent, self.cut_frames), dtype=np.float32),
            normal((size, samples, harmonics), dtype=np.float32),
            offsets,
            rng.uniform(0.8, 1.2, (size, 1)).astype(np.float32),
            rng.integers(2**63 - 1, size=size),
        )
        return VitsDraw(*columns, *noises)

    def _cut(self, rng: np.random.Generator) -> tuple[Any, ...]:
        config, hop = self.config, self.config.hop_samples
        item = self._items[int(rng.choice(len(self._items), p=self._chances))]
        frames = min(item.frames, self.cut_frames)
        first = int(rng.integers(item.frames - frames + 1))
        begin = int(rng.integers(frames - self.segment_frames + 1))
        reading = int(rng.integers(len(item.example.contents) if item.example else 1))
        here = slice(first, first + frames)
        f0_hz = item.f0_hz[here]
        segment_hz = f0_hz[begin : begin + self.segment_frames]
        sound = self._sound(item, first, frames)
        start = self.context + begin * hop
        bins = pitch_bins(f0_hz, drops_high=config.family == "sovits" and not config.fork)
        return (
            self._filled(sound, self.cut_frames * hop + 2 * self.context),
            sound[start : start + self.segment_frames * hop],
            self._filled(self._content(item, first, frames, reading)),
            self._filled(f0_hz.astype(np.float32)),
            self._filled(bins),
            self._filled(item.voiced[here].astype(np.int64)),
            self._filled(item.level[here].astype(np.float32)),
            self._filled(np.ones(frames, np.float32)),
            np.int64(item.speaker),
            np.int64(begin),
            sample_cycles(segment_hz, frame_cycles(segment_hz, hop, config.sample_rate), hop, config.sample_rate),
            np.repeat(segment_hz > 0.0, hop).astype(np.float32),
        )  # fmt: skip

    def _filled(self, values: NDArray[Any], length: int | None = None) -> NDArray[Any]:
        """Follow values by zeros up to a cut's length."""
        missing = (self.cut_frames if length is None else length) - len(values)
        return np.concatenate([values, np.zeros((missing, *values.shape[1:]), values.dtype)])

    def _sound(self, item: _Item, first: int, frames: int) -> NDArray[np.float32]:
        """Return frames of a take with their context, mirrored where the take has none."""
        hop, context = self.config.hop_samples, self.context
        if item.example is None:
            return np.zeros(frames * hop + 2 * context, np.float32)
        begin, end = first * hop - context, (first + frames) * hop + context
        whole = item.example.target[: item.frames * hop]
        there = whole[max(0, begin) : end] * np.float32(item.gain)
        return np.pad(there, (max(0, -begin), max(0, end - len(whole))), mode="reflect")

    def _content(self, item: _Item, first: int, frames: int, reading: int) -> NDArray[np.float32]:
        """Return the row that each frame lies in, as in `vits_clock.OwnFrames.held`."""
        row = np.arange(first, first + frames) * self.config.hop_samples // self._feature_hop // 2
        if item.example is None:  # a cut that is longer than the reading has it again
            return self._reading[row % len(self._reading)].astype(np.float32)
        rows = item.example.contents[reading]
        return rows[np.minimum(row, len(rows) - 1)].astype(np.float32)


def own_frames(feature_frames: int, config: VitsConfig) -> int:
    """Return how many frames of the own clock lie in some of the feature clock."""
    return feature_frames * (config.sample_rate // 100) // config.hop_samples


def shortest_frames(segment_frames: int, config: VitsConfig) -> int:
    """Return how many frames of the feature clock hold a segment."""
    return -(-segment_frames * config.hop_samples // (config.sample_rate // 100)) + 1
