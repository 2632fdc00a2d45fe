"""sha256 of weight files, remembered so that a 150 MB file is hashed once and not at every start.

The memory is one small JSON file in the user's cache folder, keyed by path, size and modification time in
nanoseconds. Losing it costs time, never truth.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import cast

from covermaker.disk import file_sha256, told_by
from covermaker.errors import CovermakerError, WeightsError


def hash_file(path: Path) -> str:
    """Return the sha256 (64 hex digits) of a file's content, read now."""
    try:
        return file_sha256(path)
    except CovermakerError as error:
        raise WeightsError(f"cannot read the weights {path}: {error.message}") from error


def known_hash(path: Path) -> str:
    """Return the sha256 of a file, from memory while path, size and modification time are unchanged."""
    try:
        stat = path.stat()
    except OSError as error:
        raise WeightsError(f"cannot read the weights {path}: {error.strerror}") from error
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    memory = _recall()
    if key not in memory:
        memory[key] = hash_file(path)
        _remember(key, memory[key])
    return memory[key]


def forget(path: Path) -> None:
    """Drop what is remembered of a file, so that the next question reads it."""
    prefix = f"{path.resolve()}|"
    _write({key: value for key, value in _recall().items() if not key.startswith(prefix)})


def _memory_file() -> Path:
    from platformdirs import user_cache_dir

    return (told_by("COVERMAKER_CACHE") or Path(user_cache_dir("covermaker"))) / "weight-hashes.json"


def _recall() -> dict[str, str]:
    try:
        memory = json.loads(_memory_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, str]", memory) if isinstance(memory, dict) else {}


def _remember(key: str, digest: str) -> None:
    # Read again: another process may have added its own lines since.
    _write({**_recall(), key: digest})


def _write(memory: dict[str, str]) -> None:
    target = _memory_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    except OSError:
        return  # A read-only cache only means hashing again.
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(memory, file, indent=1, sort_keys=True)
        os.replace(name, target)
    except OSError:
        Path(name).unlink(missing_ok=True)
