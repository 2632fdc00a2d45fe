"""Zip files of strangers: opened without taking memory for whatever their directory claims."""

from __future__ import annotations

import io
import lzma
import os
import struct
import sys
import zipfile
import zlib
from typing import IO, Final

# What `zipfile` raises of damaged archives, apart from `BadZipFile`.
BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, RuntimeError, ValueError,
    LookupError, OverflowError,
)  # fmt: skip
_MOST_AT_ONCE: Final = 8 << 20  # bytes of an archive's directory: 100 000 members


def careful_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Open an archive for reading.

    Raises
    ------
    zipfile.BadZipFile
        When it is none, or its directory is larger than 8 MiB.
    """
    careful = _Careful(file)
    archive = zipfile.ZipFile(careful)
    careful.most = sys.maxsize  # what is read from now on, somebody has looked at
    return archive


class _Careful(io.RawIOBase):
    """A file for `zipfile`, which reads an archive's whole directory at once, however large it claims to be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.most = _MOST_AT_ONCE

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        if size > self.most:
            raise zipfile.BadZipFile("its directory is larger than that of any model")
        return self._file.read(size)
