"""Features kept by content: the same sound read in the same way is never read twice.

A feature's name in the cache is the sha256 of the sound, of what was asked for, of the weights' fingerprints and of
the versions of the code that made it, so a changed file, option, network or method makes a new entry and an old one
is never wrong. Entries are plain ``.npy`` files, written whole or not at all; a damaged one is made again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import file_sha256, replacing
from covermaker.graph.key import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

VERSION = 1


def sound_sha256(sound: Path | NDArray[np.float32]) -> str:
    """Return the sha256 (hex) of a file's bytes, or of an array's samples and shape.

    Raises
    ------
    AudioInputError
        When there is no such file.
    """
    if isinstance(sound, Path):
        return file_sha256(sound)
    samples = np.ascontiguousarray(sound, dtype="<f4")
    return hashlib.sha256(f"{samples.shape}".encode() + samples.tobytes()).hexdigest()


def feature_path(folder: Path, kind: str, params: Mapping[str, Any], sounds: tuple[str, ...]) -> Path:
    """Return where a feature is, or will be.

    Parameters
    ----------
    folder : Path
        Of the cache.
    kind : str
        ``"content"``, ``"pitch"`` …: the beginning of the file's name.
    params : mapping
        All that decides the result beside the sounds; JSON values.
    sounds : tuple of str
        `sound_sha256` of every sound that has a part in it.
    """
    key = digest({"kind": kind, "version": VERSION, "params": dict(params), "sounds": sounds})
    return folder / f"{kind}-{key}.npy"


def read_feature(path: Path) -> NDArray[Any] | None:
    """Return a kept array, or None where there is none or it is damaged."""
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array


def write_feature(path: Path, array: NDArray[Any]) -> None:
    """Keep an array, whole or not at all.

    Raises
    ------
    ResourceError
        When it cannot be written.
    """
    with replacing(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def cached(
    folder: Path,
    kind: str,
    params: Mapping[str, Any],
    sound: Path | NDArray[np.float32],
    make: Callable[[], NDArray[Any]],
) -> NDArray[Any]:
    """Return a feature of a sound, made by `make` unless it is kept already; see `feature_path`."""
    path = feature_path(folder, kind, params, (sound_sha256(sound),))
    kept = read_feature(path)
    if kept is None:
        kept = make()
        write_feature(path, kept)
    return kept
