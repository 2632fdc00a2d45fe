"""Where the text of a list leads on this disk: paths of people and of Windows, ``file://`` addresses, escapes."""

from __future__ import annotations

import os
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from covermaker.batch.playlist.text import decoded
from covermaker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z][:|]")
_WINDOWS = re.compile(r"[A-Za-z][:|][\\/]|\\")  # a drive, a share, or from the root
_MOST_CHARACTERS = 4096  # of a path, as Linux has it


class LostError(UsageError):
    """A text leads to a place on this disk that cannot be looked at.

    Attributes
    ----------
    paths : tuple of str
        Where it could lie, the likeliest first; at least one.
    """

    def __init__(self, message: str, paths: tuple[str, ...], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.paths = paths


class NotThereError(LostError):
    """Nothing lies where a text leads to."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(f"there is no file {paths[0]}", paths)
        self.path = paths[0]


def find(text: str, folder: str, *, escaped: bool = False) -> tuple[str, os.stat_result]:
    """Return where a text leads to, and what is there.

    Parameters
    ----------
    text : str
        A path or an address.
    folder : str
        What a relative one begins at, absolute.
    escaped : bool
        Whether ``%20`` means a space even where a file is called like that.

    Raises
    ------
    NotThereError
        When nothing is there.
    UsageError
        When it is nothing that could lie on this disk.
    LostError
        When nobody may look.
    """
    if not text.strip():
        raise UsageError("no file is named", hint="name a song, a list, a folder or a project")
    if len(text) > _MOST_CHARACTERS:
        raise UsageError(
            f"this is no path: it has {len(text)} characters", hint="see that the list is saved as plain text"
        )
    missed: list[str] = []
    try:
        local = _local(text)
        for spelling in _spellings(local, escaped and local == text):
            path = os.path.join(folder, spelling)
            try:
                return path, os.stat(path)
            except (FileNotFoundError, NotADirectoryError):
                missed.append(path)
            except OSError as error:
                raise LostError(
                    f"{path} cannot be looked at: {error.strerror}", (path,), "see that you may read it"
                ) from error
    except ValueError as error:  # a NUL, or half a character
        raise UsageError(
            f"no file is called {text!r}", hint="see that the list is saved as plain text"
        ) from error
    raise NotThereError(tuple(missed) or (folder,))


def _local(text: str) -> str:
    """Return the path that a text means, relative or not."""
    if text[:5].lower() == "file:":
        return _of_file_address(text)
    if _ADDRESS.match(text):
        raise UsageError(f"we never download: {text}", hint="save the song as a file and name that")
    if _WINDOWS.match(text):
        raise _foreign(text)
    return os.path.expanduser(text) if text.startswith("~") else text


def _of_file_address(text: str) -> str:
    path = text[5:]
    if path.startswith("//"):
        host, _, rest = path[2:].partition("/")
        if _DRIVE.fullmatch(host):
            raise _foreign(text)
        if host.lower() not in ("", "localhost"):
            hint = "copy the song to this machine and name that"
            raise UsageError(f"it lies on another machine: {text}", hint=hint)
        path = f"/{rest}"
    path = _unescaped(path)
    if _WINDOWS.match(path.removeprefix("/")):
        raise _foreign(text)
    return path


def _foreign(text: str) -> UsageError:
    return UsageError(
        f"it is a path of a Windows machine: {text}",
        hint="write it relative to the list, or as this machine has it",
    )


def _spellings(text: str, escaped: bool) -> Iterable[str]:
    """Return the ways to write a path, the likeliest first; of most there is one."""
    ways = [text]
    if "\\" in text:
        ways.append(text.replace("\\", "/"))
    if "%" in text:
        plain = [_unescaped(way) for way in ways]
        ways = plain + ways if escaped else ways + plain
    if not all(map(str.isascii, ways)):  # a Mac takes accents apart, other systems leave them as typed
        ways += [unicodedata.normalize(form, way) for way in ways for form in ("NFC", "NFD")]
    return dict.fromkeys(ways)


def _unescaped(text: str) -> str:
    return decoded(unquote_to_bytes(os.fsencode(text)))
