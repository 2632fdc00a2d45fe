"""Pieces to examples: several processes make them, and each result is kept under the hash of what it was made from.

Pieces are worked on in groups of a fixed size, so that the clips of a group share the encoder's windows. A group's
file depends on its pieces, the profile, the encoder's weights and the code's version, and on nothing else: neither on
the number of processes nor on what was made before.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.features.workers import in_processes
from covermaker.progress import Progress, silent
from covermaker.training.dataset import Example, load_examples, save_examples
from covermaker.training.material import HEARD_RATE, Material, Piece, make

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.training.profiles import Augmentation

VERSION = 1
GROUP = 12  # pieces whose readings share windows
_SEPARATOR = ("spleeter-2stems-vocals", "spleeter-2stems-accompaniment")


@dataclass(frozen=True)
class Making:
    """What all pieces of a voice have in common; see `material.make`."""

    augmentation: Augmentation
    sample_rate: int
    seed: int
    median_hz: float
    encoder: str
    encoder_sha256: str

    def key(self, group: Sequence[Piece]) -> str:
        """Return the hash that a group's file is kept under."""
        augmentation = {
            name: value
            for name, value in asdict(self.augmentation).items()
            if name
            not in ("plain_minutes", "made_minutes", "transposed", "sung", "held")  # decide the plan only
        }
        facts = {**asdict(self), "augmentation": augmentation, "version": [VERSION, *self.versions()]}
        facts["pieces"] = [piece.identity() for piece in group]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def versions(self) -> list[Any]:
        """Return what identifies the code and the weights that read pitch, separate and encode."""
        from covermaker.features.content import VERSION as CONTENT_VERSION
        from covermaker.features.encoders import encoders_of
        from covermaker.features.pitch import METHODS
        from covermaker.weights.catalog import fingerprint

        method = METHODS.load(self.augmentation.pitch)
        weights = [*method.WEIGHTS, *(_SEPARATOR if self.augmentation.separated > 0.0 else ())]
        return [
            CONTENT_VERSION,
            *(one.VERSION for one in encoders_of(self.encoder)),
            method.VERSION,
            *(fingerprint(name) for name in weights),
        ]

    def keys(self, pieces: Sequence[Piece]) -> set[str]:
        """Return the hashes of all groups of some pieces."""
        return {self.key(group) for group in grouped(pieces)}


def gather(
    pieces: Sequence[Piece], making: Making, folder: Path, *, workers: int, progress: Progress = silent
) -> list[Example]:
    """Return the examples of all pieces, in order; those that were made before are read.

    Parameters
    ----------
    pieces : sequence of Piece
    making : Making
    folder : Path
        Where they are kept, ``<hash>.npz``.
    workers : int
        Processes.
    progress : Progress
        Told the finished fraction.
    """
    folder.mkdir(parents=True, exist_ok=True)
    groups = grouped(pieces)
    files = [folder / f"{making.key(group)}.npz" for group in groups]
    missing = [index for index, file in enumerate(files) if not file.exists()]
    if missing:
        jobs = [(groups[index], making, files[index]) for index in missing]
        for done, _ in enumerate(in_processes(make_group, jobs, workers=workers), start=1):
            progress(done / len(jobs))
    progress(1.0)
    return [example for file in files for example in load_examples(file)]


def grouped(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the groups; plain and made pieces never share one, so that plans of any length agree on them."""
    plain = [piece for piece in pieces if piece.kind == "plain"]
    made = [piece for piece in pieces if piece.kind != "plain"]
    return [part[i : i + GROUP] for part in (plain, made) for i in range(0, len(part), GROUP)]


def forget(folder: Path, keep: Collection[str]) -> None:
    """Delete the kept groups that are not among `keep` (hashes)."""
    for file in folder.glob("*.npz"):
        if file.stem not in keep:
            file.unlink(missing_ok=True)


def make_group(job: tuple[Sequence[Piece], Making, Path]) -> None:
    """Make a group's examples and keep them."""
    pieces, making, file = job
    separated = making.augmentation.separated > 0.0
    materials = [
        make(
            piece,
            making.augmentation,
            making.sample_rate,
            seed=making.seed,
            median_hz=making.median_hz,
            separate=separator() if separated else None,
        )
        for piece in pieces
    ]
    save_examples(with_content(materials, making.encoder), file)


def with_content(materials: Sequence[Material], encoder: str) -> list[Example]:
    """Read the content of everything that is heard of some materials."""
    rows = iter(encode([clip for material in materials for clip in material.heard], encoder))
    return [
        Example(m.target, m.f0_hz, m.loudness_db, tuple(next(rows) for _ in m.heard), m.speaker)
        for m in materials
    ]


def encode(clips: Sequence[NDArray[np.float32]], encoder: str) -> list[NDArray[np.float16]]:
    """Read 16 kHz clips with a content encoder, on one thread: other processes have the other cores."""
    from covermaker.features.content import encode_clips

    return encode_clips(clips, encoder=encoder, threads=1)


@lru_cache(maxsize=1)
def separator() -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the default separator as a function from a mono mix at 16 kHz to its mono vocal."""
    import soxr

    from covermaker.audio.buffer import fit
    from covermaker.stems.spleeter import SAMPLE_RATE as MIX_RATE
    from covermaker.stems.spleeter import load_networks, split
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    torch.set_num_threads(1)
    networks = load_networks(_SEPARATOR)

    def separate(mix: NDArray[np.float32]) -> NDArray[np.float32]:
        wide = soxr.resample(mix, HEARD_RATE, MIX_RATE).astype(np.float32)
        with torch.inference_mode():
            parts = [block[0] for block in split(networks, [np.stack([wide, wide])])]
        vocal = soxr.resample(np.concatenate(parts, axis=-1).mean(axis=0), MIX_RATE, HEARD_RATE)
        return fit(vocal.astype(np.float32), len(mix))

    return separate
