"""Files that are either the old ones or the new ones, whatever happens in between."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.errors import AudioInputError, CovermakerError, ResourceError
from covermaker.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = {
    errno.ENOSPC: ("the disk is full", "free some space, or move the store with --store or COVERMAKER_STORE"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or move the store with --store"),
    errno.EROFS: ("is read-only", "choose another place with --store or COVERMAKER_STORE"),
    errno.EACCES: ("may not be written", "check its permissions, or choose another place with --store"),
    errno.EPERM: ("may not be written", "check its permissions, or choose another place with --store"),
}


def write_text(path: Path, text: str) -> None:
    """Replace a text file atomically: temp name beside it, flush, fsync, rename.

    Raises
    ------
    ResourceError
        When the place is full, read-only or forbidden; the old file is untouched and no temp file stays.
    """
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Return the sha256 (hex) of a file's content.

    Raises
    ------
    AudioInputError
        When there is no such file.
    ResourceError
        When it may not be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise AudioInputError(f"there is no file {path}") from error
    except OSError as error:
        raise ResourceError(f"{path} cannot be read: {error.strerror}") from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a file atomically; see `write_text`."""
    with disk_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
        os.close(handle)
        temporary = Path(name)
        try:
            shutil.copyfile(source, temporary)
            sync(temporary)
            temporary.chmod(0o644)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn the operating system's refusals under `place` into one line with the next step."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, place) from error


def disk_error(error: OSError, place: Path) -> CovermakerError:
    """Return the error a person should read for an operating system's refusal."""
    words = _WORDS.get(error.errno or 0)
    if words is None:
        return ResourceError(f"{error.filename or place}: {error.strerror or error}")
    what, hint = words
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError(f"{what} at {place} ({human_bytes(free_bytes(place))} free)", hint=hint)
    return ResourceError(f"{error.filename or place} {what}", hint=hint)


def free_bytes(place: Path) -> int:
    """Return how many bytes are free where `place` is, or will be."""
    for folder in (place, *place.parents):
        if folder.exists():
            return shutil.disk_usage(folder).free
    return 0
