"""Whole files or none: write under another name, flush to the disk, rename.

A process that is killed leaves its ``.part-<host>-<pid>-…`` file behind; the next write into the same folder on the
same machine sees that the process is gone and takes the file away.
"""

from __future__ import annotations

import errno
import os
import platform
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from covermaker.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PART = re.compile(r"\.part-(?P<host>[\w.-]*)-(?P<pid>\d+)-[0-9a-f]{8}(\..*)?")

# Less free space than any encoder's next block.
_NO_SPACE_BYTES = 1 << 20

_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space or choose another folder"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or choose another folder"),
    errno.EFBIG: ("the file would be larger than this disk or user may write", "choose another folder"),
    errno.EACCES: ("permission denied", "choose a folder you may write to"),
    errno.EPERM: ("permission denied", "choose a folder you may write to"),
    errno.EROFS: ("the disk is read-only", "choose another folder"),
}


def write_error(error: OSError, path: Path) -> ResourceError:
    """Map a failed write to the error a user can act on."""
    known = _REASONS.get(error.errno or 0)
    if known is not None:
        return ResourceError(f"cannot write '{path}': {known[0]}", hint=known[1])
    return ResourceError(f"cannot write '{path}': {error.strerror or error}")


def encoder_error(path: Path, said: str) -> ResourceError:
    """Return the error of an encoder that failed to write and names no errno: look whether the disk is full."""
    if shutil.disk_usage(path.parent).free < _NO_SPACE_BYTES:
        return write_error(OSError(errno.ENOSPC, ""), path)
    return ResourceError(f"cannot write '{path}': {said}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that becomes `path` when the block ends well.

    The temporary keeps the suffix (encoders look at it). It is fsynced before the rename, and so is the folder after
    it; when the block raises, it is deleted and `path` stays what it was.

    Raises
    ------
    ResourceError
        For every `OSError` of the block: disk full, no permission, read-only.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
    except OSError as error:
        raise write_error(error, path) from error
    temporary = path.parent / f".part-{_host()}-{os.getpid()}-{secrets.token_hex(4)}{path.suffix}"
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except ResourceError as error:
        # A writer inside names the file it knows; the user knows the other one.
        raise ResourceError(error.message.replace(str(temporary), str(path)), hint=error.hint) from error
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _host() -> str:
    return re.sub(r"[^\w.-]", "_", platform.node())[:64]


def _sweep(folder: Path) -> None:
    """Remove what dead processes of this machine left in the folder."""
    for entry in os.scandir(folder):
        match = _PART.fullmatch(entry.name)
        if match and match["host"] == _host() and not _alive(int(match["pid"])):
            with suppress(OSError):
                os.unlink(entry.path)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process: alive
        return True
    return True
