"""Measurements kept in the voice's folder under the hash of what they were made from.

``.takes/`` may be deleted at any time. A folder that may not be written to is measured anew each time.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import zipfile
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.disk import disk_errors, runs, this_host, write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

CACHE_FOLDER = ".takes"
_WORK = re.compile(r"work-(?P<host>.*)-(?P<pid>\d+)-[^-]*")

Arrays = dict[str, "NDArray[Any]"]


def key_of(*facts: Any) -> str:
    """Return a short hash of plain values."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def cache_folder(folder: Path) -> Path | None:
    """Return where a voice's measurements lie, or None where nothing can be kept."""
    return folder / CACHE_FOLDER if os.access(folder, os.W_OK) else None


def cached(cache: Path | None, name: str, make: Callable[[], Arrays]) -> Arrays:
    """Return the arrays kept as `name`, or make and keep them; a damaged file is made again."""
    if cache is None:
        return make()
    path = cache / f"{name}.npz"
    try:
        # From memory: of a damaged file on the disk, numpy would leave the handle open.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass
    arrays = make()
    data = io.BytesIO()
    np.savez(data, **arrays)  # type: ignore[arg-type]
    write_bytes(path, data.getvalue())
    return arrays


@contextmanager
def scratch(cache: Path | None) -> Iterator[Path]:
    """Yield a folder for large files that is deleted in the end, on the voice's disk when that can be written."""
    if cache is not None:
        with disk_errors(cache):
            cache.mkdir(parents=True, exist_ok=True)
            _sweep(cache)
    prefix = f"work-{this_host()}-{os.getpid()}-"
    with TemporaryDirectory(prefix=prefix, dir=cache, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _sweep(cache: Path) -> None:
    """Remove what killed processes of this machine left: an hour of a take is half a gigabyte."""
    for left in cache.glob("work-*"):
        match = _WORK.fullmatch(left.name)
        if match and not runs(match["host"], int(match["pid"])):
            shutil.rmtree(left, ignore_errors=True)
