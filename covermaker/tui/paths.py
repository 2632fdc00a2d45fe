"""Files dropped onto the terminal: it pastes their paths, each terminal in its own way of quoting."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


def start_folder() -> Path:
    """Return where to begin to look for files: the folder that the studio was started from."""
    try:
        return Path.cwd()
    except OSError:  # it is gone by now
        return Path.home()


def tilde(path: Path) -> str:
    """Write a path as a shell reads it, with ``~`` for the home folder."""
    home = Path.home()
    return f"~{os.sep}{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def dropped(text: str, *, folders: bool = False) -> list[Path]:
    """Return the files that a pasted text names, in its order; none when it is just text. With `folders`, those too.

    Understands a plain path with spaces, quoted ones, backslashes before spaces, ``file://`` addresses, several of
    them in a line or on lines of their own.
    """
    is_there = os.path.exists if folders else os.path.isfile
    files: dict[Path, None] = {}
    for line in text.strip().splitlines():
        for candidate in _readings(line.strip()):
            # Not Path.is_file: a pasted text may be longer than any file name.
            if candidate and all(is_there(path) for path in candidate):
                files |= dict.fromkeys(candidate)
                break
    return list(files)


def _readings(line: str) -> Iterator[list[Path]]:
    """Yield what a line may mean: the whole of it a path, or several as a shell would split it."""
    if line:
        yield [_path(line)]
        yield [_path(line.strip("'\""))]
    try:
        yield [_path(word) for word in shlex.split(line)]
    except ValueError:  # a quote that nothing closes
        return


def _path(text: str) -> Path:
    if text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    try:
        return Path(text.replace("\0", "\ufffd")).expanduser()
    except RuntimeError:  # ~ of a user who does not exist
        return Path(text)
