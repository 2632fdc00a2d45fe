"""Training examples: one target, the curves it follows, and what the content encoder hears of it.

An example may hold several content readings of the same target (other throats, other rooms). A batch draws one of
them, or a blend of two, so the network learns to leave out what differs between them.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import replacing
from covermaker.errors import AudioInputError
from covermaker.features.clock import FRAME_RATE
from covermaker.features.content import content_at
from covermaker.voices.networks.base import phase_curve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Example:
    """One take.

    Parameters
    ----------
    target : float32 array (samples,)
        Mono, at the voice's sample rate.
    f0_hz, loudness_db : float32 arrays (frames,)
        On the clock; 0 Hz where unvoiced.
    contents : tuple of float16 arrays (rows, content_dim)
        At 50 rows a second, the clean reading first.
    speaker : int
        Row of the speaker table.
    """

    target: NDArray[np.float32]
    f0_hz: NDArray[np.float32]
    loudness_db: NDArray[np.float32]
    contents: tuple[NDArray[np.float16], ...]
    speaker: int = 0

    def whole_frames(self, hop_samples: int) -> int:
        """Frames that have all their samples and features."""
        rows = min(len(rows) for rows in self.contents)
        return min(len(self.target) // hop_samples, len(self.f0_hz), len(self.loudness_db), 2 * rows)


@dataclass(frozen=True)
class Batch:
    """Equal cuts of several examples: (B, …) float32 arrays, phase in cycles wrapped to 0..1."""

    content: NDArray[np.float32]  # (B, T, D)
    f0_hz: NDArray[np.float32]  # (B, T)
    loudness_db: NDArray[np.float32]  # (B, T)
    phase_cycles: NDArray[np.float32]  # (B, T)
    speaker: NDArray[np.int64]  # (B,)
    target: NDArray[np.float32]  # (B, T * hop)

    def rows(self, start: int, stop: int) -> Batch:
        """Return some of its cuts."""
        return Batch(*(getattr(self, field.name)[start:stop] for field in fields(self)))


@dataclass(frozen=True)
class Draw:
    """A batch with all random numbers that its step needs, so that it can be cut into parts and tried again."""

    batch: Batch
    jitter: np.ndarray[Any, Any]  # (B, T, D)
    noise: np.ndarray[Any, Any]  # (B, T * hop)
    recall: np.ndarray[Any, Any]  # (B, 1, 1)

    def __len__(self) -> int:
        return len(self.batch.f0_hz)

    def cut(self, pieces: int) -> list[Draw]:
        """Return `pieces` parts of as equal size as can be."""
        size = len(self)
        bounds = [size * k // pieces for k in range(pieces + 1)]
        return [
            Draw(self.batch.rows(a, b), self.jitter[a:b], self.noise[a:b], self.recall[a:b])
            for a, b in itertools.pairwise(bounds)
            if b > a
        ]


class Dataset:
    """Draws batches from examples, longer ones more often.

    Parameters
    ----------
    examples : sequence of Example
    sample_rate : int
        Of the targets, a multiple of 100 Hz.
    clip_frames : int
        Length of a cut on the clock; shorter examples are left out.
    silence : float16 array (rows, content_dim), optional
        What the content encoder reads in silence, for networks that are taught it; see `silence`.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        *,
        sample_rate: int,
        clip_frames: int = 128,
        silence: NDArray[np.float16] | None = None,
    ) -> None:
        self.hop_samples = sample_rate // FRAME_RATE
        self.clip_frames, self.silence = clip_frames, silence
        lengths = [example.whole_frames(self.hop_samples) for example in examples]
        self.examples = [e for e, n in zip(examples, lengths, strict=True) if n >= clip_frames]
        self._lengths = np.array([n for n in lengths if n >= clip_frames])
        if not self.examples:
            raise AudioInputError(
                f"no clip of the takes is as long as the {clip_frames / FRAME_RATE:g} s that a step reads",
                hint="cut longer clips, or train with a shorter recipe.clip_frames",
            )
        self._chances = self._lengths / self._lengths.sum()

    @property
    def seconds(self) -> float:
        """Seconds of targets."""
        return float(self._lengths.sum() / FRAME_RATE)

    def content_statistics(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and deviation of every content column over the voiced-or-not, audible rows."""
        total = np.zeros((2, self.examples[0].contents[0].shape[1]))
        count = 0
        for example in self.examples:
            for rows in example.contents:
                wide = rows.astype(np.float64)
                total += (wide.sum(axis=0), (wide**2).sum(axis=0))
                count += len(rows)
        mean = total[0] / count
        return mean.astype(np.float32), np.sqrt(np.maximum(total[1] / count - mean**2, 1e-8)).astype(
            np.float32
        )

    def clean_content(self) -> NDArray[np.float32]:
        """Return all rows of the clean readings, (rows, content_dim)."""
        return np.concatenate([example.contents[0] for example in self.examples]).astype(np.float32)

    def fingerprint(self) -> str:
        """Return a sha256 over targets, curves, contents and silence; where several sing, over who sings which, too."""
        digest = hashlib.sha256()
        several = len({example.speaker for example in self.examples}) > 1
        for example in self.examples:
            if several:
                digest.update(example.speaker.to_bytes(4, "big"))
            for array in (example.target, example.f0_hz, example.loudness_db, *example.contents):
                digest.update(np.ascontiguousarray(array).tobytes())
        if self.silence is not None:
            digest.update(np.ascontiguousarray(self.silence).tobytes())
        return digest.hexdigest()

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """Draw `size` cuts, with the small lies of real features told on purpose.

        Level: one gain a cut, on target and loudness alike. Voicing: some cuts get a pitch through their
        consonants, as a pitch tracker on a dense song does. Loudness: a little jitter and smoothing.
        """
        rows = [self._cut(rng) for _ in range(size)]
        columns: list[Any] = [np.stack(column) for column in zip(*rows, strict=True)]
        return Batch(*columns)

    def _cut(self, rng: np.random.Generator) -> tuple[Any, ...]:
        index = int(rng.choice(len(self.examples), p=self._chances))
        example, frames, hop = self.examples[index], self.clip_frames, self.hop_samples
        start = int(rng.integers(self._lengths[index] - frames + 1))
        stop = start + frames

        content = content_at(example.contents[int(rng.integers(len(example.contents)))], start, frames)
        if rng.random() < 0.25:
            other = content_at(example.contents[int(rng.integers(len(example.contents)))], start, frames)
            blend = np.float32(rng.random())
            content = content * blend + other * (1 - blend)

        f0_hz = example.f0_hz[start:stop]
        if rng.random() < 0.3:
            f0_hz = held_through(f0_hz)
        gain_db = rng.uniform(-12.0, 6.0)
        loudness_db = example.loudness_db[start:stop] + gain_db
        if rng.random() < 0.5:
            loudness_db = loudness_db + np.convolve(rng.normal(0, 2.0, frames), np.full(9, 1 / 9), "same")
        target = example.target[start * hop : stop * hop] * 10.0 ** (gain_db / 20.0)
        return (
            content,
            f0_hz.astype(np.float32),
            loudness_db.astype(np.float32),
            np.mod(phase_curve(f0_hz) + rng.random(), 1.0).astype(np.float32),
            np.int64(example.speaker),
            target.astype(np.float32),
        )


def held_through(f0_hz: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the pitch with its gaps filled, straight from one voiced frame to the next."""
    voiced = np.flatnonzero(f0_hz > 0)
    if not len(voiced):
        return f0_hz
    return np.interp(np.arange(len(f0_hz)), voiced, f0_hz[voiced]).astype(np.float32)


def save_example(example: Example, path: Path) -> None:
    """Write an example as .npz, whole or not at all."""
    arrays: dict[str, NDArray[Any]] = {
        "target": example.target,
        "f0_hz": example.f0_hz,
        "loudness_db": example.loudness_db,
        "speaker": np.array(example.speaker),
    }
    arrays |= {f"content.{reading}": rows for reading, rows in enumerate(example.contents)}
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]


def load_example(path: Path) -> Example:
    """Read what `save_example` wrote; arrays only, no pickle."""
    with np.load(path, allow_pickle=False) as file:
        readings = sum(name.startswith("content.") for name in file.files)
        contents = tuple(file[f"content.{reading}"] for reading in range(readings))
        return Example(
            file["target"], file["f0_hz"], file["loudness_db"], contents, speaker=int(file["speaker"])
        )
