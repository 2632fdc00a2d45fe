"""Pieces to examples: several processes make them, and each result is kept under the hash of what it was made from.

A piece is worked on alone: its readings share the encoder's windows with each other and with no other piece's. So
its file depends on the piece, the profile, the encoder's weights and the code's version, and on nothing else: neither
on the number of processes nor on what was made before, nor on what other takes there are.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.features.workers import in_processes, unheard
from covermaker.progress import Progress, silent
from covermaker.training.dataset import Example, load_example, save_example
from covermaker.training.material import HEARD_RATE, Piece, make

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.training.profiles import Augmentation

VERSION = 3
SEPARATOR = ("spleeter-2stems-vocals", "spleeter-2stems-accompaniment")


@dataclass(frozen=True)
class Making:
    """What all pieces of a voice have in common; see `material.make`."""

    augmentation: Augmentation
    sample_rate: int
    seed: int
    medians_hz: tuple[float, ...]  # of every singer
    encoder: str
    encoder_sha256: str

    def key(self, piece: Piece) -> str:
        """Return the hash that a piece's file is kept under."""
        facts = {**self._facts, "median_hz": self.median_hz(piece), "piece": piece.identity()}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @cached_property
    def _facts(self) -> dict[str, Any]:
        augmentation = {
            name: value
            for name, value in asdict(self.augmentation).items()
            if name
            not in ("plain_minutes", "made_minutes", "transposed", "sung", "held")  # decide the plan only
        }
        facts = {**asdict(self), "augmentation": augmentation, "version": [VERSION, *self.versions()]}
        del facts["medians_hz"]  # a piece depends on that of its own singer alone
        return facts

    def median_hz(self, piece: Piece) -> float:
        """Return the usual pitch of a piece's singer."""
        return self.medians_hz[piece.source.speaker]

    def versions(self) -> list[Any]:
        """Return what identifies the code and the weights that read pitch, separate and encode."""
        from covermaker.features.content import VERSION as CONTENT_VERSION
        from covermaker.features.encoders import encoders_of
        from covermaker.features.pitch import METHODS, versions_of
        from covermaker.stems.spleeter import SpleeterSeparator
        from covermaker.weights.catalog import fingerprint

        method = METHODS.load(self.augmentation.pitch)
        separates = self.augmentation.separated > 0.0
        weights = [*method.WEIGHTS, *(SEPARATOR if separates else ())]
        return [
            CONTENT_VERSION,
            *(one.VERSION for one in encoders_of(self.encoder)),
            *versions_of(self.augmentation.pitch),
            *([SpleeterSeparator.VERSION] if separates else []),
            *(fingerprint(name) for name in weights),
        ]

    def keys(self, pieces: Sequence[Piece]) -> set[str]:
        """Return the hashes of some pieces."""
        return {self.key(piece) for piece in pieces}


def make_all(
    pieces: Sequence[Piece],
    making: Making,
    folder: Path,
    *,
    workers: int,
    progress: Progress = silent,
    note: Callable[[str], None] = unheard,
) -> None:
    """Make the examples of all pieces, but for those that were made before.

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
    note : callable
        See `in_processes`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Two takes with the same clip have the same file: a dictionary names it once.
    wanted = {folder / f"{making.key(piece)}.npz": piece for piece in pieces}
    jobs = [(piece, making, file) for file, piece in wanted.items() if not file.exists()]
    found = in_processes(make_example, jobs, workers=workers, note=note)
    for done, _ in enumerate(found, start=1):
        progress(done / len(jobs))
    progress(1.0)


def read_all(pieces: Sequence[Piece], making: Making, folder: Path) -> list[Example]:
    """Return the examples of pieces that were made, in the pieces' order."""
    return [
        replace(load_example(folder / f"{making.key(piece)}.npz"), speaker=piece.source.speaker)
        for piece in pieces
    ]


def forget(folder: Path, keep: Collection[str]) -> None:
    """Delete the kept examples that are not among `keep` (hashes)."""
    for file in folder.glob("*.npz"):
        if file.stem not in keep:
            file.unlink(missing_ok=True)


def make_example(job: tuple[Piece, Making, Path]) -> None:
    """Make a piece's example and keep it."""
    piece, making, file = job
    material = make(
        piece,
        making.augmentation,
        making.sample_rate,
        seed=making.seed,
        median_hz=making.median_hz(piece),
        separate=separator() if making.augmentation.separated > 0.0 else None,
    )
    contents = tuple(encode(material.heard, making.encoder))
    save_example(Example(material.target, material.f0_hz, material.loudness_db, contents), file)


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
    networks = load_networks(SEPARATOR)

    def separate(mix: NDArray[np.float32]) -> NDArray[np.float32]:
        wide = soxr.resample(mix, HEARD_RATE, MIX_RATE).astype(np.float32)
        with torch.inference_mode():
            parts = [block[0] for block in split(networks, [np.stack([wide, wide])])]
        vocal = soxr.resample(np.concatenate(parts, axis=-1).mean(axis=0), MIX_RATE, HEARD_RATE)
        return fit(vocal.astype(np.float32), len(mix))

    return separate
