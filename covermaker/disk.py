"""Whole files or none, content hashes, and what the operating system's refusals mean.

A file is written under another name, flushed to the disk and renamed. A process that is killed leaves its
``.part-<host>-<pid>-…`` file behind; the next write into the same folder on the same machine sees that the process is
gone and takes the file away.
"""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.errors import AudioInputError, ResourceError, UsageError
from covermaker.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART = re.compile(r"\.part-(?P<host>[\w.-]*)-(?P<pid>\d+)-[0-9a-f]{8}(\..*)?")

# Less free space than any encoder's next block.
ALMOST_FULL_BYTES = 1 << 20

_PIECE_BYTES = 1 << 18

_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space or choose another place"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or choose another place"),
    errno.EFBIG: ("the file would be larger than this disk or user may write", "choose another place"),
    errno.EACCES: ("permission denied", "choose a place you may write to"),
    errno.EPERM: ("permission denied", "choose a place you may write to"),
    errno.EROFS: ("the disk is read-only", "choose another place"),
}


def write_error(error: OSError, path: Path) -> ResourceError:
    """Map a failed write to the error a user can act on."""
    known = _REASONS.get(error.errno or 0)
    if known is None:
        return ResourceError(f"cannot write '{path}': {error.strerror or error}")
    reason, hint = known
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason += f" ({human_bytes(free_bytes(path))} free)"
    return ResourceError(f"cannot write '{path}': {reason}", hint=hint)


def encoder_error(path: Path, said: str) -> ResourceError:
    """Return the error of an encoder that failed to write and names no errno: look whether the disk is full."""
    if free_bytes(path) < ALMOST_FULL_BYTES:
        return write_error(OSError(errno.ENOSPC, ""), path)
    return ResourceError(f"cannot write '{path}': {said}")


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Map every refusal of the operating system inside the block to one that names `place`."""
    try:
        yield
    except OSError as error:
        raise write_error(error, place) from error


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
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
    temporary = _part_of(path)
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    except ResourceError as error:
        # A writer inside names the file it knows; the user knows the other one.
        raise ResourceError(error.message.replace(str(temporary), str(path)), hint=error.hint) from error
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def making_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder` that becomes `folder` when the block ends well.

    Its files are fsynced before the rename; when the block raises, it goes with all that is in it. An older `folder`
    is not replaced: whoever means to takes it away inside the block.

    Raises
    ------
    ResourceError
        For every `OSError` of the block, and when `folder` exists at its end.
    """
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        temporary = _part_of(folder)
        temporary.mkdir()
        try:
            yield temporary
            for path in temporary.iterdir():
                sync(path)
            sync(temporary)
            os.rename(temporary, folder)
            sync(folder.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all; see `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a small UTF-8 file whole or not at all; see `replacing`."""
    write_bytes(path, text.encode())


def jot(path: Path, text: str) -> None:
    """Write a small UTF-8 file whole or not at all, but not through to the disk: it is no loss in a power cut.

    Where the operating system refuses, what stood there stays.
    """
    temporary = _part_of(path)
    with suppress(OSError):
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file whole or not at all; see `replacing`."""
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def expanded(text: str, where: str) -> Path:
    """Return a path that a person wrote, ``~`` and ``~name`` resolved; `where` says where it was written.

    Raises
    ------
    UsageError
        When there is no such user.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{where} = '{text}' leads nowhere: {str(error).rstrip('.')}") from error


def told_by(variable: str) -> Path | None:
    """Return the place that an environment variable names; None where it is not set, or empty.

    Raises
    ------
    UsageError
        When it leads nowhere.
    """
    text = os.environ.get(variable)
    return expanded(text, variable) if text else None


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
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise AudioInputError(f"there is no file {path}") from error
    except OSError as error:
        raise ResourceError(f"{path} cannot be read: {error.strerror}") from error


def same_content(one: Path, other: Path) -> bool:
    """Tell whether two files hold the same bytes; ends at the first difference, which a hash would not.

    Raises
    ------
    ResourceError
        When one of them may not be read.
    """
    try:
        if not one.is_file() or one.stat().st_size != other.stat().st_size:
            return False
        with one.open("rb") as first, other.open("rb") as second:
            while piece := first.read(_PIECE_BYTES):
                if piece != second.read(_PIECE_BYTES):
                    return False
    except OSError as error:
        raise ResourceError(f"{error.filename or one} cannot be read: {error.strerror}") from error
    return True


def flush_and_hash(path: Path) -> str:
    """Flush a finished file to the disk and return its sha256 (hex), made while the disk works."""
    from concurrent.futures import ThreadPoolExecutor

    if path.is_file() and path.stat().st_size <= _PIECE_BYTES:  # sooner hashed than a thread begins
        sync(path)
        return file_sha256(path)
    with ThreadPoolExecutor(1) as pool:
        flushed = pool.submit(sync, path)
        digest = file_sha256(path)
        flushed.result()
    return digest


def free_bytes(place: Path) -> int:
    """Return how many bytes are free where `place` is, or will be."""
    for folder in (place, *place.parents):
        if folder.exists():
            return shutil.disk_usage(folder).free
    return 0


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _part_of(path: Path) -> Path:
    return path.parent / f".part-{this_host()}-{os.getpid()}-{secrets.token_hex(4)}{path.suffix}"


def this_host() -> str:
    """Return what this machine is called, as a part of a file's name."""
    return re.sub(r"[^\w.-]", "_", platform.node())[:64]


def _sweep(folder: Path) -> None:
    """Remove what dead processes of this machine left in the folder."""
    for entry in os.scandir(folder):
        match = _PART.fullmatch(entry.name)
        if match and not runs(match["host"], int(match["pid"])):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
                continue
            with suppress(OSError):
                os.unlink(entry.path)


def runs(host: str, pid: int) -> bool:
    """Tell whether a process, anybody's, runs on a machine that `this_host` named.

    Of one on another machine nobody here knows, so it counts as running.
    """
    if host != this_host():
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):  # no process has such a number
        return False
    except OSError:  # somebody else's process: alive
        return True
    return True
