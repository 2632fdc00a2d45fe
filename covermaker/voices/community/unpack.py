"""A zip file of somebody else is unpacked: what could be of a voice, and nothing outside the folder it is meant for."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final

from covermaker.disk import disk_errors, free_bytes
from covermaker.errors import ResourceError, WeightsError
from covermaker.texts import one_line
from covermaker.units import human_bytes
from covermaker.voices.community.content import may_be_ours
from covermaker.weights.careful_zip import BROKEN, careful_zip

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_FILES: Final = 10_000
MOST_BYTES: Final = 6 << 30  # of all files together
_MOST_GROWTH: Final = 100  # weights hardly shrink, texts tenfold
_ALWAYS_FINE: Final = 64 << 20
_ENCRYPTED: Final = 0x1
_SUSPECT: Final = "take an archive from a source that you trust"


def unpack(path: Path, into: Path) -> None:
    """Unpack an archive.

    Parameters
    ----------
    path : Path
        The archive.
    into : Path
        An empty folder.

    Raises
    ------
    WeightsError
        When a name leads outside, something is a link, encrypted, damaged, or it would grow beyond all measure.
    ResourceError
        When there is no room.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    with file:
        try:
            archive = careful_zip(file)
            wanted = list(_wanted(archive, path))
        except BROKEN as error:
            raise _damaged(path) from error
        need = sum(info.file_size for info in wanted)
        if need > free_bytes(into):
            raise ResourceError(
                f"{path} needs {human_bytes(need)} to be unpacked, {human_bytes(free_bytes(into))} are free",
                hint="set TMPDIR to a folder with space",
            )
        for info in wanted:
            target = into / info.filename
            with disk_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as out:
                    out.writelines(_pieces(archive, info, path))


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Iterator[bytes]:
    """Read a member; errors of the archive are not mistaken for those of the disk that it is written to."""
    try:
        with archive.open(info) as member:
            while piece := member.read(1 << 20):
                yield piece
    except BROKEN as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> WeightsError:
    return WeightsError(f"{path} is a damaged archive", hint="copy or download it again")


def _wanted(archive: zipfile.ZipFile, path: Path) -> Iterator[zipfile.ZipInfo]:
    """Look at all that an archive claims, and give what is worth to be unpacked."""
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise WeightsError(f"{path} holds more than {MOST_FILES} files", hint="unpack it, and name the model")
    total = sum(info.file_size for info in infos)
    packed = max(path.stat().st_size, 1)
    if total > MOST_BYTES or (total > _ALWAYS_FINE and total > _MOST_GROWTH * packed):
        raise WeightsError(
            f"{path} would grow from {human_bytes(packed)} to {human_bytes(total)}, as no voice does",
            hint=_SUSPECT,
        )
    seen = set()
    for info in infos:
        name, said = info.filename, one_line(info.filename[:80])
        # The others are unpacked in pieces of any size, whatever is claimed.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise WeightsError(
                f"{path} is packed in a way that is not read here: '{said}'",
                hint="unpack it, and name the model",
            )
        parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
        if name.startswith(("/", "\\")) or PureWindowsPath(name).drive or ".." in parts:
            raise WeightsError(f"{path} holds '{said}', which leads outside", hint=_SUSPECT)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise WeightsError(f"{path} holds a link, '{said}'", hint=_SUSPECT)
        if name in seen:
            raise WeightsError(f"{path} holds '{said}' twice", hint=_SUSPECT)
        seen.add(name)
        if info.is_dir() or not info.file_size:
            continue
        if info.flag_bits & _ENCRYPTED:
            raise WeightsError(f"{path} is locked with a password", hint="unpack it first")
        with archive.open(info) as member:
            if may_be_ours(member.read(16)):
                yield info
