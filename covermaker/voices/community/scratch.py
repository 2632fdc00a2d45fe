"""Where archives are unpacked for the moment, and how what a killed import left there goes with the next one."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Final

from covermaker.disk import runs, this_host

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "covermaker-import-"
_NAME: Final = re.compile(rf"{_PREFIX}(?P<host>[\w.-]*)-(?P<pid>\d+)-\w+")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder of the temporary directory that goes at the block's end, or with the next one."""
    _sweep(Path(gettempdir()))
    prefix = f"{_PREFIX}{this_host()}-{os.getpid()}-"
    with TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as made:
        yield Path(made)


def _sweep(place: Path) -> None:
    """Remove what dead processes of this machine and this person left."""
    with suppress(OSError):
        for entry in os.scandir(place):
            match = _NAME.fullmatch(entry.name)
            if match is None or runs(match["host"], int(match["pid"])):
                continue
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False) and _is_mine(entry):
                    shutil.rmtree(entry.path, ignore_errors=True)


def _is_mine(entry: os.DirEntry[str]) -> bool:
    owner = getattr(os, "getuid", None)
    return owner is None or entry.stat(follow_symlinks=False).st_uid == owner()
