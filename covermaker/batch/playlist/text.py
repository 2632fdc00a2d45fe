"""The bytes of a list as text: UTF-8 with or without a byte order mark, UTF-16 with one, or what Windows wrote."""

from __future__ import annotations

import codecs
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

from covermaker.errors import ProjectError
from covermaker.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_MOST_BYTES = 1 << 28  # of a list: a million songs take some 100 MB
_SNIFF_BYTES = 4096
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(data: bytes) -> str:
    """Return a text: UTF-8, or else Windows-1252, or else Latin-1, in which every byte is a character."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def lines(file: Path) -> Iterator[str]:
    """Yield the lines of a list without their ends, each decoded for itself.

    Raises
    ------
    ProjectError
        When it cannot be read, or is no text.
    """
    with opened(file) as stream:
        head = stream.read(_SNIFF_BYTES)
        stream.seek(0)
        if head.startswith(_UTF_16):
            with io.TextIOWrapper(stream, encoding="utf-16", errors="replace") as texts:
                for text in texts:
                    yield text.rstrip("\n")
            return
        if b"\0" in head:
            raise ProjectError(
                f"{file} is no list: it holds no text", hint="name the list that a player exported"
            )
        if head.startswith(codecs.BOM_UTF8):
            stream.seek(len(codecs.BOM_UTF8))
        for piece in stream:
            for line in piece.splitlines():  # of bytes: also at a lone \r, and nowhere else
                yield decoded(line)


def whole(file: Path) -> bytes:
    """Return the bytes of a list.

    Raises
    ------
    ProjectError
        When it cannot be read.
    """
    with opened(file) as stream:
        return stream.read()


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """Open a list; what the operating system refuses inside the block is told as a `ProjectError`."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            if size > _MOST_BYTES:
                raise ProjectError(
                    f"{file} is no list: it is {human_bytes(size)} large",
                    hint=f"split it, a list may have {human_bytes(_MOST_BYTES)}",
                )
            yield stream
    except OSError as error:
        raise ProjectError(
            f"{file} cannot be read: {error.strerror or error}", hint="see that you may read it"
        ) from error
